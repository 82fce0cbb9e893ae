import { type KeyObject, sign, verify } from "node:crypto";
import type { SigningAlgorithm, SigningKeyKind } from "@pawl/storage";
import { derFromJose, joseFromDer } from "./ecdsa-signature.js";
import type { JsonObject } from "../session.js";

/** A public key that verifies tokens. Its algorithm is its own: no token can choose another (RFC 8725 section 3.1). */
export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind?: SigningKeyKind;
  readonly publicKey: KeyObject;
}

/** The three encoded parts of a JWS in compact serialisation (RFC 7515 section 7.1). */
export interface JwtParts {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** Header, dot, payload: what is signed. */
  readonly signed: string;
}

/** @returns undefined when there are not exactly three parts. Reads no further than the third dot. */
export const splitJwt = (token: string): JwtParts | undefined => {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first < 0 || second < 0 || token.includes(".", second + 1)) return undefined;
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
    signed: token.slice(0, second),
  };
};

/** @returns undefined for anything but a JSON object. A member `__proto__` is a plain member. */
export const decodeJsonObject = (part: string, encoding: "base64" | "base64url"): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, encoding).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
};

/**
 * The signature of a text: ECDSA as the two numbers of RFC 7518 section 3.4, RSASSA-PKCS1-v1_5 of section 3.3.
 *
 * Here and below the key stands alone and never in an options object, although Node could then write and read the two
 * numbers itself: to find out that such an object is no key, Node 24 throws and catches errors, 30 µs a signature.
 */
export const signJwt = (
  signed: string,
  { algorithm, privateKey }: { readonly algorithm: SigningAlgorithm; readonly privateKey: KeyObject },
): Buffer => {
  const signature = sign("sha256", Buffer.from(signed), privateKey);
  return algorithm === "ES256" ? joseFromDer(signature) : signature;
};

/**
 * Whether the signature is the key's, in its one canonical spelling (the decoder is lenient).
 * The text is taken as UTF-8: a narrower reading would let other characters stand for those that were signed.
 */
export const verifyJwt = (
  parts: Pick<JwtParts, "signed" | "signature">,
  { algorithm, publicKey }: VerificationKey,
  encoding: "base64" | "base64url",
): boolean => {
  const bytes = Buffer.from(parts.signature, encoding);
  if (bytes.toString(encoding) !== parts.signature) return false;
  const signature = algorithm === "ES256" ? derFromJose(bytes) : bytes;
  return signature !== undefined && verify("sha256", Buffer.from(parts.signed), publicKey, signature);
};
