import type { Millis } from "./identifiers.js";

/** Where time comes from. Handed in everywhere, so that a test can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): Millis;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() as Millis };
