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
  rotation: engine(["rotation"]),
  "refresh-token": engine(["refresh-token", "anti-csrf"]),
  "presented-tokens": engine(["presented-tokens"]),
  jwt: engine(["jwt", "ecdsa-signature"], ["jwt", "ecdsa-signature", "access-token", "access-token-forgery"]),
  "access-token": engine(
    ["access-token", "access-token-flat", "access-token-nested", "access-token-format"],
    ["access-token", "access-token-verifier"],
  ),
  "access-token-verifier": engine(["access-token-verifier"], ["access-token-verifier", "access-token-forgery"]),
  "application-jwt": engine(["application-jwt"]),
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
