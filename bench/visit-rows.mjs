import { median, quotient } from "./contest.mjs";
import { formatMicros } from "./figures.mjs";
import { cpuAtMost, ratioAtMost } from "./goals.mjs";

/** Sessions that take turns. */
const VISITORS = { sessions: 200 };
const LANES = 32;

const BARE = "the handler alone";
const EXPRESS_PAWL = "Express 5 + @pawl/supertokens";
const EXPRESS_BARE = `Express 5, ${BARE}`;

/** What `over` takes beyond `under`, in µs of CPU: the median of the differences of each round. */
const added = (/** @type {import("./contest.mjs").Score} */ over, /** @type {import("./contest.mjs").Score} */ under) =>
  median(over.rounds.map((round, i) => round.cpuMicros - (under.rounds[i]?.cpuMicros ?? 0)));

const expressPawl = (/** @type {string} */ directory) => ({
  name: EXPRESS_PAWL,
  module: "pawl-node",
  opener: "expressServer",
  settings: { ...VISITORS, directory },
});
const expressBare = { name: EXPRESS_BARE, module: "frameworks", opener: "expressAlone", settings: VISITORS };

/** @type {import("./rows.mjs").Row} */
const expressGet = {
  name: "express-get",
  title: `an authenticated GET in Express 5, ${LANES} requests in flight`,
  ours: EXPRESS_PAWL,
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
      expressPawl(directory),
      expressBare,
      peer("express-session, MemoryStore", "express-session", "memoryServer"),
      peer("express-session, Redis", "express-session", "redisServer", { url: redis?.["url"] }),
      peer("express-session, PostgreSQL", "express-session", "postgresServer", { url: postgres?.["url"] }),
      peer("iron-session 8", "iron-session"),
      peer("supertokens-node 1.0.1", "supertokens-1", "expressServer", { directory }),
      peer("supertokens-node 24", "supertokens"),
      peer("better-auth, SQLite", "better-auth", "expressServer", { directory }),
    ];
  },
  judge: (score) => {
    const [ours, bare] = [score(EXPRESS_PAWL), score(EXPRESS_BARE)];
    const ratio = quotient(ours, bare);
    return {
      ratio,
      goals: [cpuAtMost("adds", added(ours, bare), 5), ratioAtMost("of the handler alone", ratio, 1.05)],
    };
  },
};

/** The frameworks beside Express, for which the design sets no limit: how each is called, and its opener. */
const OTHERS = { "node:http": "nodeHttp", "Fastify 5": "fastify", "Hono 4": "hono" };

/** @type {import("./rows.mjs").Row} */
const frameworksGet = {
  name: "frameworks-get",
  title: `an authenticated GET with and without Pawl in four frameworks, ${LANES} requests in flight`,
  ours: EXPRESS_PAWL,
  lanes: LANES,
  contenders: (directory) => [
    expressPawl(directory),
    expressBare,
    ...Object.entries(OTHERS).flatMap(([framework, opener]) => [
      {
        name: `${framework} + @pawl/supertokens`,
        module: "pawl-node",
        opener: `${opener}Server`,
        settings: { ...VISITORS, directory },
      },
      { name: `${framework}, ${BARE}`, module: "frameworks", opener: `${opener}Alone`, settings: VISITORS },
    ]),
  ],
  judge: (score) => {
    const [ours, bare] = [score(EXPRESS_PAWL), score(EXPRESS_BARE)];
    return {
      ratio: quotient(ours, bare),
      goals: [cpuAtMost("adds to Express 5", added(ours, bare), 5)],
      notes: Object.keys(OTHERS).map((framework) => {
        const more = added(score(`${framework} + @pawl/supertokens`), score(`${framework}, ${BARE}`));
        return `adds ${formatMicros(more)} to ${framework}`;
      }),
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const visitRows = [expressGet, frameworksGet];
