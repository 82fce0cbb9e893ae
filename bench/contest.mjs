import { startWorker } from "./worker.mjs";

/**
 * One taker of part in a row. `settings` may be made from what the load process found out about the servers before it:
 * one of their requests, and how long its answer is.
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} module file of `contenders/`
 * @property {string} opener its export
 * @property {number} [processes] how many processes of it take part; one unless given. Two processes of the same program
 *   differ by several percent, so figures that are to be told apart need more
 * @property {Record<string, any> | ((facts: Record<string, any>) => Record<string, any>)} [settings]
 *
 * @typedef {object} Score medians over the rounds
 * @property {string} name
 * @property {number} perSecond
 * @property {number} cpuMicros CPU of its process per operation, user and system
 * @property {number} memoryMb resident memory of its process at the end; 0 where it is another program
 * @property {number} [bytesPerSession] what the store takes for each, where a store was grown
 * @property {number} [p50Micros] latency of an operation, where several are in flight or it goes over HTTP
 * @property {number} [p99Micros]
 * @property {({ perSecond: number, cpuMicros: number } & Partial<import("./latency.mjs").Latency>)[]} rounds
 *
 * @typedef {{ rounds: number, sliceMillis: number, warmMillis: number }} Pace
 */

/** Before each slice a server is driven for so much of it without being measured. */
const UNCOUNTED = 0.4;

/** @param {number[]} values */
export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? /** @type {number} */ (sorted[middle])
    : (/** @type {number} */ (sorted[middle - 1]) + /** @type {number} */ (sorted[middle])) / 2;
};

/**
 * The median of each figure, over those that have it.
 * @template {Record<string, number>} Figures
 * @param {readonly Figures[]} all
 * @returns {Figures}
 */
const medians = (all) => {
  const names = new Set(all.flatMap((figures) => Object.keys(figures)));
  const medianOf = (/** @type {string} */ name) => median(all.flatMap((figures) => figures[name] ?? []));
  return /** @type {any} */ (Object.fromEntries([...names].map((name) => [name, medianOf(name)])));
};

/**
 * @typedef {{ perSecond: number, cpuMicros: number, memoryMb: number } & Partial<import("./latency.mjs").Latency>} Measured
 * @param {{ operations: number, micros: number, cpuMicros: number, memoryBytes: number, latency?: import("./latency.mjs").Latency }} slice
 * @returns {Measured}
 */
const measuredOf = ({ operations, micros, cpuMicros, memoryBytes, latency }) => ({
  perSecond: (operations / micros) * 1e6,
  cpuMicros: cpuMicros / operations,
  memoryMb: memoryBytes / 2 ** 20,
  ...latency,
});

/** @param {Contender} contender */
const eachProcess = (contender) =>
  Array.from({ length: contender.processes ?? 1 }, (_, place) => ({
    contender,
    name: place === 0 ? contender.name : `${contender.name}, process ${place + 1}`,
  }));

/** @template T @param {readonly T[]} items */
const shuffled = (items) => {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [/** @type {T} */ (copy[j]), /** @type {T} */ (copy[i])];
  }
  return copy;
};

/**
 * Runs contenders against each other: each in a process of its own, or several, each for a slice in every round, in an
 * order drawn anew, so that whatever else the machine does falls on all of them alike.
 * @param {{ contenders: Contender[], lanes?: number }} row
 * @param {Pace} pace
 * @param {(text: string) => void} progress
 * @param {{ profile?: string }} [options] a folder for CPU profiles of each contender
 * @returns {Promise<Score[]>}
 */
export const hold = async (row, pace, progress, { profile } = {}) => {
  const load = startWorker("load-process.mjs");
  /** @type {{ name: string, contender: Contender, worker: import("./worker.mjs").Worker, serves: boolean }[]} */
  const entrants = [];
  /** @type {Record<string, any>} */
  const facts = {};
  try {
    for (const { contender, name } of row.contenders.flatMap(eachProcess)) {
      progress(`opening ${name}`);
      const { module, opener, settings } = contender;
      const worker = startWorker(
        "contender-process.mjs",
        [module, opener],
        profile === undefined
          ? []
          : ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${fileName(name)}.cpuprofile`],
      );
      const entrant = { name, contender, worker, serves: false };
      entrants.push(entrant);
      const opened = await worker.call("open", typeof settings === "function" ? settings(facts) : settings);
      if (opened === undefined) continue;
      entrant.serves = true;
      facts[contender.name] = await load.call("aim", name, { ...opened, lanes: row.lanes ?? 64 });
    }

    const slice = async (
      /** @type {(typeof entrants)[number]} */ { name, worker, serves },
      /** @type {number} */ millis,
    ) => {
      if (!serves) return worker.call("slice", millis);
      await load.call("connect", name);
      // Its connections are new and it has slept: a server that is at work looks different.
      await load.call("drive", name, Math.round(millis * UNCOUNTED));
      const before = await worker.call("usage");
      const driven = await load.call("drive", name, millis);
      const after = await worker.call("usage");
      await load.call("disconnect", name);
      return { ...driven, cpuMicros: after.cpuMicros - before.cpuMicros, memoryBytes: after.memoryBytes };
    };

    for (const entrant of entrants) {
      progress(`warming up ${entrant.name}`);
      await slice(entrant, pace.warmMillis);
    }
    /** @type {Score[]} */
    const scores = row.contenders.map(({ name }) => ({ name, perSecond: 0, cpuMicros: 0, memoryMb: 0, rounds: [] }));
    for (let round = 1; round <= pace.rounds; round++) {
      /** @type {Map<string, Measured[]>} */
      const slices = new Map(scores.map(({ name }) => [name, []]));
      for (const entrant of shuffled(entrants)) {
        progress(`round ${round} of ${pace.rounds}: ${entrant.name}`);
        slices.get(entrant.contender.name)?.push(measuredOf(await slice(entrant, pace.sliceMillis)));
      }
      for (const score of scores) {
        const { memoryMb, ...measured } = medians(slices.get(score.name) ?? []);
        score.memoryMb = memoryMb;
        score.rounds.push(measured);
      }
    }
    return scores.map((score) => ({ ...score, ...medians(score.rounds) }));
  } finally {
    await Promise.all([load, ...entrants.map(({ worker }) => worker)].map((worker) => worker.stop()));
  }
};

/** @param {string} name */
const fileName = (name) => name.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase();

/**
 * How many times the CPU of `under` the contender `over` takes: the median of the quotients of each round, in which
 * both ran within seconds of each other.
 * @param {Score} over
 * @param {Score} under
 * @param {"cpuMicros" | "perSecond"} [measure]
 */
export const quotient = (over, under, measure = "cpuMicros") =>
  median(over.rounds.map((round, i) => round[measure] / /** @type {any} */ (under.rounds[i])[measure]));
