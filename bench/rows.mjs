import { median, quotient } from "./contest.mjs";
import { coreRows, ORIGINAL } from "./core-rows.mjs";
import { cpuAtMost, memoryAtMost, perSecondAtLeast, ratioAtLeast, ratioAtMost, timeAtMost } from "./goals.mjs";
import { growthRows } from "./growth.mjs";
import { storageRows } from "./storage-rows.mjs";

/**
 * One benchmark: who takes part, ours first, and what is asked of ours. The limits are those of the project's design;
 * what is held against them was measured in the same run.
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {string} ours the contender that the row is about, which is the first
 * @property {number} [lanes] requests in flight, where it is over HTTP
 * @property {keyof typeof import("./databases.mjs").databases} [database] a server of it is started for the row
 * @property {true} [growth] no contest: one store that grows
 * @property {(directory: string, database?: import("./databases.mjs").Database) => import("./contest.mjs").Contender[]} contenders database files
 *   go into the directory
 * @property {(score: (name: string) => import("./contest.mjs").Score, scores: readonly import("./contest.mjs").Score[]) => { ratio: number, goals: import("./report.mjs").Goal[] }} judge
 */

const ES256 = { algorithm: "ES256" };
const RS256 = { algorithm: "RS256" };

const ENGINE = "@pawl/engine";
const SDK = "@pawl/node getSession, a Session object";
const SUPERTOKENS = "supertokens-node 24 getSession, RS256, no network";

/** @type {Row} */
const verifyCached = {
  name: "verify-cached",
  title: "verify an access token that was seen before, a fresh string each time",
  ours: ENGINE,
  contenders: () => [
    { name: ENGINE, module: "pawl", opener: "verifySeen" },
    { name: SDK, module: "pawl-node", opener: "verifySeen" },
    { name: "map hit by the token's tail (the least)", module: "jwt", opener: "mapHit" },
    { name: "fast-jwt 6, ES256, its cache", module: "jwt", opener: "fastJwtCached" },
    { name: SUPERTOKENS, module: "supertokens", opener: "verify" },
    { name: "jose 6 jwtVerify, ES256", module: "jwt", opener: "jose", settings: ES256 },
    { name: "jose 6 jwtVerify, RS256", module: "jwt", opener: "jose", settings: RS256 },
  ],
  judge: (score) => {
    const ratio = quotient(score(SUPERTOKENS), score(ENGINE));
    return {
      ratio,
      goals: [
        cpuAtMost("in the engine", score(ENGINE).cpuMicros, 1),
        cpuAtMost("through the SDK", score(SDK).cpuMicros, 3),
        ratioAtLeast("supertokens-node takes", ratio, 50),
      ],
    };
  },
};

const ENGINE_ES256 = "@pawl/engine, ES256";
const ENGINE_RS256 = "@pawl/engine, RS256";
const RAW_ES256 = "crypto.verify alone, ES256";
const RAW_RS256 = "crypto.verify alone, RS256";

/** @type {Row} */
const verifyFirst = {
  name: "verify-first",
  title: "verify an access token for the first time",
  ours: ENGINE_ES256,
  contenders: () => [
    { name: ENGINE_ES256, module: "pawl", opener: "verifyUnseen", settings: ES256 },
    { name: RAW_ES256, module: "jwt", opener: "rawSignature", settings: ES256 },
    { name: "jose 6 jwtVerify, ES256", module: "jwt", opener: "jose", settings: ES256 },
    { name: ENGINE_RS256, module: "pawl", opener: "verifyUnseen", settings: RS256 },
    { name: RAW_RS256, module: "jwt", opener: "rawSignature", settings: RS256 },
    { name: "jose 6 jwtVerify, RS256", module: "jwt", opener: "jose", settings: RS256 },
  ],
  judge: (score) => {
    const ratio = quotient(score(ENGINE_ES256), score(RAW_ES256));
    const ratioRs256 = quotient(score(ENGINE_RS256), score(RAW_RS256));
    return {
      ratio,
      goals: [
        ratioAtMost("of the raw signature check, ES256", ratio, 1.15),
        ratioAtMost("of the raw signature check, RS256", ratioRs256, 1.15),
      ],
    };
  },
};

const EXPRESS_PAWL = "Express 5 + @pawl/node";
const EXPRESS_BARE = "Express 5, the handler alone";
/** Sessions that take turns over HTTP in Express, and in the rows that refresh. */
const VISITORS = { sessions: 200 };
const REFRESHED = { sessions: 5000 };

/** @type {Row} */
const expressGet = {
  name: "express-get",
  title: "an authenticated GET in Express 5, 32 requests in flight",
  ours: EXPRESS_PAWL,
  lanes: 32,
  contenders: (directory) => [
    { name: EXPRESS_PAWL, module: "pawl-node", opener: "expressServer", settings: { ...VISITORS, directory } },
    { name: EXPRESS_BARE, module: "express", opener: "bare", settings: VISITORS },
    {
      name: "Express 5 + express-session, MemoryStore",
      module: "express",
      opener: "memorySession",
      settings: VISITORS,
    },
    { name: "Express 5 + supertokens-node 24", module: "supertokens", opener: "expressServer", settings: VISITORS },
    {
      name: "Express 5 + better-auth, SQLite",
      module: "better-auth",
      opener: "expressServer",
      settings: { ...VISITORS, directory },
    },
  ],
  judge: (score) => {
    const ours = score(EXPRESS_PAWL);
    const bare = score(EXPRESS_BARE);
    const ratio = quotient(ours, bare);
    const added = median(ours.rounds.map((round, i) => round.cpuMicros - (bare.rounds[i]?.cpuMicros ?? 0)));
    return { ratio, goals: [cpuAtMost("adds", added, 5), ratioAtMost("of the handler alone", ratio, 1.05)] };
  },
};

