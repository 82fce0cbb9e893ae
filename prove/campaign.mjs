// A campaign of hostile inputs: what went wrong, what one reading costs, and what stays in memory.
import { readFileSync } from "node:fs";
import { heapUsed } from "./heap.mjs";
import { quantile } from "./quantile.mjs";

/** What was ever found stays: it is tried before anything else. */
const corpus = (/** @type {string} */ target) => {
  /** @type {{ target: string, input: any }[]} */
  const all = JSON.parse(readFileSync(new URL("corpus.json", import.meta.url), "utf8"));
  return all.filter((entry) => entry.target === target);
};

/** Of the figures themselves, which stay in memory until the end. */
const BYTES_PER_COST = 8;

/** What 99 of 100 parses have to take less than, in ms. */
const PARSE_LIMIT = 1;

/**
 * What one parse costs: the fastest of three, in ms. A pause of the machine, of the collector or of the compiler is not the
 * input's doing and seldom comes three times in a row; an input that is slow to read is slow each time.
 */
const costOf = async (/** @type {() => unknown} */ parse) => {
  let best = Infinity;
  for (let time = 0; time < 3; time += 1) {
    const started = performance.now();
    const parsed = parse();
    if (parsed instanceof Promise) await parsed.catch(() => undefined);
    best = Math.min(best, performance.now() - started);
  }
  return best;
};

/**
 * Runs a target, and measures: a failure is an input that threw, was answered 5xx, or was taken for good, and a p99 of
 * parses that is over the limit. `parses` gives the readings of an input, each to be timed by itself.
 * @template T
 * @param {object} what
 * @param {string} what.target
 * @param {number} what.size
 * @param {(done: number) => void} what.progress
 * @param {() => T} what.next
 * @param {(input: T) => Promise<string | undefined>} what.attempt gives what went wrong
 * @param {(input: T) => (() => unknown)[]} [what.parses]
 * @param {string} [what.roundTrip] what one attempt is, where its time is told
 */
export const campaign = async ({ target, size, progress, next, attempt, parses, roundTrip }) => {
  const trips = new Float64Array(size);
  /** @type {number[]} */
  const costs = [];
  /** @type {object[]} */
  const failed = [];
  const seeds = corpus(target);
  let heap = 0;
  for (let run = 0; run < size; run += 1) {
    const input = seeds[run]?.input ?? next();
    const started = performance.now();
    const wrong = await attempt(input).catch(String);
    trips[run] = performance.now() - started;
    for (const parse of parses?.(input) ?? []) costs.push(await costOf(parse));
    if (wrong !== undefined && failed.push({ target, input, what: wrong }) <= 3)
      console.error(`for corpus.json: ${JSON.stringify(failed.at(-1)).slice(0, 2000)}`);
    if (run === Math.floor(size / 4)) {
      heap = heapUsed() - costs.length * BYTES_PER_COST;
    }
    if (run % 1000 === 0) progress(run);
  }
  const grown = (heapUsed() - costs.length * BYTES_PER_COST - heap) / 1_048_576;
  const cost = quantile(costs, 0.99);
  if (cost >= PARSE_LIMIT) console.error(`${target}: 99 of 100 parses took ${cost.toFixed(3)} ms`);
  const notes = [
    ...(parses === undefined ? [] : [`${costs.length} parses, 99 of 100 in less than ${cost.toFixed(3)} ms`]),
    ...(roundTrip === undefined ? [] : [`${roundTrip}: 99 of 100 in less than ${quantile(trips, 0.99).toFixed(0)} ms`]),
    `heap after the last three quarters: ${grown.toFixed(1)} MB more`,
  ];
  return { count: size, failures: failed.length + (cost >= PARSE_LIMIT ? 1 : 0), note: notes.join("; ") };
};
