import {
  type DeviceBinding,
  type Policy,
  type PolicyPreset,
  type PolicyRules,
  policyWith,
  type TheftAction,
  areWebhooks,
  type Webhook,
  WEBHOOK_FORM,
} from "@pawl/engine";
import type { SigningAlgorithm, Storage } from "@pawl/storage";
import { type CoreHost, coreUrl } from "../backend/core/core-url.js";
import {
  checkOptions,
  count,
  type Duration,
  duration,
  durationOf,
  either,
  flag,
  list,
  objectWith,
  oneOf,
  option,
  type OptionsOf,
  type OptionTable,
  secret,
  text,
  unshown,
} from "./option.js";

/* What the packages on a backend have in common: `@pawl/node`, and the documented API. */

const isOrigin = (value: unknown): boolean =>
  typeof value === "string" && /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;

const isCore = (value: unknown): boolean => {
  try {
    return coreUrl(value as CoreHost | string) !== undefined;
  } catch {
    return false;
  }
};

/** Pages that may call. */
export const originList = list<string>(
  "a list of origins such as https://app.example.com: scheme, host, no path",
  isOrigin,
);

/** What an engine in this process takes. */
export const engineTable = {
  /** Where sessions are kept, for an engine in this process: a URL such as `sqlite:./sessions.db`, `memory:`, or an open storage. */
  storage: either(unshown(text("a storage URL")), objectWith<Storage>("an open storage", "getSession")),
  /** Base64 of 32 bytes; several, separated by commas: the first seals in a new store. Else `PAWL_MASTER_KEY`, else the file `<database>.key` beside a SQLite database, made at the first start. */
  masterKey: secret("base64 of 32 bytes"),
  /** File with the master key or keys, one a line. */
  masterKeyFile: text("a path"),
  /** File to which each end of a session is written before it is acknowledged, for a restored backup. */
  revocationLog: text("a path"),
  /** How often a session is refreshed. */
  accessTokenValidity: duration('"1h"'),
  /** How long a session lives without being used. */
  refreshTokenValidity: duration('"100d"'),
  /** For how long a repeated refresh gets the same answer. */
  reuseWindow: duration('"30s"'),
  /** What a theft ends. */
  theftAction: oneOf<TheftAction>(["revoke_session", "revoke_user", "report"], "revoke_session"),
  /** Timeouts of NIST SP 800-63B-4: 30 days (AAL1), 24 hours and 1 hour idle (AAL2), 12 hours and 15 minutes idle (AAL3). Longer ones are refused then. */
  preset: oneOf<PolicyPreset>(["nist-aal1", "nist-aal2", "nist-aal3"]),
  /** Ends a session that is not used for this long; off unless given. A client that makes a request in every half of it stays logged in. */
  idleTimeout: duration(undefined),
  /** Ends a session this long after the login, whatever happens; off unless given. */
  absoluteTimeout: duration(undefined),
  /** The least recently refreshed sessions beyond it are ended; no limit unless given. */
  maxSessionsPerUser: count("a whole number, 1 or more"),
  /** The algorithm of access tokens. */
  signingAlgorithm: oneOf<SigningAlgorithm>(["ES256", "RS256"], "ES256"),
  /** How long a signing key signs. */
  signingKeyUpdateInterval: duration('"168h"'),
  /** Asks the database at every verification. */
  checkDatabase: flag(false),
  /** How long events and counts are kept. */
  eventRetention: duration('"90d"'),
  /** Where events are delivered to, at least once and to each in the order of a session, as Standard Webhooks. Takes a storage URL; every process of a storage has to say the same. */
  webhooks: unshown(
    option<readonly Webhook[]>(`a list of ${WEBHOOK_FORM}`, (value) => Array.isArray(value) && areWebhooks(value)),
  ),
} as const satisfies OptionTable;