/**
 * A row of writes in process. The design's limit is on the storage's own write beside the bare statement, neither of
 * which signs anything; the engine's whole operation stands beside the statement with the signature it cannot do without.
 */
const writeInProcess = (
  /** @type {{ name: string, title: string, opener: "create" | "refresh", engine: string, storage: string, statement: string }} */ what,
) => {
  const { engine, storage } = what;
  const bare = `bare ${what.statement}, 32 to a transaction`;
  const signed = `bare ${what.statement} and an ES256 signature each`;
  /** @type {Row} */
  const row = {
    name: what.name,
    title: what.title,
    ours: engine,
    contenders: (directory) => {
      const settings = { directory, ...REFRESHED };
      const url = `sqlite:${directory}/storage-${what.opener}.db`;
      return [
        { name: engine, module: "pawl", opener: `${what.opener}Sessions`, settings },
        { name: storage, module: "pawl-storage", opener: `${what.opener}Sessions`, settings: { url, ...REFRESHED } },
        { name: bare, module: "sqlite-bare", opener: `${what.opener}Rows`, settings: { ...settings, signs: false } },
        { name: signed, module: "sqlite-bare", opener: `${what.opener}Rows`, settings: { ...settings, signs: true } },
      ];
    },
    judge: (score) => {
      const ratio = quotient(score(storage), score(bare), "perSecond");
      return {
        ratio,
        goals: [ratioAtLeast(`the storage's ${what.opener} per second, of the bare ${what.statement}`, ratio, 0.8)],
      };
    },
  };
  return row;
};

const createProcess = writeInProcess({
  name: "create-process-sqlite",
  title: "create a session in process, durable on SQLite, 32 in flight",
  opener: "create",
  engine: "@pawl/engine createSession",
  storage: "@pawl/storage-sqlite createSession, no tokens",
  statement: "INSERT",
});

const refreshProcess = writeInProcess({
  name: "refresh-process-sqlite",
  title: "refresh a session in process, durable on SQLite, 32 in flight, every one a rotation",
  opener: "refresh",
  engine: "@pawl/engine refreshSession",
  storage: "@pawl/storage-sqlite rotate, no tokens",
  statement: "UPDATE … RETURNING",
});

const FLOOR = "node:http alone, bodies of the same size";

/** A row of requests to a core. */
const writeOverHttp = (
  /** @type {{ name: string, title: string, opener: string, ours: string, goals: (ours: import("./contest.mjs").Score) => import("./report.mjs").Goal[] }} */ what,
) => {
  /** @type {Row} */
  const row = {
    name: what.name,
    title: what.title,
    ours: what.ours,
    lanes: 64,
    contenders: (directory) => [
      { name: what.ours, module: "pawl-core", opener: what.opener, settings: { directory, ...REFRESHED } },
      { name: FLOOR, module: "http-floor", opener: "echo", settings: (facts) => facts[what.ours] },
    ],
    judge: (score) => ({ ratio: quotient(score(what.ours), score(FLOOR)), goals: what.goals(score(what.ours)) }),
  };
  return row;
};

const refreshHttp = writeOverHttp({
  name: "refresh-http-sqlite",
  title: "refresh over HTTP, durable on SQLite, ES256, 64 requests in flight, every one a rotation",
  opener: "refresh",
  ours: "@pawl/core POST /v1/sessions/refresh",
  goals: ({ cpuMicros, perSecond, memoryMb }) => [
    cpuAtMost("a request", cpuMicros, 85),
    perSecondAtLeast(perSecond, 8000),
    memoryAtMost(memoryMb, 120),
  ],
});

/** A fifteenth of what the original core takes for a create is asked of ours with ES256. */
const CREATE_LIMIT = Math.round(ORIGINAL.cpuMicros / 15);

const createHttp = writeOverHttp({
  name: "create-http-sqlite",
  title: "create a session over HTTP, durable on SQLite, ES256, 64 requests in flight",
  opener: "create",
  ours: "@pawl/core POST /v1/sessions",
  goals: ({ cpuMicros, memoryMb }) => [
    cpuAtMost("a request, a fifteenth of what the original core takes,", cpuMicros, CREATE_LIMIT),
    memoryAtMost(memoryMb, 120),
  ],
});

const PAGE_SDK = "Chromium, fetch with @pawl/web";
const PAGE_BARE = "Chromium, fetch alone, the same header";

/** @type {Row} */
const browserFetch = {
  name: "browser-fetch",
  title: "an authenticated fetch of a page, one at a time; the CPU is the server's, the rate is the page's",
  ours: PAGE_SDK,
  contenders: () => [
    { name: PAGE_SDK, module: "browser", opener: "authenticatedFetch", settings: { sdk: true } },
    { name: PAGE_BARE, module: "browser", opener: "authenticatedFetch", settings: { sdk: false } },
  ],
  judge: (score) => {
    const micros = (/** @type {{ perSecond: number }} */ { perSecond }) => 1e6 / perSecond;
    const [ours, bare] = [score(PAGE_SDK), score(PAGE_BARE)];
    const added = median(ours.rounds.map((round, i) => micros(round) - micros(bare.rounds[i] ?? round)));
    return { ratio: quotient(ours, bare, "perSecond"), goals: [timeAtMost("adds", added, 1000)] };
  },
};

/** @type {readonly Row[]} */
export const rows = [
  verifyCached,
  verifyFirst,
  expressGet,
  createProcess,
  refreshProcess,
  refreshHttp,
  createHttp,
  browserFetch,
  ...coreRows,
  ...storageRows,
  ...growthRows,
];
