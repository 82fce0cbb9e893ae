import { Socket } from "node:net";
import type { ClientConfig, QueryConfig } from "pg";
import type { Address } from "../options.js";

const BOOLEAN = 16;
const BIGINT = 20;
const INTEGER = 23;

/** All whole numbers of ours are times and counts below 2^53. */
const types = {
  getTypeParser: (type: number) => (type === BIGINT || type === INTEGER ? Number : type === BOOLEAN ? isTrue : String),
};

const isTrue = (text: string): boolean => text === "t";

/** The sockets that are open, so that those to a server that does not answer any more can be let go of. */
export class Sockets {
  readonly #open = new Set<Socket>();

  create(): Socket {
    const socket = new Socket();
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** A statement with a time-out in milliseconds, after which its connection is of no use. */
export type TimedQuery = QueryConfig & { readonly query_timeout: number };

/**
 * Settings of a connection that is ours alone. Every statement of ours finds its rows by an index; a plan that was made while
 * a table was small and is kept must not read it from end to end when it is not, and a batch has to lock in its order. No
 * call waits long for a row that another client keeps locked, least of all the other calls of its batch.
 */
const ownSettings = [
  "enable_seqscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "jit=off",
  "lock_timeout=1000",
  // Known to nobody but us: it tells whether these got through to the server.
  "pawl.connection=own",
];

/** A connection as the driver takes it. */
export const configOf = (
  address: Address,
  { sockets, isShared }: { readonly sockets: Sockets; readonly isShared: boolean },
): ClientConfig => ({
  ...(isShared ? {} : { options: ownSettings.map((setting) => `-c ${setting}`).join(" ") }),
  ...address,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  // The statements of a transaction that do not wait for one another leave together.
  pipeline: true,
  stream: () => sockets.create(),
  types,
});
