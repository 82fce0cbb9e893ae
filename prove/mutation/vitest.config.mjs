import config from "../../vitest.config.ts";

/** The tests of what is mutated. */
const engine = [
  "rotation",
  "refresh-token",
  "access-token",
  "access-token-forgery",
  "access-token-verifier",
  "token-kinds",
  "jwt",
  "ecdsa-signature",
  "anti-csrf",
  "presented-tokens",
].map((name) => `packages/engine/test/${name}.test.ts`);
const node = ["cookie-header", "cookie-changes", "exchange"].map((name) => `packages/node/test/${name}.test.ts`);

export default {
  ...config,
  root: new URL("../..", import.meta.url).pathname,
  test: { ...config.test, include: [...engine, ...node] },
};
