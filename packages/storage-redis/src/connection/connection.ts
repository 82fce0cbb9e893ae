import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { StorageError } from "@pawl/storage";
import { RedisClient } from "@redis/client";
import { asStorageError } from "./failure.js";
import type { Address, RedisOptions } from "../options.js";

/** A client of the driver, as far as it is used. */
type Client = ReturnType<typeof newClient>;

/** How long to wait before the next attempt to connect, in ms. */
const reconnectDelay = (retries: number): number => Math.min(25 * 2 ** retries, 500) * (0.75 + Math.random() / 2);

/** Made once: the driver builds a class with all its commands for each new set of options, which takes it 50 ms. */
const createClient = RedisClient.factory();

/** A client of the driver; `connect` it. What was sent and not answered when its connection ends is never sent again. */
export const newClient = ({ host, port }: Address, options: RedisOptions) => {
  const reconnectStrategy = reconnectDelay;
  const { tls, username, password, database, timeout: connectTimeout } = options;
  const client = createClient({
    socket:
      tls === undefined
        ? { host, port, connectTimeout, reconnectStrategy }
        : { host, port, connectTimeout, reconnectStrategy, tls: true, ...tls, servername: tls.servername ?? host },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database === 0 ? {} : { database }),
    disableOfflineQueue: true,
    // Of Redis's own cloud.
    maintNotifications: "disabled",
    // Each call has its own time-out; the driver's costs more than the call.
    commandOptions: { timeout: 0 },
  });
  return client;
};

/**
 * The connection to one server. The driver writes what a turn of the event loop sends in one go, connects again by itself
 * and answers in order.
 */
export class Connection {
  readonly address: Address;
  readonly #options: RedisOptions;
  #client: Client;
  #lastAnswer = performance.now();
  /** Why the last attempt to connect failed. */
  #trouble: unknown;
  #acknowledged: Promise<void> | undefined;
  #isClosed = false;

  constructor(address: Address, options: RedisOptions) {
    this.address = address;
    this.#options = options;
    this.#client = this.#open();
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  /** Why it is not ready; absent while the first attempt is made. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** Resolves when it is ready; fails with its first trouble, or when the time (ms) is over. */
  async whenReady(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (!this.isReady) {
      if (this.#trouble !== undefined) throw asStorageError(this.#trouble);
      if (performance.now() > deadline) throw new StorageError("unavailable", "the server did not answer in time");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /**
   * Sends a command. With the option `wait` a write is answered when that many replicas have it.
   * @throws whatever the driver throws.
   */
  send(command: string[], { writes = false, asking = false } = {}): Promise<unknown> {
    const client = this.#client;
    // Together in one turn, so that nothing comes in between.
    if (asking) client.sendCommand(["ASKING"]).catch(() => undefined);
    const reply = client.sendCommand(command);
    return writes && this.#options.wait > 0 ? this.#replicated(reply) : reply;
  }

  /** Notes when the server last answered, by `performance.now()`. */
  noteAnswer(received: number): void {
    this.#lastAnswer = received;
  }

  /** Begins a new connection when the server has been silent for that long (ms): it may be gone without a word. */
  replaceIfSilent(duration: number): void {
    if (performance.now() - this.#lastAnswer >= duration) this.replace();
  }

  /** Lets go of the connection, with all that it was asked, and begins a new one. */
  replace(): void {
    if (this.#isClosed) return;
    const old = this.#client;
    this.#client = this.#open();
    old.destroy();
  }

  /** Ends the connection when everything it was asked is answered, but waits no longer than the time-out. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    if (!client.isReady) return client.destroy();
    const timer = setTimeout(() => client.destroy(), this.#options.timeout);
    await client.close().catch(() => undefined);
    clearTimeout(timer);
  }

  #open(): Client {
    this.#lastAnswer = performance.now();
    this.#trouble = undefined;
    const client = newClient(this.address, this.#options);
    client.on("error", (error: unknown) => {
      if (client === this.#client) this.#trouble = error;
    });
    client.on("ready", () => {
      if (client !== this.#client) return;
      this.#lastAnswer = performance.now();
      this.#trouble = undefined;
    });
    client.connect().catch((error: unknown) => {
      if (client === this.#client) this.#trouble ??= error;
    });
    return client;
  }

  async #replicated(reply: Promise<unknown>): Promise<unknown> {
    const replicas = this.#waitForReplicas();
    replicas.catch(() => undefined);
    const answer = await reply;
    await replicas;
    return answer;
  }

  /** One WAIT for all writes of a turn. */
  #waitForReplicas(): Promise<void> {
    const { wait, timeout } = this.#options;
    this.#acknowledged ??= new Promise((resolve, reject) => {
      const client = this.#client;
      setImmediate(() => {
        this.#acknowledged = undefined;
        client.sendCommand(["WAIT", String(wait), String(timeout)]).then(
          (count) => (Number(count) >= wait ? resolve() : reject(tooFew(wait))),
          (error: unknown) => reject(asStorageError(error)),
        );
      });
    });
    return this.#acknowledged;
  }
}

const tooFew = (wait: number): StorageError =>
  new StorageError(
    "unavailable",
    `fewer than ${wait} replicas acknowledged the write in time: it is done on the master, and may be lost if that fails now`,
  );
