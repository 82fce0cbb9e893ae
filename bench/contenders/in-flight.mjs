/** How many writes are under way at once. */
export const IN_FLIGHT = 32;
const EACH = 50;

/**
 * A pass in which 32 workers do one operation after the other, each starting its next when it has its answer.
 * @param {() => Promise<unknown>} operation
 * @returns {() => Promise<number>}
 */
export const inFlight = (operation) => async () => {
  const work = async () => {
    for (let i = 0; i < EACH; i++) await operation();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return IN_FLIGHT * EACH;
};
