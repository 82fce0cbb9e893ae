// Hostile input of every kind: tokens, cookies, requests to every path of the core, bytes that are no HTTP.
import { connect } from "node:net";
import { accessTokenFormats } from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import { createPawl, Error as SessionError } from "@pawl/supertokens";
import { routes } from "@pawl/protocol";
import { MemoryStorage } from "@pawl/storage";
import { Pool } from "undici";
import { campaign } from "./campaign.mjs";
import { loginEverywhere, startProofCore } from "./core.mjs";
import { createAnswer } from "./faults/application.mjs";
import { userId } from "./identifiers.mjs";
import { createRequestParser } from "./request-parser.mjs";
import { createRandom } from "./random.mjs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=";
const ODD = ["\0", "\r\n", "\n", ";", ",", "=", '"', "\\", "%", "%00", "%E0%A4%A", "\u00a0"].concat([
  "\ufeff",
  "\ud800",
  "é",
  "💥",
  " ",
  "\t",
]);
const HOSTILE = [
  [null, true, 0, -1, 1.5, 1e308, -0, "", " ", "\0", "\ud800", "__proto__", "constructor", [], [[]], {}],
  ["x".repeat(70_000), "9".repeat(400), "../../etc/passwd", "' OR 1=1 --", "${7*7}", "\u202e", { __proto__: null }],
  [Number.MAX_SAFE_INTEGER, "2038-01-19", ["a", "b"], { a: { b: { c: 1 } } }, "undefined", "NaN"],
].flat(1);

/** @typedef {import("./random.mjs").Random} Random */

/**
 * One change of a text: a character replaced, put in or taken out, a piece cut, doubled, moved; or something else.
 * @type {(text: string, random: Random) => string}
 */
const mutate = (text, random) => {
  const at = random.below(text.length + 1);
  const piece = random.chance(0.5) ? random.pick(ALPHABET) : random.pick(ODD);
  switch (random.below(8)) {
    case 0:
      return text.slice(0, at) + piece + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + piece + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.below(20));
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(at) + text.slice(0, at);
    case 5:
      return text + random.pick([".", ";", "", " ", "."]) + text;
    case 6:
      return random.pick([".", "=", "a", "%", "[", "{", ";", "\0"]).repeat(random.below(5000));
    default:
      return mutate(mutate(text, random), random);
  }
};

/** Whether two texts are the same signed bytes: the last character of a spelling may hold bits that nobody reads. */
const isSpelling = (/** @type {string} */ one, /** @type {string} */ other) => {
  const [end, otherEnd] = [one.lastIndexOf(".") + 1, other.lastIndexOf(".") + 1];
  const signature = Buffer.from(other.slice(otherEnd), "base64");
  return one.slice(0, end) === other.slice(0, otherEnd) && Buffer.from(one.slice(end), "base64").equals(signature);
};

/** @type {import("./proofs.mjs").Run} */
const fuzzTokens = async (size, seed, progress) => {
  const { engine, close } = await openEngine({ storage: new MemoryStorage() });
  const random = createRandom(seed);
  const create = (/** @type {import("@pawl/engine").AccessTokenForm} */ form) =>
    engine.createSession({ userId: userId("victim"), form, keyKind: "static" });
  const first = await create("v1");
  const originals = [first];
  for (const { form } of Object.values(accessTokenFormats).slice(1)) originals.push(await create(form));
  const result = await campaign({
    target: "tokens",
    size,
    progress,
    next: () =>
      mutate(random.chance(0.5) ? random.pick(originals).accessToken.token : first.refreshToken.token, random),
    parses: (token) => [
      () => engine.verifier.verify({ accessToken: token }),
      () => engine.refreshSession({ refreshToken: token }),
      () => engine.regenerateAccessToken(token),
    ],
    async attempt(token) {
      const outcomes = [
        await engine.refreshSession({ refreshToken: token }),
        await engine.verifyAccessToken({ accessToken: token }),
        await engine.confirmAccessToken({ accessToken: token }),
        await engine.regenerateAccessToken(token),
      ].map(({ kind }) => kind);
      if (outcomes.every((kind) => kind === "unauthorised" || kind === "try_refresh")) return undefined;
      const { accessToken } = originals.find((original) => isSpelling(token, original.accessToken.token)) ?? {};
      return accessToken !== undefined || token === first.refreshToken.token ? undefined : outcomes.join(", ");
    },
  });
  await close();
  return result;
};

const requestOf = (/** @type {string} */ cookie) => ({
  method: "POST",
  headers: { cookie, "anti-csrf": cookie.slice(0, 50) },
});

