import { memoryAtMost, ratioAtLeast } from "./goals.mjs";

/**
 * The lower end of what `supertokens-core` 10.1 on PostgreSQL was measured at, in its own process: 2.05 to 2.5 ms of CPU
 * for a create or a refresh, and 490 to 600 MB. It is not measured here: it needs a Java machine.
 */
export const ORIGINAL = { cpuMicros: 2050, memoryMb: 490 };

/** How many times less CPU is asked of ours. An RS256 signature alone takes a quarter of a millisecond. */
const TIMES_LESS = { ES256: 15, RS256: 5 };

const FLOOR = "node:http alone, bodies of a refresh";
const algorithms = /** @type {const} */ (["ES256", "RS256"]);
const nameOf = (/** @type {string} */ call, /** @type {string} */ algorithm) => `@pawl/core ${call}, ${algorithm}`;
const REFRESH = nameOf("refresh", "ES256");

/**
 * A row of the modern dialect, as supertokens-node 24 speaks it to our core.
 * @param {{ name: string, title: string, databases?: ["postgres"] }} what
 * @returns {import("./rows.mjs").Row}
 */
const coreRow = ({ name, title, ...what }) => ({
  name,
  title: `create, refresh and verify over CDI 5.4, durable on ${title}, 64 requests in flight`,
  ours: REFRESH,
  lanes: 64,
  ...what,
  contenders: (directory, { postgres }) => [
    ...algorithms.flatMap((algorithm) =>
      ["refresh", "create", "verify"].map((call) => ({
        name: nameOf(call, algorithm),
        module: "pawl-core-cdi",
        opener: call,
        settings: { directory, algorithm, sessions: 5000, ...(postgres === undefined ? {} : { url: postgres["url"] }) },
      })),
    ),
    { name: FLOOR, module: "http-floor", opener: "echo", settings: (/** @type {any} */ facts) => facts[REFRESH] },
  ],
  judge: (score) => {
    const timesLess = (/** @type {string} */ contender) => ORIGINAL.cpuMicros / score(contender).cpuMicros;
    return {
      ratio: timesLess(REFRESH),
      goals: [
        ...algorithms.flatMap((algorithm) =>
          ["refresh", "create"].map((call) =>
            ratioAtLeast(
              `the original's ${ORIGINAL.cpuMicros} µs, of a ${call}, ${algorithm},`,
              timesLess(nameOf(call, algorithm)),
              TIMES_LESS[algorithm],
            ),
          ),
        ),
        memoryAtMost(score(REFRESH).memoryMb, 120),
      ],
    };
  },
});

/** @type {readonly import("./rows.mjs").Row[]} */
export const coreRows = [
  coreRow({ name: "core-sqlite", title: "SQLite" }),
  coreRow({
    name: "core-postgres",
    title: "PostgreSQL",
    databases: ["postgres"],
  }),
];
