/** Why a session is over. */
export type WebEndReason =
  /** The user logged out, here or in another tab. */
  | "logout"
  /** A refresh token came back that no honest client could still hold: somebody holds a copy. */
  | "token_reuse"
  /** It was not used for as long as the server's `idleTimeout`. */
  | "idle"
  /** Its time was over. */
  | "expired"
  /** The application ended it. */
  | "revoked"
  /** An operator ended it. */
  | "revoked_by_admin"
  /** The user logged in on more devices than the server allows. */
  | "session_limit"
  /** The identity provider that the user had logged in through ended that login. */
  | "identity_provider"
  /** Somebody logged in with this browser. */
  | "replaced"
  /** The user's data were erased. */
  | "erased"
  /** The server has no such live session, and did not say why. */
  | "unauthorised";

/** The tokens of header mode. */
export interface HeaderTokens {
  readonly access: string;
  readonly refresh: string;
}

/** What all pages and workers of an origin share of one session. */
export interface SharedSession {
  /** Grows with each change: of two records the greater is the newer one. 0: nothing is known. */
  readonly generation: number;
  /** The generation in which a session last ended: an answer to a request from before that changes nothing. */
  readonly endedAt: number;
  /** The header `front-token`; absent while there is no session. */
  readonly front?: string;
  readonly antiCsrf?: string | undefined;
  /** When the access token ends, by `monotonicTime`. */
  readonly expiresAt?: number;
  /** Why the last session ended. */
  readonly reason?: WebEndReason;
  /** Until when, by `monotonicTime`, a tab is refreshing; only where there are no Web Locks. */
  readonly busyUntil?: number;
  readonly tokens?: HeaderTokens | undefined;
}

export const NOTHING_KNOWN: SharedSession = { generation: 0, endedAt: 0 };

/** A later generation, also after the store has been wiped. */
export const nextGeneration = ({ generation }: SharedSession): number => Math.max(Date.now(), generation + 1);