/** @type {import("./proofs.mjs").Run} */
const fuzzCookies = async (size, seed, progress) => {
  const pawl = createPawl({ storage: new MemoryStorage(), masterKey: Buffer.alloc(32, 7).toString("base64") });
  const random = createRandom(seed);
  const login = createAnswer();
  await pawl.createNewSession(login, "victim");
  const cookies = login.cookies().map((line) => line.slice(0, line.indexOf(";")));
  const result = await campaign({
    target: "cookies",
    size,
    progress,
    next: () =>
      mutate(random.chance(0.1) ? cookies.map((pair) => `${pair}; ${pair}`).join("; ") : cookies.join("; "), random),
    parses: (cookie) => [
      () => pawl.readSession(requestOf(cookie)),
      () => pawl.getSession(requestOf(cookie), createAnswer(), true),
      () => pawl.refreshSession(requestOf(cookie), createAnswer()),
      () =>
        pawl.getSession(
          { method: "POST", headers: { authorization: cookie, "front-token": cookie } },
          createAnswer(),
          true,
        ),
    ],
    async attempt(cookie) {
      const request = requestOf(cookie);
      for (const call of [
        () => pawl.getSession(request, createAnswer(), false),
        () => pawl.refreshSession(request, createAnswer()),
      ])
        try {
          // A change outside the values of the tokens leaves the request what it was: then it is the victim's.
          if ((await call()).getUserId() !== "victim") return "another user";
        } catch (error) {
          if (!SessionError.isErrorFromAuth(error) || error.errType === 1000) return String(error);
        }
      return undefined;
    },
  });
  await pawl.close();
  return result;
};

/**
 * Requests that are right, of every dialect, as what fuzzing starts from.
 * @typedef {[method: string, path: string, body?: object | undefined]} Template
 */
const templates = (/** @type {import("./core.mjs").Tokens} */ tokens) => {
  const { access: accessToken, refresh: refreshToken, antiCsrf: antiCsrfToken, handle } = tokens;
  const flags = { enableAntiCsrf: false, doAntiCsrfCheck: false, checkDatabase: false, useDynamicSigningKey: true };
  const login = { userId: "u", userDataInJWT: { a: 1 }, userDataInDatabase: {}, ...flags };
  const bodies = {
    accessToken,
    refreshToken,
    antiCsrfToken,
    userId: "u",
    handle,
    handles: [handle],
    payload: {},
    data: {},
    uses: [],
  };
  /** @type {(prefix: string) => Template[]} */
  const cdi = (prefix) => [
    ["POST", `${prefix}/session`, login],
    ["POST", `${prefix}/session/verify`, { accessToken, antiCsrfToken, ...flags }],
    ["POST", `${prefix}/session/refresh`, { refreshToken, antiCsrfToken, ...flags }],
    ["POST", `${prefix}/session/regenerate`, { accessToken, userDataInJWT: {} }],
    ["POST", `${prefix}/session/remove`, { sessionHandles: [handle] }],
    ["DELETE", `${prefix}/session`, { userId: "u" }],
    ["GET", `${prefix}/session/user?userId=u`],
    ["GET", `${prefix}/session/data?sessionHandle=${handle}`],
    ["PUT", `${prefix}/session/data`, { sessionHandle: handle, userDataInDatabase: {} }],
    ["PUT", `${prefix}/jwt/data`, { sessionHandle: handle, userDataInJWT: {} }],
    ["POST", `${prefix}/jwt`, { payload: {}, algorithm: "RS256", jwksDomain: "http://a", validity: 10 }],
    ["PUT", `${prefix}/multitenancy/tenant/v2`, { tenantId: "t1" }],
    ["POST", `/appid-public/t1${prefix}/session`, login],
  ];
  const own = Object.values(routes)
    .filter(({ path }) => path !== "/v1/revocations" && path !== "/v1/keys/rotate")
    .map(
      ({ method, path }) =>
        /** @type {Template} */ ([method, path.replace("{handle}", handle), method === "GET" ? undefined : bodies]),
    );
  const former = { former: "old", userId: "u", tenantId: "t1", until: 4_102_444_800_000 };
  /** @type {Template[]} */
  const adoptions = [
    ["POST", routes.adoptSession.path, { ...former, payload: {}, data: {}, createdAt: 1, device: "d", address: "::1" }],
    ["POST", routes.refuseAdoption.path, { ...former, reason: "logout" }],
  ];
  return [...cdi(""), ...cdi("/recipe"), ...own, ...adoptions];
};

/** Puts something hostile at one place of a JSON value. */
/** @type {(value: unknown, random: Random) => unknown} */
const spoil = (value, random) => {
  if (typeof value !== "object" || value === null || random.chance(0.2)) return random.pick(HOSTILE);
  const names = Object.keys(value);
  if (names.length === 0 || random.chance(0.1))
    return { ...value, [random.pick(["__proto__", "constructor", "", "x"])]: 1 };
  const name = random.pick(names);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === name ? spoil(item, random) : item));
  const member = new Map(Object.entries(value)).get(name);
  return { ...value, [name]: random.chance(0.1) ? undefined : spoil(member, random) };
};

