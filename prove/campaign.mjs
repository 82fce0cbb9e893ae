// A campaign of hostile inputs: what went wrong, what one reading costs, and what stays in memory.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What was ever found stays: it is tried before anything else. */
const corpus = (target) =>
  JSON.parse(readFileSync(new URL("corpus.json", import.meta.url), "utf8")).filter((entry) => entry.target === target);

/** Of the figures themselves, which stay in memory until the end. */
const BYTES_PER_COST = 8;

/** What 99 of 100 parses have to take less than, in ms. */
const PARSE_LIMIT = 1;

/**
 * What one parse costs: the fastest of three, in ms. A pause of the machine, of the collector or of the compiler is not the
 * input's doing and seldom comes three times in a row; an input that is slow to read is slow each time.
 */
const costOf = async (parse) => {
  let best = Infinity;
  for (let time = 0; time < 3; time += 1) {
    const started = performance.now();
    const parsed = parse();
    if (parsed instanceof Promise) await parsed.catch(() => undefined);
    best = Math.min(best, performance.now() - started);
  }
  return best;
};

const at99 = (times) => Float64Array.from(times).sort()[Math.floor(times.length * 0.99)];

/**
 * Runs a target, and measures: a failure is an input that threw, was answered 5xx, or was taken for good, and a p99 of
 * parses that is over the limit. `parses` gives the readings of an input, each to be timed by itself.
 */
export const campaign = async ({ target, size, progress, next, attempt, parses, roundTrip }) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const trips = new Float64Array(size);
  const costs = [];
  const failed = [];
  const seeds = corpus(target);
  let heap = 0;
  for (let run = 0; run < size; run += 1) {
    const input = seeds[run]?.input ?? next();
    const started = performance.now();
    const wrong = await attempt(input).catch((error) => String(error));
    trips[run] = performance.now() - started;
    for (const parse of parses?.(input) ?? []) costs.push(await costOf(parse));
    if (wrong !== undefined && failed.push({ target, input, what: wrong }) <= 3)
      console.error(`for corpus.json: ${JSON.stringify(failed.at(-1)).slice(0, 2000)}`);
    if (run === Math.floor(size / 4)) {
      collect();
      heap = process.memoryUsage().heapUsed - costs.length * BYTES_PER_COST;
    }
    if (run % 1000 === 0) progress(run);
  }
  collect();
  const grown = (process.memoryUsage().heapUsed - costs.length * BYTES_PER_COST - heap) / 1_048_576;
  const cost = at99(costs);
  if (cost >= PARSE_LIMIT) console.error(`${target}: 99 of 100 parses took ${cost.toFixed(3)} ms`);
  const notes = [
    ...(parses === undefined ? [] : [`${costs.length} parses, 99 of 100 in less than ${cost.toFixed(3)} ms`]),
    ...(roundTrip === undefined ? [] : [`${roundTrip}: 99 of 100 in less than ${at99(trips).toFixed(0)} ms`]),
    `heap after the last three quarters: ${grown.toFixed(1)} MB more`,
  ];
  return { count: size, failures: failed.length + (cost >= PARSE_LIMIT ? 1 : 0), note: notes.join("; ") };
};
