/**
 * How long operations took from their start to their answer: at most so long for half of them, and for 99 of a hundred.
 * @typedef {{ p50Micros: number, p99Micros: number }} Latency
 *
 * @param {number[]} micros one or more
 * @returns {Latency} nearest ranks
 */
export const latencyOf = (micros) => {
  const sorted = Float64Array.from(micros).toSorted();
  const rank = (/** @type {number} */ share) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return { p50Micros: rank(0.5), p99Micros: rank(0.99) };
};
