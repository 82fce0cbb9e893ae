/** Why a session is over. */
export type WebEndReason =
  /** The user signed out, here or in another tab. */
  | "signed_out"
  /** A stolen refresh token came back, and the server ended the session. */
  | "token_theft"
  /** The server has no such live session. */
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
  readonly reason?: WebEndReason;
  /** Until when, by `monotonicTime`, a tab is refreshing; only where there are no Web Locks. */
  readonly busyUntil?: number;
  readonly tokens?: HeaderTokens | undefined;
}

export const NOTHING_KNOWN: SharedSession = { generation: 0, endedAt: 0 };

/** A later generation, also after the store has been wiped. */
export const nextGeneration = ({ generation }: SharedSession): number => Math.max(Date.now(), generation + 1);

/** Ms since the epoch when the page was opened, counted on from there steadily, whatever the device's clock does. */
export const monotonicTime = (): number => performance.timeOrigin + performance.now();
