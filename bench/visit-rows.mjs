import { median, quotient } from "./contest.mjs";
import { formatMicros } from "./figures.mjs";
import { cpuAtMost } from "./goals.mjs";

/** Sessions that take turns. */
const VISITORS = { sessions: 200 };
const LANES = 32;
/** Processes of each contender whose figures are told apart: what is looked for is less than two processes differ by. */
const PROCESSES = 4;

/** The frameworks: the start of each opener's name, and how many µs of CPU Pawl may add to a GET. */
const FRAMEWORKS = {
  "Express 5": { opener: "express", limit: 8 },
  "node:http": { opener: "nodeHttp", limit: 4 },
  "Fastify 5": { opener: "fastify", limit: 4 },
  "Hono 4": { opener: "hono", limit: 6 },
  fetch: { opener: "fetch", limit: 6 },
};
/** @typedef {keyof typeof FRAMEWORKS} Framework */
const names = /** @type {Framework[]} */ (Object.keys(FRAMEWORKS));

const pawlOn = (/** @type {Framework} */ framework) => `${framework} + @pawl/node`;
const bareOf = (/** @type {Framework} */ framework) => `${framework}, the handler alone`;

/** A framework with Pawl, and without. */
const pair = (/** @type {Framework} */ framework, /** @type {string} */ directory) => {
  const { opener } = FRAMEWORKS[framework];
  return [
    {
      name: pawlOn(framework),
      module: "pawl-node",
      opener: `${opener}Server`,
      processes: PROCESSES,
      settings: { ...VISITORS, directory },
    },
    {
      name: bareOf(framework),
      module: "frameworks",
      opener: `${opener}Alone`,
      processes: PROCESSES,
      settings: VISITORS,
    },
  ];
};

/** @typedef {import("./contest.mjs").Score} Score */

/** What `over` takes beyond `under`, in µs of CPU, from the lowest of the rounds to the highest. */
const differences = (/** @type {Score} */ over, /** @type {Score} */ under) =>
  over.rounds.map((round, i) => round.cpuMicros - (under.rounds[i]?.cpuMicros ?? 0)).toSorted((a, b) => a - b);

/** What Pawl adds to a framework: the median of the differences of each round. */
const added = (/** @type {(name: string) => Score} */ score, /** @type {Framework} */ framework) => {
  const all = differences(score(pawlOn(framework)), score(bareOf(framework)));
  const { limit } = FRAMEWORKS[framework];
  return {
    goal: cpuAtMost(`adds to ${framework}`, median(all), limit),
    spread: `${formatMicros(all[0] ?? 0)} to ${formatMicros(all.at(-1) ?? 0)} in ${framework}`,
  };
};

/** @type {import("./rows.mjs").Row} */
const expressGet = {
  name: "express-get",
  title: `an authenticated GET in Express 5, ${LANES} requests in flight`,
  ours: pawlOn("Express 5"),
  lanes: LANES,
  databases: ["redis", "postgres"],
  contenders: (directory, { redis, postgres }) => {
    const peer = (
      /** @type {string} */ name,
      /** @type {string} */ module,
      opener = "expressServer",
      /** @type {Record<string, unknown>} */ settings = {},
    ) => ({ name: `Express 5 + ${name}`, module, opener, settings: { ...VISITORS, ...settings } });
    return [
      ...pair("Express 5", directory),
      peer("@pawl/supertokens", "pawl-supertokens", "expressServer", { directory }),
      peer("express-session, MemoryStore", "express-session", "memoryServer"),
      peer("express-session, Redis", "express-session", "redisServer", { url: redis?.["url"] }),
      peer("express-session, PostgreSQL", "express-session", "postgresServer", { url: postgres?.["url"] }),
      peer("iron-session 8", "iron-session"),
      peer("supertokens-node 1.0.1", "supertokens-1", "expressServer", { directory }),
      peer("supertokens-node 24", "supertokens"),
      peer("better-auth, SQLite", "better-auth", "expressServer", { directory }),
    ];
  },
  judge: (score) => ({
    ratio: quotient(score(pawlOn("Express 5")), score(bareOf("Express 5"))),
    goals: [added(score, "Express 5").goal],
  }),
};

/** @type {import("./rows.mjs").Row} */
const frameworksGet = {
  name: "frameworks-get",
  title: `an authenticated GET with and without Pawl in five frameworks, ${LANES} requests in flight`,
  ours: pawlOn("Express 5"),
  lanes: LANES,
  contenders: (directory) => names.flatMap((framework) => pair(framework, directory)),
  judge: (score) => {
    const all = names.map((framework) => added(score, framework));
    return {
      ratio: quotient(score(pawlOn("Express 5")), score(bareOf("Express 5"))),
      goals: all.map(({ goal }) => goal),
      notes: [`adds, from round to round, ${all.map(({ spread }) => spread).join(", ")}`],
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const visitRows = [expressGet, frameworksGet];
