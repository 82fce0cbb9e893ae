import { type Millis, millis, type SigningAlgorithm } from "@pawl/storage";

/** What happens when a refresh token is used that no honest client could hold any more. */
export type TheftAction = "revoke_session" | "revoke_user" | "report";

/** The rules of one engine. Durations are milliseconds. */
export interface Policy {
  /** 1 h unless said otherwise. */
  readonly accessTokenValidity: Millis;
  /** 100 days unless said otherwise; must exceed `accessTokenValidity`. */
  readonly refreshTokenValidity: Millis;
  /** For how long a repeated refresh is answered with the same successor: 30 s unless said otherwise, 0 to 300 s. */
  readonly reuseWindow: Millis;
  readonly theftAction: TheftAction;
  /**
   * Ends a session that was neither used nor refreshed for so long. Off when absent. Access tokens then live at most half
   * of it, so that whoever is active comes to refresh in time.
   */
  readonly idleTimeout?: Millis;
  /** Ends a session so long after its creation. Off when absent. */
  readonly absoluteTimeout?: Millis;
  /** Live sessions a user may have; the least recently refreshed ones are ended. No limit when absent. */
  readonly maxSessionsPerUser?: number;
  /** Whether new sessions carry an anti-CSRF token and checks compare it. */
  readonly enableAntiCsrf: boolean;
  /** The algorithm of access tokens, but for the token versions 1 and 2, which are always RS256. */
  readonly signingAlgorithm: SigningAlgorithm;
  /** Life of a dynamic signing key: 168 h unless said otherwise. */
  readonly signingKeyUpdateInterval: Millis;
  /** Whether every verification asks the database whether the session is live. */
  readonly checkDatabase: boolean;
  /** How long events are kept: 90 days unless said otherwise. */
  readonly eventRetention: Millis;
}

export const defaultPolicy: Policy = {
  accessTokenValidity: millis(3_600_000),
  refreshTokenValidity: millis(144_000 * 60_000),
  reuseWindow: millis(30_000),
  theftAction: "revoke_session",
  enableAntiCsrf: true,
  signingAlgorithm: "ES256",
  signingKeyUpdateInterval: millis(168 * 3_600_000),
  checkDatabase: false,
  eventRetention: millis(90 * 86_400_000),
};
