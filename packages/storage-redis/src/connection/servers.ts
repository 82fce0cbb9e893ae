import { Connection } from "./connection.js";
import type { Tag } from "../key-space.js";
import type { RedisOptions } from "../options.js";

/** The servers that hold a store: one, or the masters of a cluster. */
export interface Servers {
  /** The server that has the keys of a tag, as far as is known. */
  of(tag: Tag): Connection | undefined;
  /** The server at an address that another one named, as `host:port`. */
  at(address: string, from: Connection): Connection;
  /** Takes note of what another server said of a tag. */
  moved(tag: Tag, address: string, from: Connection): void;
  /** Asks again which server has what. */
  refresh(): Promise<void>;
  /** Whether a server that cannot be reached may soon have a successor. */
  readonly mayRecover: boolean;
  readonly masters: readonly Connection[];
  close(): Promise<void>;
}

/** A store on one server. */
export class SingleServer implements Servers {
  readonly #connection: Connection;
  readonly mayRecover = false;

  constructor(options: RedisOptions) {
    this.#connection = new Connection(options.addresses[0]!, options);
  }

  get masters(): readonly Connection[] {
    return [this.#connection];
  }

  of(): Connection {
    return this.#connection;
  }

  at(): Connection {
    return this.#connection;
  }

  moved(): void {}

  async refresh(): Promise<void> {}

  close(): Promise<void> {
    return this.#connection.close();
  }
}
