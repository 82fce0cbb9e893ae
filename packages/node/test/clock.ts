import { type Clock, millis } from "@pawl/storage";

/** A clock that stands still until it is moved, by ms. */
export interface TestClock extends Clock {
  advance(by: number): void;
}

export const testClock = (start: number = Date.now()): TestClock => {
  let now = start;
  return {
    now: () => millis(now),
    advance: (by) => void (now += by),
  };
};
