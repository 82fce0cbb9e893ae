import { millis } from "@pawl/storage";

/** A clock that stands still until a proof sets its `time`. */
export const createClock = (time = 1_800_000_000_000) => {
  const clock = { time, now: () => millis(clock.time) };
  return clock;
};

/** @typedef {ReturnType<typeof createClock>} ProofClock */
