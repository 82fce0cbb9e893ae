import { type Clock, type Millis, millis } from "@pawl/storage";
import { serverTime } from "./connection.js";
import { type Sql, sql } from "./sql.js";

/**
 * The server's time. Kept as an offset to the monotonic clock of this process, which no correction of the machine's clock
 * moves, and renewed by each answer that tells the server's time.
 */
export class ServerClock {
  readonly #injected: Clock | undefined;
  #offset = Date.now() - performance.now();

  /** @param injected takes the place of the server's time everywhere. */
  constructor(injected: Clock | undefined) {
    this.#injected = injected;
  }

  now(): Millis {
    return this.#injected?.now() ?? millis(Math.round(performance.now() + this.#offset));
  }

  /** The time as SQL: the server's as it runs the statement. */
  get expression(): Sql {
    return this.#injected === undefined ? serverTime : sql`${this.#injected.now()}`;
  }

  /**
   * Takes note of a time that the server told between two moments of `performance.now()`: the offset is moved as little as
   * agrees with it, so that a slow answer does not.
   * @returns that time.
   */
  note(time: number, sent: number, received: number): Millis {
    this.#offset = Math.max(time - received, Math.min(time - sent, this.#offset));
    return millis(time);
  }
}
