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

  /** @param asked, answered by `performance.now()`. */
  observe(now: Millis, { asked, answered }: { readonly asked: number; readonly answered: number }): void {
    // The server's time is cut to whole milliseconds.
    const [least, most] = [now - answered, now + 1 - asked];
    this.#offset = Math.min(Math.max(this.#offset ?? (least + most) / 2, least), most);
  }
}
