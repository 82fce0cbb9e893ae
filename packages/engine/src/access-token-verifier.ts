import type { SessionHandle, VerifyInput, VerifyOutcome } from "./session.js";

/** Verifies access tokens without I/O; knows keys and revoked sessions only as far as it was told. */
export interface AccessTokenVerifier {
  /** Size, form, key, signature, `typ`, structure, expiry, anti-CSRF, revocation, in this order (DESIGN 5). */
  verify(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
  /** Marks a session as revoked for one access token lifetime. */
  markRevoked(handle: SessionHandle, at: number): void;
}
