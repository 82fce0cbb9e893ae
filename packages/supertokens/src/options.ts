import {
  checkBackendOptions,
  checkOptions,
  clientTable,
  engineTable,
  flag,
  group,
  hook,
  list,
  objectWith,
  oneOf,
  type OptionsOf,
  originList,
  policyOf,
  text,
  unshown,
  type WithRequired,
} from "@pawl/node/backend";
import type { SameSite } from "@pawl/node/http";
import type { Clock } from "@pawl/storage";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { asSessionError, generalError, type TokenTheft } from "./session-error.js";

const DOMAIN = /^\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const cookieNames = [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE].flatMap(namesOf);

const yesOrNo = (standard: boolean) => unshown(flag(standard));

/** RFC 6265 section 4.1.1: any character but controls and `;`. */
const cookiePath = (standard: string) =>
  text('a path that starts with / and holds neither ";" nor control characters', /^\/[\x20-\x3a\x3c-\x7e]*$/, standard);

const cookieTable = {
  /**
   * `documented` unless given: `sAccessToken` and so on. `prefixed`, for new applications: with `__Host-` where the cookie
   * has no domain and the path `/`, else with `__Secure-`; the browser guards these. Without `secure` there is no prefix.
   */
  names: oneOf(["documented", "prefixed"], "documented"),
  /**
   * Names of before a change that are still to be read, such as `sRefreshToken`, for as long as such cookies live. Needed where
   * the name in force has a stronger prefix: other hosts of the domain can set cookies of the weaker name.
   */
  alsoRead: list<string>('a list of names such as "sRefreshToken"', (name) => cookieNames.includes(String(name))),
  /** Hosts that get the cookies. Left out: the host that set them, alone. */
  domain: text("a host name", DOMAIN),
  /**
   * The domain before it was changed; `""` for the host alone. Wanted only where a proxy changes the `Host` of requests:
   * otherwise the host tells which domains a cookie left behind can have.
   */
  olderDomain: text("a host name", new RegExp(`^$|${DOMAIN.source}`)),
  /** Sent over HTTPS only. In process true unless given; false is for development over plain HTTP. */
  secure: yesOrNo(true),
  /** `none` unless given; without `secure` it becomes `lax`, because browsers drop the cookie otherwise. */
  sameSite: oneOf<SameSite>(["strict", "lax", "none"], "none"),
  /** Path of the access token cookie; in process `/` unless given. */
  accessTokenPath: cookiePath('"/"'),
  /** Path of the API that calls `refreshSession`; in process `/session/refresh` unless given. */
  refreshTokenPath: cookiePath('"/session/refresh"'),
} as const;

/** Attributes of the three cookies; each one left out is what the backend says. Changing any of them logs nobody out. */
export type CookieOptions = OptionsOf<typeof cookieTable>;

/**
 * What stands against requests that another site makes a browser send, where cookies are used: `token` compares the header
 * `anti-csrf`; `header` wants a header that no other site can make the browser send without being allowed to; `fetch-metadata`
 * believes the browser itself, by `Sec-Fetch-Site`, else `Origin`.
 */
export type CsrfMode = "token" | "header" | "fetch-metadata";

const commonTable = {
  /** Attributes of the three cookies. */
  cookies: group<CookieOptions>(),
  /** What `doAntiCsrfCheck` compares; `token` unless given. */
  csrf: oneOf<CsrfMode>(["token", "header", "fetch-metadata"], "token"),
  /** Origins of pages that may call, such as `https://app.example.com`, besides the application's own. None unless given. */
  origins: originList,
  /** Whether a page may ask for its tokens in headers instead of cookies; true unless given. */
  headerMode: yesOrNo(true),
  /**
   * Called at once when a refresh of this process finds a stolen token, once per session and hour; `count` says how many
   * refreshes found one since the last call. What it throws becomes a process warning.
   */
  onTokenTheft: hook<(theft: TokenTheft & { readonly count: number }) => void | Promise<void>>(),
  /** Takes the place of the machine's clock, in tests. */
  clock: objectWith<Clock>("an object with a method now()", "now"),
} as const;

/** What both kinds of backend take. */
export type CommonOptions = OptionsOf<typeof commonTable>;

export const optionTables = {
  embedded: {
    ...commonTable,
    ...engineTable,
    /** Whether sessions carry an anti-CSRF token; true unless given. */
    enableAntiCsrf: yesOrNo(true),
    /** Ask the database at every verification; false unless given. */
    checkDatabase: yesOrNo(false),
  },
  core: { ...commonTable, ...clientTable },
  cookies: cookieTable,
} as const;

/** The engine in process. Each rule left out has the default of the `config.yaml` key it is named after. */
export type EmbeddedOptions = WithRequired<OptionsOf<typeof optionTables.embedded>, "storage">;

/** A core or several nodes of one, over HTTP. */
export type CoreOptions = WithRequired<OptionsOf<typeof optionTables.core>, "core">;

export type PawlOptions = EmbeddedOptions | CoreOptions;

/** Which of the two kinds the options are. */
export const isForCore = (options: PawlOptions): options is CoreOptions =>
  (options as Partial<CoreOptions>).core !== undefined;

const told = (check: () => void): void => {
  try {
    check();
  } catch (error) {
    throw asSessionError(error);
  }
};

/** @throws SessionError `GENERAL_ERROR` for an option that cannot be right. */
export const checkPawlOptions = (options: PawlOptions): void => {
  const { core } = (options ?? {}) as { readonly core?: unknown };
  if (core !== undefined && !(Array.isArray(core) && core.length > 0))
    throw generalError("Please provide at least one Pawl core's address");
  told(() => {
    checkBackendOptions(options, optionTables);
    if (!isForCore(options)) policyOf(options, {});
  });
};

/**
 * Refuses what could not stand in a `Set-Cookie` line, or would end its attribute.
 * @throws SessionError `GENERAL_ERROR` naming the option.
 */
export const checkCookieOptions = (options: CookieOptions): void =>
  told(() => checkOptions(options, cookieTable, { within: "cookies." }));
