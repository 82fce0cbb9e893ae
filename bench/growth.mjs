import { statSync } from "node:fs";
import { ratioAtLeast } from "./goals.mjs";
import { startWorker } from "./worker.mjs";

/** How many sessions a store holds when it is measured. */
const SIZES = [10_000, 100_000, 1_000_000];
const SHORT_SIZES = [1000, 10_000];

const count = new Intl.NumberFormat("en-US");
/** The operation that is judged and plotted. */
export const REFRESH = "refresh, 32 in flight";
const at = (/** @type {string} */ operation, /** @type {number} */ size) => `${operation}, at ${count.format(size)}`;

/**
 * Lets one store grow and measures at each size what operations cost, and what the store takes. The largest size comes first.
 * @param {{ url: string, directory: string, database: import("./databases.mjs").Database | undefined }} store
 * @param {boolean} isShort
 * @param {(text: string) => void} tell
 * @returns {Promise<import("./contest.mjs").Score[]>}
 */
const grow = async ({ url, directory, database }, isShort, tell) => {
  const worker = startWorker("growth-process.mjs");
  const scores = [];
  try {
    await worker.call("open", url);
    for (const size of isShort ? SHORT_SIZES : SIZES) {
      tell(`growing to ${count.format(size)} sessions`);
      await worker.call("grow", size);
      const bytes = database?.bytes("growth") ?? statSync(`${directory}/growth.db`).size;
      const measured = [];
      for (const operation of await worker.call("operations")) {
        tell(at(operation, size));
        measured.push({ ...(await worker.call("measure", operation, isShort)), name: at(operation, size) });
      }
      const [first, ...rest] = measured;
      scores.unshift({ ...first, bytesPerSession: Math.round(bytes / size) }, ...rest);
    }
  } finally {
    await worker.stop();
  }
  return scores;
};

/**
 * The figures of a growth row of a report: operation and size out of each name.
 * @param {import("./report.mjs").ReportRow} row
 */
export const growthOf = (row) =>
  row.peers.map((figures) => {
    const [, operation = "", size = ""] = /^(.*), at ([\d,]+)$/.exec(figures.name) ?? [];
    return { ...figures, operation, size: Number(size.replaceAll(",", "")) };
  });

/**
 * A row of growth. Its limit is the design's: a refresh costs at most so many times what it cost in a small store.
 * @param {string} storage
 * @param {{ title: string, database?: "postgres" | "mysql" | "redis", kept: number }} what
 * @returns {import("./rows.mjs").Row}
 */
const growthRow = (storage, { title, kept, database }) => ({
  name: `growth-${storage}`,
  title: `one store on ${title} that grows`,
  ours: "",
  growth: true,
  contenders: () => [],
  measure({ directory, databases }, isShort, tell) {
    const [opened] = Object.values(databases);
    const url = opened?.storeUrl("growth") ?? `sqlite:${directory}/growth.db`;
    return grow({ url, directory, database: opened }, isShort, tell);
  },
  ...(database === undefined ? {} : { databases: [database] }),
  judge: (_score, scores) => {
    const refreshes = scores.filter(({ name }) => name.startsWith(REFRESH));
    const [largest, smaller = largest] = /** @type {[any, any]} */ (refreshes);
    const ratio = largest.perSecond / smaller.perSecond;
    return { ratio, goals: [ratioAtLeast("refreshes per second, of those with a tenth of the sessions", ratio, kept)] };
  },
});

/** SQLite went from 31 to 18 thousand a second, batches on PostgreSQL from 29 to 19, when the design was made. */
export const growthRows = [
  growthRow("sqlite", { title: "SQLite", kept: 0.58 }),
  growthRow("postgres", { title: "PostgreSQL", database: "postgres", kept: 0.66 }),
  growthRow("mysql", { title: "MariaDB", database: "mysql", kept: 0.66 }),
  growthRow("redis", { title: "Redis", database: "redis", kept: 0.66 }),
];
