import { type Clock, type Millis, millis } from "@pawl/storage";

/**
 * The database's time between its answers: an offset to this process's monotonic clock, so that a wall clock that is wrong or
 * jumps changes nothing. An answer proves that the server's clock stood at `now` some time between the question and its
 * arrival; the offset is moved only as far as that proves it wrong, so slow answers do not make it jitter.
 */
export class StoreClock implements Clock {
  #offset: number | undefined;

  now(): Millis {
    return millis(Math.floor(performance.now() + (this.#offset ?? performance.timeOrigin)));
  }

  /** Notes a time that the server told between two moments of `performance.now()`. */
  note(now: Millis, sent: number, received: number): void {
    // The server's time is cut to whole milliseconds.
    const [least, most] = [now - received, now + 1 - sent];
    this.#offset = Math.min(Math.max(this.#offset ?? (least + most) / 2, least), most);
  }
}
