import { existsSync } from "node:fs";

/** The files of a package with its tests; a group of files that have moved would mutate nothing, and say nothing. */
const filesOf =
  (/** @type {string} */ name) =>
  (/** @type {string[]} */ sources, tests = sources) => {
    const group = {
      sources: sources.map((file) => `packages/${name}/src/${file}.ts`),
      tests: tests.map((file) => `packages/${name}/test/${file}.test.ts`),
    };
    for (const file of Object.values(group).flat())
      if (!existsSync(new URL(`../../${file}`, import.meta.url)))
        throw new Error(`${file}, which is to be mutated, is not there`);
    return group;
  };
const storage = filesOf("storage");
const engine = filesOf("engine");
const node = filesOf("node");
const protocol = filesOf("protocol");
const supertokens = filesOf("supertokens");
const core = filesOf("core");
const web = filesOf("web");
const inServer = (/** @type {string[]} */ sources, tests = sources) =>
  core(
    sources.map((file) => `server/${file}`),
    tests.map((file) => `server/${file}`),
  );

/**
 * Rotation, tokens, cookies, the browser SDK, the core's server and our API, each with the tests that are about it. Others
 * notice changes too, but each change is tried with every test of its group: those that start stores and browsers would
 * take hours. `limits.ts`, a table of numbers, is left out.
 */
export const groups = {
  rotation: storage(["rotation"]),
  "refresh-token": engine(["tokens/refresh-token", "tokens/anti-csrf"]),
  "presented-tokens": engine(["rotation/presented-tokens"]),
  jwt: engine(
    ["tokens/jwt", "tokens/ecdsa-signature"],
    ["tokens/jwt", "tokens/ecdsa-signature", "tokens/access-token", "verification/access-token-forgery"],
  ),
  "access-token": engine(
    ["access-token", "access-token-flat", "access-token-nested", "access-token-pawl", "access-token-format"].map(
      (file) => `tokens/${file}`,
    ),
    ["tokens/access-token", "verification/access-token-verifier"],
  ),
  "access-token-verifier": engine(
    ["verification/access-token-verifier", "revocation/session-marks", "revocation/change-feed"],
    ["verification/access-token-verifier", "verification/access-token-forgery", "revocation/session-marks"],
  ),
  facts: engine(["sessions/facts", "sessions/acting"], ["sessions/acting", "sessions/step-up"]),
  changes: engine(["sessions/token-changes"], ["sessions/acting", "sessions/step-up", "revocation/feeds"]),
  presets: engine(["policy"]),
  revocation: engine(
    ["revocation/revocation", "revocation/followed-feed"],
    ["revocation/revocation", "revocation/feeds", "engine-life"],
  ),
  "application-jwt": engine(["tokens/application-jwt"]),
  cookie: node(["http/cookie-header"]),
  "browser-request": protocol(["cookie-values"]),
  "cookie-size": node(["http/cookie-size"]),
  "step-up": node(["options/conditions", "http/step-up", "sessions/requirement"], ["stepping-up", "acting"]),
  "payload-source": node(["sessions/payload-source"], ["payload-sources", "acting"]),
  "cookie-settings": supertokens(["cookie-name", "cookie-settings"]),
  csrf: supertokens(["csrf"]),
  "left-cookies": supertokens(["left-cookies"]),
  "session-cookies": supertokens(["session-cookies"]),
  web: web(
    ["events", "front-token", "header", "index", "record-store", "refresh"].concat([
      "session-fetch",
      "session-state",
      "shared-session",
      "snapshot",
      "step-up",
      "timing",
      "transport",
      "turn",
    ]),
    ["events", "front-token", "header", "init", "outside-of-pages", "record-store", "refresh"].concat([
      "session-fetch",
      "session-state",
      "transport",
      "turn",
    ]),
  ),
  "core-access": inServer(["access-control"]),
  "core-requests": inServer(["request-body", "request-target", "json-object", "in-flight", "failure"]),
  "core-http": inServer(["http-server", "stream-sink"], ["http-server", "shutdown", "stream-sink"]),
  "core-start": inServer(["start-core", "log", "theft-warning"], ["start-core", "log", "theft-warning"]),
  v1: core(
    ["answers", "handlers", "problem-reply", "feed-stream", "v1-dialect", "validator"].map(
      (file) => `dialects/v1/${file}`,
    ),
    ["dialects/v1", "dialects/validator", "dialects/feed-stream"],
  ),
};

/** The group that a run of Stryker is about, as its processes are told. */
export const group = () => {
  const name = process.env.PAWL_MUTATION ?? "";
  const found = new Map(Object.entries(groups)).get(name);
  if (found === undefined) throw new Error(`PAWL_MUTATION must be one of ${Object.keys(groups).join(", ")}`);
  return { name, ...found };
};
