import { type JsonObject, type Policy, policyWith, type TheftAction } from "@pawl/engine";
import type { SigningAlgorithm, Storage } from "@pawl/storage";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type CoreHost, coreUrl } from "../backend/core/core-url.js";
import {
  checkOptions,
  count,
  duration,
  durationOf,
  either,
  flag,
  group,
  hook,
  list,
  objectWith,
  oneOf,
  type OptionsOf,
  type OptionTable,
  secret,
  text,
} from "./option.js";
import type { SameSite } from "../http/cookie-header.js";

/** Whose refresh token came back that no honest client could still hold. */
export interface TokenTheft {
  readonly handle: string;
  readonly userId: string;
  /** Refreshes that found it since the last call for this session. */
  readonly count: number;
}

const isOrigin = (value: unknown): boolean =>
  typeof value === "string" && /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;

const isCore = (value: unknown): boolean => {
  try {
    return coreUrl(value as CoreHost | string) !== undefined;
  } catch {
    return false;
  }
};

const isName = (value: unknown): boolean => typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value);

const cookieTable = {
  /** Hosts that get the cookies: this one and all below it. Left out, the safer choice: only the host that sets them. */
  domain: text("a host name", /^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i),
  /** `none` is for pages of other sites, to which many browsers give no cookies: see `headerMode`. */
  sameSite: oneOf<SameSite>(["strict", "lax", "none"], "lax"),
  /** With `/session`, say, no other request carries the refresh cookie: pages use `@pawl/web`, and nothing is refreshed in place. */
  refreshPath: text('a path such as "/session"', /^\/[\x20-\x3a\x3c-\x7e]*$/, '"/"'),
  /** Starts the cookies' names. Applications that share a host need different ones. */
  prefix: text("letters, digits, - and _", /^[\w-]{1,64}$/, '"pawl"'),
  /** Names that the cookies had before a change, still read. */
  alsoRead: list<string>("a list of cookie names", isName),
} as const satisfies OptionTable;

export type CookieOptions = OptionsOf<typeof cookieTable>;

const commonTable = {
  /** The cookies of the session; nothing has to be set. */
  cookies: group<CookieOptions>(),
  /** Where the routes are: `<basePath>/session/refresh` and `<basePath>/signout`. */
  basePath: text('a path such as "/auth"', /^\/[\x21-\x7e]*$/),
  /** Pages that may call, besides the application's own. */
  origins: list<string>("a list of origins such as https://app.example.com: scheme, host, no path", isOrigin),
  /** For pages with the unmodified SDK in cookie mode (run with 20.1.6): cookies by its documented names, `sAccessToken` and `sRefreshToken`, of which the latter goes to `<basePath>/session/refresh` alone. The page refreshes, and a sibling host can plant such cookies. */
  frontend: oneOf(["supertokens-website"]),
  /** Whether clients may have their tokens in headers instead of cookies: for native applications and pages of other sites. */
  headerMode: flag(false),
  /** Called when a refresh of this process finds a stolen token, once per session and hour. */
  onTokenTheft: hook<(theft: TokenTheft) => void | Promise<void>>(),
  /** Takes the place of the machine's clock, in tests: `now()` says the ms since the epoch. */
  clock: objectWith<{ now(): number }>("an object with a method now()", "now"),
} as const satisfies OptionTable;

const embeddedTable = {
  ...commonTable,
  /** Where sessions are kept, for an engine in this process: a URL such as `sqlite:./sessions.db`, `memory:`, or an open storage. */
  storage: either(text("a storage URL"), objectWith<Storage>("an open storage", "getSession")),
  /** Base64 of 32 bytes; several, separated by commas: the first seals in a new store. Else `PAWL_MASTER_KEY`, else the file `<database>.key` beside a SQLite database, made at the first start. */
  masterKey: secret("base64 of 32 bytes"),
  /** File with the master key or keys, one a line. */
  masterKeyFile: text("a path"),
  /** File to which each end of a session is written before it is acknowledged, for a restored backup. */
  revocationLog: text("a path"),
  /** How long a payload can be old, and how often a session is refreshed. */
  accessTokenValidity: duration('"1h"'),
  /** How long a session lives without being used. */
  refreshTokenValidity: duration('"100d"'),
  /** For how long a repeated refresh gets the same answer. */
  reuseWindow: duration('"30s"'),
  /** What a theft ends. */
  theftAction: oneOf<TheftAction>(["revoke_session", "revoke_user", "report"], "revoke_session"),
  /** Ends a session that is not used for so long; off unless given. A client that asks in every half of it stays. */
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
  /** How long events are kept. */
  eventRetention: duration('"90d"'),
} as const satisfies OptionTable;

