import { type Clock, type Millis, millis } from "@pawl/storage";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A clock that stands still until it is moved. */
export class StandingClock implements Clock {
  #time = 1_800_000_000_000;

  now(): Millis {
    return millis(this.#time);
  }

  advance(duration: number): void {
    this.#time += duration;
  }
}
