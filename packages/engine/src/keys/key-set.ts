import { createPublicKey } from "node:crypto";
import type { Millis, SigningAlgorithm, SigningKeyKind } from "@pawl/storage";
import type { VerificationKey } from "../tokens/jwt.js";

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

/** What may be shown of a signing key. */
export interface SigningKeyInformation {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind: SigningKeyKind;
  readonly createdAt: Millis;
  readonly signsFrom: Millis;
  /** `next` is published and will sign; `active` signs; `retired` only verifies. */
  readonly status: "next" | "active" | "retired";
}

/** A signing key with its public half. */
export interface PublicSigningKey extends SigningKeyInformation {
  /** Base64 of the DER SPKI key, on one line. */
  readonly publicKey: string;
}

const publicJwk = ({ kid, algorithm, publicKey }: VerificationKey): PublicJwk =>
  ({ kid, alg: algorithm, use: "sig", ...publicKey.export({ format: "jwk" }) }) as PublicJwk;

/** The JWK set of verification keys, in their order; `algorithm` narrows. */
export const createKeySet = (keys: readonly VerificationKey[], algorithm?: SigningAlgorithm): KeySet => ({
  keys: keys.filter((key) => algorithm === undefined || key.algorithm === algorithm).map(publicJwk),
});

const MINIMUM_RSA_BITS = 2048;

const verificationKeyFromJwk = (jwk: unknown): VerificationKey | undefined => {
  if (typeof jwk !== "object" || jwk === null) return undefined;
  const { kid, alg, kty, crv, use, n, e, x, y } = jwk as Partial<Record<keyof PublicJwk, unknown>>;
  if (typeof kid !== "string" || (use !== undefined && use !== "sig")) return undefined;
  const isEc = kty === "EC" && crv === "P-256" && (alg === undefined || alg === "ES256");
  const isRsa = kty === "RSA" && (alg === undefined || alg === "RS256");
  if (!isEc && !isRsa) return undefined;
  try {
    const key = (isEc ? { kty, crv, x, y } : { kty, n, e }) as Record<string, string>;
    const publicKey = createPublicKey({ key, format: "jwk" });
    if (isRsa && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < MINIMUM_RSA_BITS) return undefined;
    return {
      kid,
      algorithm: isEc ? "ES256" : "RS256",
      kind: kid.startsWith("d-") ? "dynamic" : "static",
      publicKey,
    };
  } catch {
    return undefined;
  }
};

/**
 * The verification keys of a JWK set that came over the network: RSA of 2048 bits or more and EC P-256 for signatures.
 * Other members are passed over, as RFC 7517 section 5 asks; of two with one `kid` the first counts.
 * @example verifier.setKeys(verificationKeysFromJwks(await (await fetch(jwksUrl)).json()));
 */
export const verificationKeysFromJwks = (keySet: KeySet): readonly VerificationKey[] => {
  const keys = new Map<string, VerificationKey>();
  for (const jwk of Array.isArray(keySet?.keys) ? keySet.keys : []) {
    const key = verificationKeyFromJwk(jwk);
    if (key !== undefined && !keys.has(key.kid)) keys.set(key.kid, key);
  }
  return [...keys.values()];
};
