import type { Clock, Millis } from "@pawl/storage";
import type { VerificationKey } from "./jwt.js";
import type { AccessTokenClaims, SessionHandle, VerifyInput, VerifyOutcome } from "./session.js";

/** Verifies access tokens without I/O; knows keys and revoked sessions only as far as it was told. */
export interface AccessTokenVerifier {
  /** Size, form, key, signature, `typ`, structure, expiry, anti-CSRF, revocation, in this order (DESIGN 5). */
  verify(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
  /** Marks a session as revoked for one access token lifetime. */
  markRevoked(handle: SessionHandle, at: number): void;
}

/** What a token says, once its signature and structure were checked, and nothing else. */
export type AuthenticateOutcome =
  | { readonly kind: "authentic"; readonly claims: AccessTokenClaims }
  | Extract<VerifyOutcome, { kind: "try_refresh" }>;

/** A verifier as its owner sees it, who has to tell it the keys. */
export interface KeyedAccessTokenVerifier extends AccessTokenVerifier {
  /** Replaces the keys. Tokens of a key that is gone are refused from now on, also those seen before. */
  setKeys(keys: readonly VerificationKey[]): void;
  /** Signature and structure only: whatever the time, for regenerating. */
  authenticate(accessToken: string): AuthenticateOutcome;
  /** As `verify`, but for the revocation. */
  verifyIgnoringRevocation(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
}

export interface AccessTokenVerifierOptions {
  readonly clock: Clock;
  readonly keys?: readonly VerificationKey[];
  /** How long access tokens live at most: for so long a revoked session is remembered. */
  readonly accessTokenValidity: Millis;
  /** Whether `doAntiCsrfCheck` has an effect where the input does not say. */
  readonly enableAntiCsrf: boolean;
  /** Bounds the memory of verified tokens, by the characters of the tokens; 16 million unless given. */
  readonly cacheCharacters?: number;
}

export const createAccessTokenVerifier = (options: AccessTokenVerifierOptions): KeyedAccessTokenVerifier => {
  void options;
  throw new Error("the verifier is not there yet");
};
