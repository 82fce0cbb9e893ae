// A key as a browser keeps it for a session, and the proofs it makes of it (DBSC draft, *DBSC Proof JWT Syntax*).
import { generateKeyPairSync, sign } from "node:crypto";

const encoded = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT of a key. @param {import("node:crypto").KeyObject} key @param {object} header @param {object} claims */
const signedBy = (key, header, claims) => {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
};

export const createDevice = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  /** @type {Map<string, string>} */
  const proofs = new Map();
  return {
    jwk,
    privateKey,
    /** The same one for the same challenge, as browsers send it. */
    proof(/** @type {string} */ challenge) {
      const known = proofs.get(challenge);
      if (known !== undefined) return known;
      const proof = signedBy(privateKey, { alg: "ES256", typ: "dbsc+jwt" }, { jti: challenge });
      if (proofs.size > 1000) proofs.clear();
      proofs.set(challenge, proof);
      return proof;
    },
    /** What a browser sends with a new key. */
    registration: (/** @type {string} */ challenge) =>
      signedBy(privateKey, { alg: "ES256", typ: "dbsc+jwt", jwk }, { jti: challenge }),
  };
};

/** @typedef {ReturnType<typeof createDevice>} Device */
