import { createVerifier } from "@pawl/verify";
import { createLocalJWKSet, jwtVerify } from "jose";

/**
 * Verifies all of these tokens once per call, one after the other. Bundled, it runs unchanged in every runtime.
 * @typedef {{ tokens: readonly string[], keys: { keys: object[] } }} Given
 * @type {Record<"first" | "seen" | "jose", (given: Given) => () => Promise<void>>}
 */
export const ways = {
  /** A verifier that has seen none of them. */
  first: (given) => async () => verifyAll(createVerifier({ keys: given.keys }), given.tokens),
  seen: (given) => {
    const verifier = createVerifier({ keys: given.keys });
    return () => verifyAll(verifier, given.tokens);
  },
  /** As its documentation shows it. It keeps no results. */
  jose: ({ tokens, keys }) => {
    const keySet = createLocalJWKSet(/** @type {any} */ (keys));
    return async () => {
      for (const token of tokens) {
        const { payload } = await jwtVerify(token, keySet, { algorithms: ["ES256"] });
        if (payload.sub === undefined) throw new Error("no user");
      }
    };
  },
};

const verifyAll = async (
  /** @type {import("@pawl/verify").Verifier<object>} */ verifier,
  /** @type {readonly string[]} */ tokens,
) => {
  for (const token of tokens) {
    const found = await verifier.verify(token);
    if (found.kind !== "valid") throw new Error(found.why);
  }
};
