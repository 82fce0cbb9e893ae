/**
 * - `invalid_input`: an argument is not what the method takes; nothing was changed
 * - `protected_claim`: the payload holds a claim that is the token's own; nothing was changed
 * - `tenant_unknown`: the tenant was not made, or was removed; nothing was changed
 * - `acting`: the session acts for another user, which the wanted form of access token cannot say
 * - `payload_too_large`: the payload or the data of a session exceeds its limit; the message states the sizes
 * - `master_key_missing`: no master key was given, or the file of one is gone while sessions depend on it
 * - `master_key_invalid`: what was given is no list of base64 keys of 32 bytes with distinct ids
 * - `master_key_wrong`: the store was made with another master key
 * - `signing_key_missing`: no signing key of the wanted algorithm and kind was made yet
 * - `signing_key_corrupt`: a stored signing key, or the key of an imported core, was changed, or cannot be read
 */
export type EngineErrorCode =
  | "invalid_input"
  | "protected_claim"
  | "tenant_unknown"
  | "acting"
  | "payload_too_large"
  | "master_key_missing"
  | "master_key_invalid"
  | "master_key_wrong"
  | "signing_key_missing"
  | "signing_key_corrupt";

/** Misuse or a wrong set-up of the engine. Never an answer about a session, never holds a secret. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
