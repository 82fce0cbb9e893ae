import { verify as verifySignature } from "node:crypto";
import { createVerifier } from "fast-jwt";
import { createLocalJWKSet, jwtVerify } from "jose";
import { claimsOf, createSigner, freshStrings, SEEN_SESSIONS, UNSEEN_TOKENS } from "./access-tokens.mjs";

const signTokens = (/** @type {{ sign: (claims: object) => string }} */ signer, /** @type {number} */ count) =>
  Array.from({ length: count }, (_, user) => signer.sign(claimsOf(user)));

/**
 * jose `jwtVerify` with a key set in memory, as its documentation shows it. It keeps no results: first time is every time.
 * @param {{ algorithm: "ES256" | "RS256" }} settings
 */
export const jose = ({ algorithm }) => {
  const signer = createSigner(algorithm);
  const keys = createLocalJWKSet({ keys: [signer.jwk] });
  const next = freshStrings(signTokens(signer, SEEN_SESSIONS));
  return {
    pass: async () => {
      for (let i = 0; i < 200; i++) {
        const { payload } = await jwtVerify(next(), keys, { algorithms: [algorithm] });
        if (payload.sub === undefined) throw new Error("no user");
      }
      return 200;
    },
  };
};

/** fast-jwt with its cache of results, which holds every token used here. */
export const fastJwtCached = () => {
  const signer = createSigner("ES256");
  const key = signer.publicKey.export({ type: "spki", format: "pem" });
  const verify = createVerifier({ key, algorithms: ["ES256"], cache: SEEN_SESSIONS * 2, cacheTTL: 3_600_000 });
  const next = freshStrings(signTokens(signer, SEEN_SESSIONS));
  return {
    pass: () => {
      for (let i = 0; i < 1000; i++) if (verify(next()).sub === undefined) throw new Error("no user");
      return 1000;
    },
  };
};

/** The least a cached verification can be: a map keyed by the end of the token, the whole compared, and the expiry. */
export const mapHit = () => {
  const tokens = signTokens(createSigner("ES256"), SEEN_SESSIONS);
  const exp = Date.now() + 3_600_000;
  const seen = new Map(tokens.map((token, user) => [token.slice(-32), { token, exp, userId: `user-${user}` }]));
  const next = freshStrings(tokens);
  return {
    pass: () => {
      for (let i = 0; i < 5000; i++) {
        const token = next();
        const found = seen.get(token.slice(-32));
        if (found === undefined || found.token !== token || found.exp <= Date.now()) throw new Error("not seen");
      }
      return 5000;
    },
  };
};

/**
 * Nothing but the signature check of `node:crypto`, with a prepared key and from prepared bytes.
 * @param {{ algorithm: "ES256" | "RS256" }} settings
 */
export const rawSignature = ({ algorithm }) => {
  const { publicKey, ...signer } = createSigner(algorithm);
  const key = /** @type {const} */ ({ key: publicKey, dsaEncoding: "ieee-p1363" });
  const parts = signTokens(signer, UNSEEN_TOKENS).map((token) => {
    const end = token.lastIndexOf(".");
    return { input: Buffer.from(token.slice(0, end)), signature: Buffer.from(token.slice(end + 1), "base64url") };
  });
  return {
    pass: () => {
      for (const { input, signature } of parts)
        if (!verifySignature("sha256", input, key, signature)) throw new Error("bad signature");
      return parts.length;
    },
  };
};
