import { type Clock, type Millis, millis } from "@pawl/storage";

/** When the offset counts as old, in ms. */
const renewalInterval = 10_000;

/**
 * The time of the server that holds the store's own keys, kept as an offset to the monotonic clock of this process, which
 * no correction of the machine's clock moves. Other servers of a cluster have clocks of their own: what becomes of a row
 * is decided by the clock of the server that has it.
 */
export class ServerClock {
  readonly #injected: Clock | undefined;
  readonly #renew: () => void;
  #offset = Date.now() - performance.now();
  #renewAt = 0;

  /**
   * @param injected takes the place of the server's time everywhere.
   * @param renew called when the offset is old, to ask the server for its time.
   */
  constructor(injected: Clock | undefined, renew: () => void) {
    this.#injected = injected;
    this.#renew = renew;
  }

  now(): Millis {
    if (this.#injected !== undefined) return this.#injected.now();
    const present = performance.now();
    if (present >= this.#renewAt) {
      this.#renewAt = present + renewalInterval;
      this.#renew();
    }
    return millis(Math.round(present + this.#offset));
  }

  /** The time as an argument of a script: empty where the server's own counts. */
  get argument(): string {
    return this.#injected === undefined ? "" : String(this.#injected.now());
  }

  /**
   * Takes note of a time that the server told between two moments of `performance.now()`: the offset is moved as little as
   * agrees with it, so that a slow answer does not.
   */
  note(time: number, sent: number, received: number): void {
    this.#offset = Math.max(time - received, Math.min(time - sent, this.#offset));
    this.#renewAt = received + renewalInterval;
  }
}
