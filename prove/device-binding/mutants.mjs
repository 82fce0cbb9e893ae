// Engines and routes in which one thing about binding is broken.
import { createBreaker } from "../interleavings/broken-modules.mjs";

const REFRESH = "engine/dist/rotation/refresh.js";
const BOUND = "engine/dist/binding/bound-session.js";
const PROOF = "engine/dist/binding/device-proof.js";
const CHALLENGES = "engine/dist/binding/challenges.js";
const REGISTRATION = "engine/dist/binding/registration.js";
const ROUTE = "node/dist/sessions/device-route.js";
const SESSIONS = "node/dist/sessions/bound-sessions.js";

const UNPROVEN = 'case "unproven": {\n                    const why';
/** A refusal that ends the session. */
const ending = (/** @type {string} */ why) => `case "unproven": {
  if (proven.kind === "unproven" && proven.why === "${why}") {
    const ended = await applyTheftAction(record, tokenReuseEvent(record, claims.seq, now));
    if (ended !== undefined) return ended;
  }
  const why`;

/** @type {readonly import("../interleavings/broken-modules.mjs").Mutant[]} */
export const bindingMutants = [
  {
    what: "a bound session is refreshed without its key",
    file: "storage/dist/rotation.js",
    from: 'if (row.bound !== "" && row.bound !== token.proof)',
    to: "if (false)",
  },
  {
    what: "the signature of a proof is not verified",
    file: PROOF,
    from: 'verificationKey !== undefined && verifyJwt(parts, verificationKey, "base64url")',
    to: "verificationKey !== undefined",
  },
  {
    what: "a refresh is proved by the key that comes with it",
    file: PROOF,
    from: '!("jwk" in read.header) && isSignedBy(key, read)',
    to: 'isSignedBy(("jwk" in read.header && readDeviceKey(read.header["jwk"], read.algorithm)) || key, read)',
  },
  { what: "a missing proof ends the session", file: REFRESH, from: UNPROVEN, to: ending("missing") },
  { what: "a proof of another key ends the session", file: REFRESH, from: UNPROVEN, to: ending("foreign") },
  {
    what: "a challenge may be answered for ever",
    file: CHALLENGES,
    from: "Math.abs(now - time) <= CHALLENGE_VALIDITY",
    to: "true",
  },
  {
    what: "a challenge is of no session and no purpose",
    file: CHALLENGES,
    from: ".update(said).update(purpose)",
    to: ".update(said)",
  },
  {
    what: "a session is bound a second time",
    file: REGISTRATION,
    from: 'if (row.bound !== "" && row.bound !== thumbprintOf(key.jwk))\n                return BOUND;',
    to: "",
  },
  {
    what: "a session is bound after it was refreshed",
    file: REGISTRATION,
    from: "if (row.next !== next || (claims !== undefined && claims.seq !== next))",
    to: "if (false)",
  },
  {
    what: "the answer to a registration holds the copy of before",
    file: REGISTRATION,
    from: "iat: device.at };",
    to: "iat: claims.iat };",
  },
  {
    what: "every copy releases a key that has proved nothing",
    file: BOUND,
    from: "key?.pending !== row.next || token.iat >= key.at",
    to: "key?.pending !== row.next",
  },
  {
    what: "a key is released that has proved a refresh without a rotation",
    file: REFRESH,
    from: "const change = settlingChange(record);",
    to: "const change = undefined;",
  },
  {
    what: "a required binding is not looked at",
    file: REFRESH,
    from: 'const mustBeBound = policy.deviceBinding === "require";',
    to: "const mustBeBound = false;",
  },
  {
    what: "what cannot be told is answered 429",
    file: ROUTE,
    from: 'errorAnswer(new SessionError("UNKNOWN", message, { retryAfter: RETRY_AFTER }))',
    to: '({ ...errorAnswer(new SessionError("UNKNOWN", message, { retryAfter: RETRY_AFTER })), status: 429 })',
  },
  {
    what: "a missing proof is answered 401",
    file: ROUTE,
    from: "giveChallenge(exchange, outcome.challenge, id);\n            return answer(403,",
    to: "giveChallenge(exchange, outcome.challenge, id);\n            return answer(401,",
  },
  {
    what: "a missing proof is answered no challenge",
    file: ROUTE,
    from: "giveChallenge(exchange, outcome.challenge, id);",
    to: "",
  },
  {
    what: "the key of a session that has ended is refused, not taken back",
    file: ROUTE,
    from: "answer(200, { session_identifier: id, continue: false })",
    to: "answer(401, {})",
  },
  {
    what: "a browser that could not refresh is logged out",
    file: SESSIONS,
    from: "if (skippedSessions(exchange).includes(session.handle))",
    to: "if (false)",
  },
  {
    what: "a page without a proof loses its cookies",
    file: SESSIONS,
    from: 'announceEnd(exchange, "cookie");',
    to: "cookies.clear(exchange);",
  },
  {
    what: "a page that another site has opened is logged out",
    file: SESSIONS,
    from: 'site === undefined || site === "same-origin" || site === "none"',
    to: "true",
  },
  {
    what: "the cookie of a bound session outlives its token",
    file: "node/dist/http/cookies.js",
    from: "if (!isBound)",
    to: "if (true)",
  },
  {
    what: "a login with an old cookie of a bound session ends it",
    file: "node/dist/sessions/login.js",
    from: "(await backend.get(handle))?.bound === true ? undefined : handle",
    to: "handle",
  },
];

const importBroken = createBreaker("binding-mutant", {
  packages: ["engine", "storage", "node"],
  mutants: bindingMutants,
});

/**
 * @typedef {import("./stage.mjs").Sdk & import("./forgeries.mjs").EngineModule} Explored
 * @typedef {Explored & import("../interleavings/in-place-lives.mjs").SdkModule} BrokenSdk
 */

/**
 * The SDK with one change; with the index after the last: none, as a control.
 * @param {number} index
 * @returns {Promise<BrokenSdk>}
 */
export const brokenBinding = async (index) => {
  const { createEngine, parseMasterKeys } = await importBroken(index, "engine/dist/index.js");
  const { createPawl, fetchExchange, nodeExchange } = await importBroken(index, "node/dist/index.js");
  const { forFetch } = await importBroken(index, "node/dist/adapters/fetch.js");
  const { forNode } = await importBroken(index, "node/dist/adapters/node.js");
  const { MemoryStorage, StorageError } = await importBroken(index, "storage/dist/index.js");
  const storage = { MemoryStorage, StorageError };
  return { createEngine, parseMasterKeys, createPawl, fetchExchange, nodeExchange, forFetch, forNode, ...storage };
};
