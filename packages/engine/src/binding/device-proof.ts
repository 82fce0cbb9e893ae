import type { SigningAlgorithm } from "@pawl/storage";
import { decodeJsonObject, type JwtParts, splitJwt, verifyJwt } from "../tokens/jwt.js";
import type { JsonObject } from "../session.js";
import { type DeviceKey, readDeviceKey, verificationKeyOf } from "./device-key.js";

/** Characters of the longest proof that is read. */
const LONGEST = 4096;
const TYPE = "dbsc+jwt";
const ALGORITHMS: readonly unknown[] = ["ES256", "RS256"] satisfies readonly SigningAlgorithm[];

/** A proof that has the form of one. */
interface ReadProof {
  readonly parts: JwtParts;
  readonly header: JsonObject;
  readonly algorithm: SigningAlgorithm;
  /** What the browser was given to sign. */
  readonly challenge: string;
}

/** What a browser sends to prove its key: a JWT of the type `dbsc+jwt` (DBSC draft, *DBSC Proof JWT Syntax*). */
const readProof = (proof: unknown): ReadProof | undefined => {
  const parts = typeof proof === "string" && proof.length <= LONGEST ? splitJwt(proof) : undefined;
  if (parts === undefined) return undefined;
  const header = decodeJsonObject(parts.header, "base64url");
  const { jti } = decodeJsonObject(parts.payload, "base64url") ?? {};
  // What `crit` names would have to be understood (RFC 7515 section 4.1.11).
  if (header === undefined || header["typ"] !== TYPE || "crit" in header || typeof jti !== "string") return undefined;
  const { alg } = header;
  return ALGORITHMS.includes(alg) ? { parts, header, algorithm: alg as SigningAlgorithm, challenge: jti } : undefined;
};

const isSignedBy = (key: DeviceKey, { parts, algorithm }: ReadProof): boolean => {
  const verificationKey = algorithm === key.algorithm ? verificationKeyOf(key) : undefined;
  return verificationKey !== undefined && verifyJwt(parts, verificationKey, "base64url");
};

/** What a key has signed; undefined for everything that is no proof of this key. No key may come with it: it is known. */
export const challengeSigned = (proof: unknown, key: DeviceKey): string | undefined => {
  const read = readProof(proof);
  return read !== undefined && !("jwk" in read.header) && isSignedBy(key, read) ? read.challenge : undefined;
};

/** A key that proves itself, and what it has signed; undefined where it does not, or is none that is taken. */
export const keyRegistered = (proof: unknown): { readonly key: DeviceKey; readonly challenge: string } | undefined => {
  const read = readProof(proof);
  const key = read && readDeviceKey(read.header["jwk"], read.algorithm);
  return read !== undefined && key !== undefined && isSignedBy(key, read)
    ? { key, challenge: read.challenge }
    : undefined;
};
