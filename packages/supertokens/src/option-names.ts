import { type CookieOptions, type CoreOptions, type EmbeddedOptions, isForCore, type PawlOptions } from "./options.js";
import { generalError } from "./session-error.js";

type Names<Options> = Readonly<Record<keyof Options, true>>;

const common = {
  cookies: true,
  csrf: true,
  origins: true,
  headerMode: true,
  onTokenTheft: true,
  clock: true,
} as const;

const embedded: Names<EmbeddedOptions> = {
  ...common,
  storage: true,
  masterKey: true,
  masterKeyFile: true,
  revocationLog: true,
  accessTokenValidity: true,
  refreshTokenValidity: true,
  reuseWindow: true,
  theftAction: true,
  idleTimeout: true,
  absoluteTimeout: true,
  maxSessionsPerUser: true,
  enableAntiCsrf: true,
  signingAlgorithm: true,
  signingKeyUpdateInterval: true,
  checkDatabase: true,
  eventRetention: true,
};

const core: Names<CoreOptions> = {
  ...common,
  core: true,
  apiKey: true,
  tryTimeout: true,
  callTimeout: true,
  whenFeedIsCut: true,
  feedCutAfter: true,
};

const cookies: Names<CookieOptions> = {
  names: true,
  alsoRead: true,
  domain: true,
  olderDomain: true,
  secure: true,
  sameSite: true,
  accessTokenPath: true,
  refreshTokenPath: true,
};

/**
 * Refuses names that mean nothing: a rule that was misspelt would silently not hold.
 * @throws SessionError `GENERAL_ERROR` naming the first one.
 */
export const checkOptionNames = (options: PawlOptions): void => {
  const [known, elsewhere] = isForCore(options) ? [core, embedded] : [embedded, core];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const why = Object.hasOwn(elsewhere, name)
      ? isForCore(options)
        ? "the core's config.yaml says it"
        : "it is for a core"
      : "there is no such option";
    throw generalError(`${name} cannot be given here: ${why}`);
  }
  for (const name of Object.keys(options.cookies ?? {}))
    if (!Object.hasOwn(cookies, name))
      throw generalError(`cookies.${name} cannot be given here: there is no such option`);
};
