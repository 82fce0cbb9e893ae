/** How many writes are under way at once, unless a row says otherwise. */
export const IN_FLIGHT = 32;
const EACH = 50;

/**
 * A loop in which so many workers do one operation after the other, each starting its next when it has its answer. One of
 * them takes the time of its operations: to time all would cost several times as much, in the process that is measured.
 * @param {(worker: number) => Promise<unknown>} operation
 * @param {number} [workers]
 * @returns {{ pass: () => Promise<number>, takeLatencies: () => number[] }} latencies are in microseconds
 */
export const inFlight = (operation, workers = IN_FLIGHT) => {
  /** @type {number[]} */
  let latencies = [];
  const work = async (/** @type {number} */ worker) => {
    for (let i = 0; i < EACH; i++) await operation(worker);
  };
  const timedWork = async () => {
    for (let i = 0; i < EACH; i++) {
      const start = performance.now();
      await operation(0);
      latencies.push((performance.now() - start) * 1000);
    }
  };
  return {
    pass: async () => {
      await Promise.all([timedWork(), ...Array.from({ length: workers - 1 }, (_, other) => work(other + 1))]);
      return workers * EACH;
    },
    takeLatencies: () => {
      const taken = latencies;
      latencies = [];
      return taken;
    },
  };
};
