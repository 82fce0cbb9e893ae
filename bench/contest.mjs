import { startWorker } from "./worker.mjs";

/**
 * One taker of part in a row. `settings` may be made from what the load process found out about the servers before it:
 * one of their requests, and how long its answer is.
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} module file of `contenders/`
 * @property {string} opener its export
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
 * Runs contenders against each other: each in a process of its own, each for a slice in every round, in an order drawn
 * anew, so that whatever else the machine does falls on all of them alike.
 * @param {{ contenders: Contender[], lanes?: number }} row
 * @param {Pace} pace
 * @param {(text: string) => void} progress
 * @param {{ profile?: string }} [options] a folder for CPU profiles of each contender
 * @returns {Promise<Score[]>}
 */
export const hold = async (row, pace, progress, { profile } = {}) => {
  const load = startWorker("load-process.mjs");
  /** @type {{ contender: Contender, worker: import("./worker.mjs").Worker, serves: boolean, score: Score }[]} */
  const entrants = [];
  /** @type {Record<string, any>} */
  const facts = {};
  try {
    for (const contender of row.contenders) {
      progress(`opening ${contender.name}`);
      const { name, module, opener, settings } = contender;
      const worker = startWorker(
        "contender-process.mjs",
        [module, opener],
        profile === undefined
          ? []
          : ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${fileName(name)}.cpuprofile`],
      );
      /** @type {Score} */
      const score = { name, perSecond: 0, cpuMicros: 0, memoryMb: 0, rounds: [] };
      const entrant = { contender, worker, serves: false, score };
      entrants.push(entrant);
      const opened = await worker.call("open", typeof settings === "function" ? settings(facts) : settings);
      if (opened === undefined) continue;
      entrant.serves = true;
      facts[name] = await load.call("aim", name, { ...opened, lanes: row.lanes ?? 64 });
    }

    const slice = async (
      /** @type {(typeof entrants)[number]} */ { contender: { name }, worker, serves },
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
      progress(`warming up ${entrant.contender.name}`);
      await slice(entrant, pace.warmMillis);
    }
    for (let round = 1; round <= pace.rounds; round++) {
      for (const entrant of shuffled(entrants)) {
        progress(`round ${round} of ${pace.rounds}: ${entrant.contender.name}`);
        const { operations, micros, cpuMicros, memoryBytes, latency } = await slice(entrant, pace.sliceMillis);
        entrant.score.memoryMb = memoryBytes / 2 ** 20;
        entrant.score.rounds.push({
          perSecond: (operations / micros) * 1e6,
          cpuMicros: cpuMicros / operations,
          ...latency,
        });
      }
    }
    for (const { score } of entrants) {
      score.perSecond = median(score.rounds.map((round) => round.perSecond));
      score.cpuMicros = median(score.rounds.map((round) => round.cpuMicros));
      for (const rank of /** @type {const} */ (["p50Micros", "p99Micros"])) {
        const measured = score.rounds.flatMap((round) => round[rank] ?? []);
        if (measured.length > 0) score[rank] = median(measured);
      }
    }
    return entrants.map(({ score }) => score);
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
