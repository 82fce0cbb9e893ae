import { quotient } from "./contest.mjs";
import { ORIGINAL } from "./core-rows.mjs";
import { formatMicros, formatRatio } from "./figures.mjs";
import { cpuAtMost, memoryAtMost, perSecondAtLeast, ratioAtLeast, ratioAtMost } from "./goals.mjs";

/** Sessions that are refreshed in turn. */
const REFRESHED = { sessions: 5000 };

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
  /** @type {import("./rows.mjs").Row} */
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

/** A row of requests to a core. Beside it the least that it is made of: an answer of `node:http`, and a row written with a signature. */
const writeOverHttp = (
  /** @type {{ name: string, title: string, opener: "create" | "refresh", statement: string, most: number, ours: string, goals: (ours: import("./contest.mjs").Score) => import("./report.mjs").Goal[] }} */ what,
) => {
  const signed = `bare ${what.statement} and an ES256 signature each`;
  /** @type {import("./rows.mjs").Row} */
  const row = {
    name: what.name,
    title: what.title,
    ours: what.ours,
    lanes: 64,
    contenders: (directory) => [
      { name: what.ours, module: "pawl-core", opener: what.opener, settings: { directory, ...REFRESHED } },
      { name: FLOOR, module: "http-floor", opener: "echo", settings: (facts) => facts[what.ours] },
      {
        name: signed,
        module: "sqlite-bare",
        opener: `${what.opener}Rows`,
        settings: { directory, ...REFRESHED, signs: true },
      },
    ],
    judge: (score) => {
      const ours = score(what.ours);
      const floor = score(FLOOR).cpuMicros;
      const least = floor + score(signed).cpuMicros;
      const ratio = quotient(ours, score(FLOOR));
      return {
        ratio,
        goals: [...what.goals(ours), ratioAtMost("of node:http alone", ratio, what.most)],
        notes: [
          `takes ${formatRatio(ours.cpuMicros / least)} of the least: the answer, the row and the signature are ${formatMicros(least)}, ${formatRatio(least / floor)} of node:http alone`,
        ],
      };
    },
  };
  return row;
};

const refreshHttp = writeOverHttp({
  name: "refresh-http-sqlite",
  title: "refresh over HTTP, durable on SQLite, ES256, 64 requests in flight, every one a rotation",
  opener: "refresh",
  statement: "UPDATE … RETURNING",
  most: 4,
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
  statement: "INSERT",
  most: 4.5,
  ours: "@pawl/core POST /v1/sessions",
  goals: ({ cpuMicros, memoryMb }) => [
    cpuAtMost("a request, a fifteenth of what the original core takes,", cpuMicros, CREATE_LIMIT),
    memoryAtMost(memoryMb, 120),
  ],
});

/** @type {readonly import("./rows.mjs").Row[]} */
export const writeRows = [createProcess, refreshProcess, refreshHttp, createHttp];
