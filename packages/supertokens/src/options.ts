import type { CoreHost } from "@pawl/node/backend";
import type { TheftAction } from "@pawl/engine";
import type { Clock, SigningAlgorithm, Storage } from "@pawl/storage";
import type { SameSite } from "@pawl/node/http";
import type { Duration } from "./duration.js";
import type { TokenTheft } from "./session-error.js";

/** Attributes of the three cookies; each one left out is what the backend says. Changing any of them logs nobody out. */
export interface CookieOptions {
  /**
   * `documented` unless given: `sAccessToken` and so on. `prefixed`, for new applications: with `__Host-` where the cookie
   * has no domain and the path `/`, else with `__Secure-`; the browser guards these. Without `secure` there is no prefix.
   */
  readonly names?: "documented" | "prefixed" | undefined;
  /**
   * Names of before a change that are still to be read, such as `sRefreshToken`, for as long as such cookies live. Needed where
   * the name in force has a stronger prefix: other hosts of the domain can set cookies of the weaker name.
   */
  readonly alsoRead?: readonly string[] | undefined;
  /** Hosts that get the cookies. Left out: the host that set them, alone. */
  readonly domain?: string | undefined;
  /**
   * The domain before it was changed; `""` for the host alone. Wanted only where a proxy changes the `Host` of requests:
   * otherwise the host tells which domains a cookie left behind can have.
   */
  readonly olderDomain?: string | undefined;
  /** Sent over HTTPS only. In process true unless given; false is for development over plain HTTP. */
  readonly secure?: boolean | undefined;
  /** `none` unless given; without `secure` it becomes `lax`, because browsers drop the cookie otherwise. */
  readonly sameSite?: SameSite | undefined;
  /** Path of the access token cookie; in process `/` unless given. */
  readonly accessTokenPath?: string | undefined;
  /** Path of the API that calls `refreshSession`; in process `/session/refresh` unless given. */
  readonly refreshTokenPath?: string | undefined;
}

/**
 * What stands against requests that another site makes a browser send, where cookies are used: `token` compares the header
 * `anti-csrf`; `header` wants a header that no other site can make the browser send without being allowed to; `fetch-metadata`
 * believes the browser itself, by `Sec-Fetch-Site`, else `Origin`.
 */
export type CsrfMode = "token" | "header" | "fetch-metadata";

/** What both kinds of backend take. */
export interface CommonOptions {
  readonly cookies?: CookieOptions | undefined;
  /** What `doAntiCsrfCheck` compares; `token` unless given. */
  readonly csrf?: CsrfMode | undefined;
  /** Origins of pages that may call, such as `https://app.example.com`, besides the application's own. None unless given. */
  readonly origins?: readonly string[] | undefined;
  /** Whether a page may ask for its tokens in headers instead of cookies; true unless given. */
  readonly headerMode?: boolean | undefined;
  /**
   * Called at once when a refresh of this process finds a stolen token, once per session and hour; `count` says how many
   * refreshes found one since the last call. What it throws becomes a process warning.
   */
  readonly onTokenTheft?: ((theft: TokenTheft & { readonly count: number }) => void | Promise<void>) | undefined;
  /** Takes the place of the machine's clock, in tests. */
  readonly clock?: Clock | undefined;
}

/** The engine in process. Each rule left out has the default of the `config.yaml` key it is named after. */
export interface EmbeddedOptions extends CommonOptions {
  /** Where sessions are kept: `sqlite:./sessions.db`, `memory:`, another storage URL, or an open storage. */
  readonly storage: string | Storage;
  /**
   * Base64 of 32 bytes; several, separated by commas: the first seals in a new store. Unless given: the environment variable
   * `PAWL_MASTER_KEY`, else the file `<database>.key` beside a SQLite database, which is made at the first start.
   */
  readonly masterKey?: string | undefined;
  /** File with the master key or keys, one a line. */
  readonly masterKeyFile?: string | undefined;
  /** File to which each end of a session is written before it is acknowledged, for a restored backup; none unless given. */
  readonly revocationLog?: string | undefined;
  /** `"1h"` unless given. */
  readonly accessTokenValidity?: Duration | undefined;
  /** `"100d"` unless given. */
  readonly refreshTokenValidity?: Duration | undefined;
  /** For how long a repeated refresh is answered with the same successor: `"30s"` unless given, at most `"5m"`. */
  readonly reuseWindow?: Duration | undefined;
  /** `revoke_session` unless given. */
  readonly theftAction?: TheftAction | undefined;
  /** Off unless given. */
  readonly idleTimeout?: Duration | undefined;
  /** Off unless given. */
  readonly absoluteTimeout?: Duration | undefined;
  /** No limit unless given; the least recently refreshed sessions are ended. */
  readonly maxSessionsPerUser?: number | undefined;
  /** True unless given. */
  readonly enableAntiCsrf?: boolean | undefined;
  /** `ES256` unless given. */
  readonly signingAlgorithm?: SigningAlgorithm | undefined;
  /** `"168h"` unless given. */
  readonly signingKeyUpdateInterval?: Duration | undefined;
  /** Ask the database at every verification; false unless given. */
  readonly checkDatabase?: boolean | undefined;
  /** `"90d"` unless given. */
  readonly eventRetention?: Duration | undefined;
}

/** A core or several nodes of one, over HTTP. */
export interface CoreOptions extends CommonOptions {
  /** Hosts, or URLs such as `https://sessions.example.com`. Calls go to each in turn. */
  readonly core: readonly (CoreHost | string)[];
  /** The core's API key, where it asks for one. */
  readonly apiKey?: string | undefined;
  /** How long one host may take to answer; `"5s"` unless given. */
  readonly tryTimeout?: Duration | undefined;
  /** How long a call may take, whatever the number of hosts; `"15s"` unless given. */
  readonly callTimeout?: Duration | undefined;
  /**
   * Whether sessions are taken at their token's word while the feed of revocations is cut for longer than
   * `feedCutAfter`: `trust` (unless given), or `ask` the core at each verification.
   */
  readonly whenFeedIsCut?: "trust" | "ask" | undefined;
  /** `"30s"` unless given. */
  readonly feedCutAfter?: Duration | undefined;
}

export type PawlOptions = EmbeddedOptions | CoreOptions;

/** Which of the two kinds the options are. */
export const isForCore = (options: PawlOptions): options is CoreOptions =>
  (options as Partial<CoreOptions>).core !== undefined;