/** What the client of a core takes. */
export const clientTable = {
  /** A core, or several nodes of one: URLs such as `https://sessions.example.com`. */
  core: unshown(
    list<CoreHost | string>("a list of http(s) URLs or { hostname, port }, without user name and password", isCore, 1),
  ),
  /** The core's API key, where it asks for one. */
  apiKey: secret("visible ASCII characters only: look for a line end or a blank in it", /^[\x21-\x7e]+$/),
  /** How long one host may take to answer. */
  tryTimeout: duration('"5s"', { least: 1 }),
  /** How long a call may take, however many hosts are tried. */
  callTimeout: duration('"15s"', { least: 1 }),
  /** Whether sessions are taken at their token's word while the feed of revocations is cut for longer than `feedCutAfter`. */
  whenFeedIsCut: oneOf(["trust", "ask"], "trust"),
  /** How long the feed may be cut before that counts. */
  feedCutAfter: duration('"30s"'),
} as const satisfies OptionTable;

/** The options of one package. */
export interface OptionTables {
  readonly embedded: OptionTable;
  readonly core: OptionTable;
  readonly cookies: OptionTable;
}

const namesElsewhere = (table: OptionTable, why: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(table).map((name) => [name, why]));

/**
 * Checks the options of one kind of backend against the tables of a package.
 * @throws TypeError for an option that cannot be right.
 */
export const checkBackendOptions = (options: object, { embedded, core, cookies }: OptionTables): void => {
  const given = (options ?? {}) as Readonly<Record<string, unknown>> & { readonly cookies?: object };
  if ((given["storage"] === undefined) === (given["core"] === undefined))
    throw new TypeError('give either a storage, such as "sqlite:./sessions.db", or a core');
  if (given["storage"] === undefined)
    checkOptions(given, core, { elsewhere: namesElsewhere(embedded, "the core's config.yaml says it") });
  else checkOptions(given, embedded, { elsewhere: namesElsewhere(core, "it is for a core") });
  checkOptions({ ...given.cookies }, cookies, { within: "cookies." });
};

type RuleOptions = OptionsOf<typeof engineTable> & {
  readonly enableAntiCsrf?: boolean | undefined;
  readonly longestActing?: Duration | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | readonly string[] | undefined;
  readonly deviceBinding?: DeviceBinding | undefined;
};

/**
 * The rules of the engine that are given; the others at those of `defaults`, else at the engine's.
 * @throws EngineError `invalid_input` for what is out of bounds.
 */
export const policyOf = (options: RuleOptions, defaults: PolicyRules = { enableAntiCsrf: false }): Policy => {
  const durations = [
    "accessTokenValidity",
    "refreshTokenValidity",
    "reuseWindow",
    "idleTimeout",
    "absoluteTimeout",
    "longestActing",
    "signingKeyUpdateInterval",
    "eventRetention",
  ] as const satisfies readonly (keyof Policy)[];
  const others = [
    "preset",
    "theftAction",
    "deviceBinding",
    "maxSessionsPerUser",
    "enableAntiCsrf",
    "signingAlgorithm",
    "checkDatabase",
    "issuer",
  ] as const satisfies readonly (keyof Policy)[];
  const given = [
    ...durations.map((name) => [name, durationOf(options[name])] as const),
    ...others.map((name) => [name, options[name]] as const),
    ["audience", options.audience === undefined ? undefined : [options.audience].flat()] as const,
  ].filter(([, value]) => value !== undefined);
  return policyWith({ ...defaults, ...Object.fromEntries(given) });
};

/** The durations of a core's client in ms, those not given at their defaults. */
export const coreDurations = (
  options: OptionsOf<typeof clientTable>,
): Record<"tryTimeout" | "callTimeout" | "feedCutAfter", number> => {
  const inMs = (name: "tryTimeout" | "callTimeout" | "feedCutAfter"): number =>
    durationOf(options[name] ?? JSON.parse(clientTable[name].default ?? "")) ?? 0;
  return { tryTimeout: inMs("tryTimeout"), callTimeout: inMs("callTimeout"), feedCutAfter: inMs("feedCutAfter") };
};
