import type { Millis, SigningAlgorithm, SigningKeyKind } from "@pawl/storage";

/** A public JSON Web Key (RFC 7517) that verifies access tokens. */
export interface PublicJwk {
  readonly kty: "RSA" | "EC";
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: "sig";
  readonly n?: string;
  readonly e?: string;
  readonly crv?: "P-256";
  readonly x?: string;
  readonly y?: string;
}

/** A JWK set (RFC 7517 section 5). */
export interface KeySet {
  readonly keys: readonly PublicJwk[];
}

/** What may be told of a signing key. */
export interface SigningKeyInformation {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind: SigningKeyKind;
  readonly createdAt: Millis;
  readonly signsFrom: Millis;
  /** `next` is published and will sign; `active` signs; `retired` only verifies. */
  readonly status: "next" | "active" | "retired";
}
