const engine = (sources, tests = sources) => ({
  sources: sources.map((name) => `packages/engine/src/${name}.ts`),
  tests: tests.map((name) => `packages/engine/test/${name}.test.ts`),
});
const node = (sources, tests = sources) => ({
  sources: sources.map((name) => `packages/node/src/${name}.ts`),
  tests: tests.map((name) => `packages/node/test/${name}.test.ts`),
});

/**
 * Rotation, tokens and cookies, each with the tests that are about it. Others notice changes too, but each change is
 * tried with every test of its group: those that start stores and servers would take hours.
 */
export const groups = {
  rotation: engine(["rotation/rotation"]),
  "refresh-token": engine(["tokens/refresh-token", "tokens/anti-csrf"]),
  "presented-tokens": engine(["rotation/presented-tokens"]),
  jwt: engine(
    ["tokens/jwt", "tokens/ecdsa-signature"],
    ["tokens/jwt", "tokens/ecdsa-signature", "tokens/access-token", "verification/access-token-forgery"],
  ),
  "access-token": engine(
    ["tokens/access-token", "tokens/access-token-flat", "tokens/access-token-nested", "tokens/access-token-format"],
    ["tokens/access-token", "verification/access-token-verifier"],
  ),
  "access-token-verifier": engine(
    ["verification/access-token-verifier"],
    ["verification/access-token-verifier", "verification/access-token-forgery"],
  ),
  "application-jwt": engine(["tokens/application-jwt"]),
  cookie: node(["cookie-header", "cookie-name", "cookie-settings"]),
  "cookie-size": node(["cookie-size"]),
  csrf: node(["csrf"]),
  "left-cookies": node(["left-cookies"]),
  "session-cookies": node(["session-cookies"]),
};

/** The group that a run of Stryker is about, as its processes are told. */
export const group = () => {
  const name = process.env.PAWL_MUTATION ?? "";
  const found = groups[name];
  if (found === undefined) throw new Error(`PAWL_MUTATION must be one of ${Object.keys(groups).join(", ")}`);
  return { name, ...found };
};