/** @type {import("./proofs.mjs").Run} */
const fuzzRequests = async (size, seed, progress) => {
  const core = await startProofCore();
  const random = createRandom(seed);
  const all = templates((await loginEverywhere(core)).newest);
  const pool = new Pool(core.url, { connections: 8 });
  const parseRequest = createRequestParser();
  // In the corpus a request is a text.
  const listOf = (/** @type {Request[] | string} */ requests) =>
    typeof requests === "string" ? [seedRequest(requests)] : requests;
  const send = async (/** @type {Request} */ request) => {
    const { method, path } = request;
    const { statusCode, body: text } = await pool.request({ ...request, method: /** @type {"GET"} */ (method) });
    await text.dump();
    return statusCode >= 500 ? `${method} ${path} answers ${statusCode}` : undefined;
  };
  /** @returns {Request} */
  const nextRequest = () => {
    const [method, path, body] = random.pick(all);
    const text = body === undefined ? undefined : JSON.stringify(random.chance(0.8) ? spoil(body, random) : body);
    const isText = text !== undefined && random.chance(0.2);
    return {
      method: random.chance(0.95) ? method : random.pick(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
      path: random.chance(0.8)
        ? path
        : `/${encodeURI(mutate(path, random).toWellFormed()).replace(/^\/+/, "")}`.slice(0, 4000),
      headers: {
        "content-type": random.chance(0.9)
          ? "application/json"
          : random.pick(["text/plain", "application/json; charset=utf-16", ""]),
        "cdi-version": random.pick(["5.4", "5.0", "4.0", "3.0", "2.9", "1.0", "99.9", "x", ""]),
        "api-key": mutate("key", random)
          .replace(/[^\x20-\x7e]/g, "")
          .slice(0, 1000),
      },
      body: text === undefined || method === "GET" ? null : isText ? mutate(text, random) : text,
    };
  };
  const result = await campaign({
    target: "requests",
    size: Math.ceil(size / 32),
    progress: (done) => progress(done * 32),
    next: () => Array.from({ length: 32 }, nextRequest),
    roundTrip: "round trips of 32 at once",
    parses: (requests) => listOf(requests).map((request) => () => parseRequest(request)),
    async attempt(requests) {
      const list = listOf(requests);
      return (await Promise.all(list.map(send))).find((wrong) => wrong !== undefined);
    },
  });
  await pool.close();
  await core.close();
  return { ...result, count: result.count * 32 };
};

/** @typedef {{ method: string, path: string, headers: Record<string, string>, body: string | null }} Request */

/** @returns {Request} */
const seedRequest = (/** @type {string} */ text) => {
  const [, method = "", path = "", body = ""] = /^(\w+) (\S+) ?(.*)$/su.exec(text) ?? [];
  return { method, path, headers: { "content-type": "application/json" }, body };
};

const RAW = [
  'POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"userId":"u"}',
  "POST /session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
  "GET /hello HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c=d\r\nExpect: 100-continue\r\n\r\n",
  "GET /recipe/session?sessionHandle=x HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n",
];

/**
 * Sends bytes and ends the line.
 * @param {number} port
 * @param {Buffer} bytes
 * @returns {Promise<string | undefined>} a status of 500 and above in what came back
 */
const exchangeRaw = (port, bytes) =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(/HTTP\/1\.1 5\d\d[^\r]*/.exec(text)?.[0]));
    socket.end(bytes);
  });

/** @type {import("./proofs.mjs").Run} */
const fuzzRaw = async (size, seed, progress) => {
  const core = await startProofCore();
  const random = createRandom(seed);
  const nextBytes = () => {
    const text = mutate(random.pick(RAW), random);
    return Buffer.from(random.chance(0.5) ? text : text + random.pick(RAW), random.chance(0.5) ? "latin1" : "utf8");
  };
  const result = await campaign({
    target: "raw",
    size: Math.ceil(size / 32),
    progress: (done) => progress(done * 32),
    next: () => Array.from({ length: 32 }, nextBytes),
    roundTrip: "round trips of 32 connections at once",
    async attempt(inputs) {
      // In the corpus an input is a text.
      const list = typeof inputs === "string" ? [Buffer.from(inputs)] : inputs;
      const wrong = await Promise.all(list.map((bytes) => exchangeRaw(core.address.port, bytes)));
      if ((await core.send("GET", "/healthz")).status !== 200) return "the core does not answer any more";
      return wrong.find((status) => status !== undefined);
    },
  });
  await core.close();
  return { ...result, count: result.count * 32 };
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const fuzz = [
  {
    name: "fuzz-tokens",
    run: fuzzTokens,
    size: 400_000,
    short: 8_000,
    isTimed: true,
    what: "a failure is a token that was taken, or threw",
  },
  {
    name: "fuzz-cookies",
    run: fuzzCookies,
    size: 300_000,
    short: 6_000,
    isTimed: true,
    what: "a failure is another user, or another error",
  },
  { name: "fuzz-requests", run: fuzzRequests, size: 200_000, short: 4_000, what: "a failure is an answer 5xx" },
  { name: "fuzz-raw", run: fuzzRaw, size: 100_000, short: 2_000, what: "a failure is an answer 5xx, or none any more" },
];
