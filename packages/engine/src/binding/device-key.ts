import { createPublicKey, hash } from "node:crypto";
import type { SigningAlgorithm } from "@pawl/storage";
import type { JsonObject } from "../session.js";
import type { VerificationKey } from "../tokens/jwt.js";
import { createTwoGenerations } from "../two-generations.js";

/** The public members of a key, as RFC 7518 section 6 names them. */
export type PublicMembers =
  | { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string }
  | { readonly kty: "RSA"; readonly n: string; readonly e: string };

/** A public key of a browser's device. */
export interface DeviceKey {
  readonly algorithm: SigningAlgorithm;
  readonly jwk: PublicMembers;
}

/** Bits of the smallest RSA key that is taken (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2048;
/** The exponent of every key that a platform makes; a larger one would only cost time. */
const RSA_EXPONENT = "AQAB";
const COORDINATE_BYTES = 32;

/** Whether a text is the one canonical spelling of its bytes. */
const isCanonical = (text: unknown, bytes?: number): text is string => {
  if (typeof text !== "string") return false;
  const read = Buffer.from(text, "base64url");
  return read.toString("base64url") === text && read.length === (bytes ?? read.length);
};

const publicMembers = (jwk: JsonObject, algorithm: SigningAlgorithm): PublicMembers | undefined => {
  const { kty, crv, x, y, n, e } = jwk;
  if (algorithm === "ES256")
    return kty === "EC" && crv === "P-256" && isCanonical(x, COORDINATE_BYTES) && isCanonical(y, COORDINATE_BYTES)
      ? { kty, crv, x, y }
      : undefined;
  return kty === "RSA" && isCanonical(n) && e === RSA_EXPONENT ? { kty, n, e } : undefined;
};

/** The key, ready to verify; undefined for members that are no key. */
const imported = (jwk: PublicMembers): VerificationKey["publicKey"] | undefined => {
  try {
    return createPublicKey({ key: { ...jwk }, format: "jwk" });
  } catch {
    // A point that is not on the curve, above all.
    return undefined;
  }
};

/** By thumbprint: importing a key takes as long as a verification, and a browser uses its own again and again. */
const prepared = createTwoGenerations<string, VerificationKey>({ most: 2048 });

/** Prepares a key to verify with. */
export const verificationKeyOf = ({ algorithm, jwk }: DeviceKey): VerificationKey | undefined => {
  const thumbprint = thumbprintOf(jwk);
  const known = prepared.get(thumbprint);
  if (known !== undefined) return known;
  const publicKey = imported(jwk);
  const key = publicKey && { kid: "", algorithm, publicKey };
  if (key !== undefined) prepared.set(thumbprint, key);
  return key;
};

/**
 * Reads a JWK that came with a proof: a public key of ES256 on P-256, or of RS256 with 2048 bits and more.
 * @returns undefined for any other, and for one with a private member.
 */
export const readDeviceKey = (jwk: unknown, algorithm: SigningAlgorithm): DeviceKey | undefined => {
  if (typeof jwk !== "object" || jwk === null || "d" in jwk) return undefined;
  const members = publicMembers(jwk as JsonObject, algorithm);
  const key = members && imported(members);
  if (members === undefined || key === undefined) return undefined;
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (algorithm === "RS256" && (modulusLength ?? 0) < LEAST_RSA_BITS) return undefined;
  return { algorithm, jwk: members };
};

/** The thumbprint of a key: base64url SHA-256 over its required members in the order of their names (RFC 7638 section 3). */
export const thumbprintOf = (jwk: PublicMembers): string => {
  const ordered =
    jwk.kty === "EC" ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y } : { e: jwk.e, kty: jwk.kty, n: jwk.n };
  return hash("sha256", JSON.stringify(ordered), "base64url");
};
