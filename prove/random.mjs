/** A repeatable generator of numbers (mulberry32): the same seed gives the same run. */
export const createRandom = (/** @type {number} */ seed) => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (/** @type {number} */ limit) => Math.floor(next() * limit);
  return {
    below,
    /** @type {<T>(list: ArrayLike<T>) => T} */
    pick: (list) => /** @type {any} */ (list[below(list.length)]),
    chance: (/** @type {number} */ probability) => next() < probability,
  };
};

/** @typedef {ReturnType<typeof createRandom>} Random */
