import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";

/** What an access token of a session says, in the form every contender signs: the claims of version 5. */
export const claimsOf = (/** @type {number} */ user) => {
  const iat = Math.floor(Date.now() / 1000);
  return {
    sub: `user-${user}`,
    iat,
    exp: iat + 3600,
    sessionHandle: randomUUID(),
    refreshTokenHash1: "0",
    parentRefreshTokenHash1: null,
    antiCsrfToken: null,
    tId: "public",
    rsub: `user-${user}`,
    role: "member",
  };
};

const base64url = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * A key and a signer of JWTs (RFC 7515), used for the contenders that bring no signer of their own.
 * @param {"ES256" | "RS256"} algorithm
 */
export const createSigner = (algorithm) => {
  const { privateKey, publicKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = `d-${Date.now()}`;
  const sign = (/** @type {object} */ claims) => {
    const input = `${base64url({ alg: algorithm, typ: "JWT", version: "5", kid })}.${base64url(claims)}`;
    const signature = createSign("sha256").update(input).sign({ key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
  };
  return {
    sign,
    kid,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig" },
  };
};

/**
 * Hands out the texts in turn, each time as a string made anew from bytes, as a server gets it from its socket: a string
 * seen before would bring its hash code along.
 * @param {string[]} texts
 * @returns {() => string}
 */
export const freshStrings = (texts) => {
  const bytes = texts.map((text) => Buffer.from(text, "latin1"));
  let turn = 0;
  return () => {
    const chosen = /** @type {any} */ (bytes[turn]);
    turn = turn + 1 === bytes.length ? 0 : turn + 1;
    return chosen.latin1Slice(0, chosen.length);
  };
};

/** How many sessions take turns where a token has been seen before. */
export const SEEN_SESSIONS = 1000;
/** How many tokens one pass takes where none has been seen before. */
export const UNSEEN_TOKENS = 2000;
