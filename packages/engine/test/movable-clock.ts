import { type Clock, type Millis, millis } from "@pawl/storage";

/** A clock that stands still until it is moved. */
export class MovableClock implements Clock {
  #now: number;

  constructor(now = Date.UTC(2031, 4, 6, 7, 8, 9, 123)) {
    this.#now = now;
  }

  now(): Millis {
    return millis(this.#now);
  }

  advance(by: number): void {
    this.#now += by;
  }
}
