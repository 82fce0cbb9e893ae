/** How many writes are under way at once, unless a row says otherwise. */
export const IN_FLIGHT = 32;
const EACH = 50;

/**
 * A pass in which so many workers do one operation after the other, each starting its next when it has its answer.
 * @param {(worker: number) => Promise<unknown>} operation
 * @param {number} [workers]
 * @returns {() => Promise<number>}
 */
export const inFlight =
  (operation, workers = IN_FLIGHT) =>
  async () => {
    const work = async (/** @type {number} */ worker) => {
      for (let i = 0; i < EACH; i++) await operation(worker);
    };
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
    return workers * EACH;
  };
