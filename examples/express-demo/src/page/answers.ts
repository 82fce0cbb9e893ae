import type { WebEndReason } from "./pawl-web/index.js";

// What server and page of the demo have to agree on. Times are milliseconds since the epoch.

/** Where the application refreshes for clients that ask it to. */
export const refreshPath = "/session/refresh";

/** How this demo was started. */
export interface DemoSettings {
  readonly mode: "core" | "embedded";
  /** Where the sessions are decided and kept, for a person. */
  readonly backend: string;
  /** Whether it is served over https, so that browsers bind their sessions. */
  readonly https: boolean;
  /** Life of an access token, seconds. */
  readonly accessLifetime: number;
  /** For how long a repeated refresh gets the same successor, seconds. */
  readonly reuseWindow: number;
  /** How long a session lives without being used, minutes. */
  readonly idleMinutes: number;
}

/** An access token taken apart, for looking at; nothing here was verified. */
export interface AccessTokenView {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly userId: string;
  readonly handle: string;
  /** Place in the lineage of the refresh token that was issued together with it. */
  readonly seq: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What the HttpOnly cookies of a browser hold. Never a whole token. */
export interface CookieView {
  /** The server's clock, so that the page can count down whatever its own clock says. */
  readonly now: number;
  readonly accessToken?: AccessTokenView | undefined;
  /** The first eight hex digits of the refresh token's SHA-256. */
  readonly refreshFingerprint?: string | undefined;
}

/** What the thief's jar holds after copying. */
export interface StolenAnswer {
  readonly jar: string;
  readonly fingerprint: string;
}

/** How a request of the thief's was answered. */
export interface ThiefAnswer {
  readonly status: number;
  readonly code?: SessionErrorCode | undefined;
  readonly message: string;
  /** What the thief's jar holds now. */
  readonly holds?: { readonly seq: number; readonly fingerprint: string; readonly issuedAt: number };
}

/** Why the application did not answer a call. */
export type SessionErrorCode =
  | "TRY_REFRESH"
  | "UNAUTHORISED"
  | "TOKEN_THEFT"
  | "FORBIDDEN"
  | "STEP_UP"
  | "CSRF"
  | "UNKNOWN";

/** What a session allows, in its payload. */
export type Role = "editor" | "reader";

/** What the application answers. */
export interface ApplicationAnswer {
  readonly message?: string | undefined;
  /** After a logout: how many sessions ended. */
  readonly ended?: number | undefined;
  /** Present with an error. */
  readonly code?: SessionErrorCode | undefined;
  /** Why the session ended. */
  readonly reason?: WebEndReason | undefined;
}