const coreTable = {
  ...commonTable,
  /** A core, or several nodes of one: URLs such as `https://sessions.example.com`. */
  core: list<CoreHost | string>("a list of http(s) URLs, without user name and password", isCore, 1),
  /** The core's API key, where it asks for one. */
  apiKey: secret("visible ASCII characters only: look for a line end or a blank in it", /^[\x21-\x7e]+$/),
  /** How long one host may take to answer. */
  tryTimeout: duration('"5s"'),
  /** How long a call may take, however many hosts are tried. */
  callTimeout: duration('"15s"'),
  /** Whether sessions are taken at their token's word while the feed of revocations is cut for longer than `feedCutAfter`. */
  whenFeedIsCut: oneOf(["trust", "ask"], "trust"),
  /** How long the feed may be cut before that counts. */
  feedCutAfter: duration('"30s"'),
} as const satisfies OptionTable;

/** All options, for the reference page. */
export const optionTables = { embedded: embeddedTable, core: coreTable, cookies: cookieTable } as const;

/** Schemas of what an application keeps in a session (Standard Schema: zod, valibot, arktype and others). */
interface ShapeOptions<
  Payload extends object,
  Data extends object,
  PayloadInput extends object,
  DataInput extends object,
> {
  /** Of the payload, which access tokens carry: every verifier knows it. */
  readonly payload?: StandardSchemaV1<PayloadInput, Payload> | undefined;
  /** Of the data, which stay on the server. */
  readonly data?: StandardSchemaV1<DataInput, Data> | undefined;
}

type Required<Options, Name extends keyof Options> = Options & {
  readonly [Key in Name]-?: Exclude<Options[Key], undefined>;
};

/** The engine in this process. */
export type EmbeddedOptions = Required<OptionsOf<typeof embeddedTable>, "storage">;
/** A core, over HTTP. */
export type CoreOptions = Required<OptionsOf<typeof coreTable>, "core">;

export type PawlOptions<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
  PayloadInput extends object = Payload,
  DataInput extends object = Data,
> = (EmbeddedOptions | CoreOptions) & ShapeOptions<Payload, Data, PayloadInput, DataInput>;

export type BackendOptions = EmbeddedOptions | CoreOptions;

export const isForCore = (options: BackendOptions): options is CoreOptions =>
  (options as Partial<CoreOptions>).core !== undefined;

const namesElsewhere = (table: OptionTable, why: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(table).map((name) => [name, why]));

/** @throws TypeError for an option that cannot be right. */
export const checkPawlOptions = (options: BackendOptions): void => {
  const { storage, core } = (options ?? {}) as { readonly storage?: unknown; readonly core?: unknown };
  if ((storage === undefined) === (core === undefined))
    throw new TypeError('give either a storage, such as "sqlite:./sessions.db", or a core');
  if (isForCore(options))
    checkOptions(options, coreTable, { elsewhere: namesElsewhere(embeddedTable, "the core's config.yaml says it") });
  else checkOptions(options, embeddedTable, { elsewhere: namesElsewhere(coreTable, "it is for a core") });
  checkOptions(options.cookies ?? {}, cookieTable, { within: "cookies." });
  if (options.frontend !== undefined && options.cookies?.prefix !== undefined)
    throw new TypeError("cookies.prefix cannot be given here: frontend gives the cookies their names");
  if (!isForCore(options)) policyOf(options);
};

/**
 * The rules of the engine, the others at their defaults.
 * @throws TypeError for what is out of bounds.
 */
export const policyOf = (options: EmbeddedOptions): Policy => {
  const durations = [
    "accessTokenValidity",
    "refreshTokenValidity",
    "reuseWindow",
    "idleTimeout",
    "absoluteTimeout",
    "signingKeyUpdateInterval",
    "eventRetention",
  ] as const satisfies readonly (keyof Policy)[];
  const others = [
    "theftAction",
    "maxSessionsPerUser",
    "signingAlgorithm",
    "checkDatabase",
  ] as const satisfies readonly (keyof Policy)[];
  const given = [
    ...durations.map((name) => [name, durationOf(options[name])] as const),
    ...others.map((name) => [name, options[name]] as const),
  ].filter(([, value]) => value !== undefined);
  try {
    return policyWith({ enableAntiCsrf: false, ...Object.fromEntries(given) });
  } catch (cause) {
    throw new TypeError((cause as Error).message, { cause });
  }
};

/** The durations of a core's client in ms, those not given at their defaults. */
export const coreDurations = (options: CoreOptions): Record<"tryTimeout" | "callTimeout" | "feedCutAfter", number> => {
  const inMs = (name: "tryTimeout" | "callTimeout" | "feedCutAfter"): number =>
    durationOf(options[name] ?? JSON.parse(coreTable[name].default ?? "")) ?? 0;
  return { tryTimeout: inMs("tryTimeout"), callTimeout: inMs("callTimeout"), feedCutAfter: inMs("feedCutAfter") };
};
