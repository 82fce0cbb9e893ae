import { performance } from "node:perf_hooks";
import { type Clock, systemClock } from "../clock.js";
import { type Millis, millis } from "../identifiers.js";

/**
 * A server's time between its answers, kept as an offset to the monotonic clock of this process, which no correction of the
 * machine's clock moves.
 */
export class ServerClock implements Clock {
  /** Takes the place of the server's time everywhere; tests move it. */
  readonly injected: Clock | undefined;
  #offset: number | undefined;

  constructor(injected: Clock | undefined) {
    this.injected = injected;
  }

  now(): Millis {
    if (this.injected !== undefined) return this.injected.now();
    return this.#offset === undefined ? systemClock.now() : millis(Math.floor(performance.now() + this.#offset));
  }

  /**
   * Notes a time that the server gave, in whole milliseconds, between two moments of `performance.now()`. The offset moves
   * only as far as that proves it wrong, so that slow answers do not make it jitter.
   */
  note(time: number, sent: number, received: number): void {
    const [least, most] = [time - received, time + 1 - sent];
    this.#offset = Math.min(Math.max(this.#offset ?? (least + most) / 2, least), most);
  }
}
