import { clearTimeout, setTimeout } from "node:timers";
import { StorageError } from "@pawl/storage";
import { Connection } from "./connection.js";
import type { MysqlOptions } from "../options.js";

/** How long, in milliseconds, a connection may be idle: it is closed before the server ends it. */
const idleTime = 15_000;

interface Waiter {
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: unknown) => void;
}

/** A few connections that calls share. They are opened when needed, and those that broke are replaced. */
export class ConnectionPool {
  readonly #options: MysqlOptions;
  readonly #idle: { readonly connection: Connection; readonly timer: NodeJS.Timeout }[] = [];
  readonly #waiting = new Set<Waiter>();
  #open = 0;
  #isClosed = false;

  constructor(options: MysqlOptions) {
    this.#options = options;
  }

  /** Does work with a connection of its own. @throws StorageError `unavailable` when none is free in time. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    try {
      return await work(connection);
    } finally {
      this.#release(connection);
    }
  }

  /** Closes those that are idle, and the others when their work is done. */
  close(): void {
    this.#isClosed = true;
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection.quit();
    }
  }

  async #take(): Promise<Connection> {
    if (this.#isClosed) throw new StorageError("closed", "the storage was closed");
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      clearTimeout(last.timer);
      if (!last.connection.isBroken) return last.connection;
      this.#open -= 1;
    }
    return this.#open < this.#options.poolSize ? this.#connect() : this.#wait();
  }

  async #connect(): Promise<Connection> {
    this.#open += 1;
    try {
      return await Connection.open(this.#options);
    } catch (error) {
      this.#replace();
      throw error;
    }
  }

  #wait(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        const message = `no connection was free within ${this.#options.timeout} ms: raise pool_size, or the server is slow`;
        reject(new StorageError("unavailable", message));
      };
      const timer = setTimeout(giveUp, this.#options.timeout);
      const waiter: Waiter = {
        resolve: (connection) => {
          clearTimeout(timer);
          resolve(connection);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  #release(connection: Connection): void {
    if (connection.isBroken) {
      this.#replace();
      return;
    }
    const waiter = this.#next();
    if (waiter !== undefined) {
      waiter.resolve(connection);
      return;
    }
    if (this.#isClosed) {
      connection.quit();
      return;
    }
    const timer = setTimeout(() => this.#retire(connection), idleTime).unref();
    this.#idle.push({ connection, timer });
  }

  /** One connection less: the call that has waited longest gets another. */
  #replace(): void {
    this.#open -= 1;
    const waiter = this.#next();
    if (waiter !== undefined) this.#connect().then(waiter.resolve, waiter.reject);
  }

  #retire(connection: Connection): void {
    const index = this.#idle.findIndex((idle) => idle.connection === connection);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#open -= 1;
    connection.quit();
  }

  #next(): Waiter | undefined {
    const [waiter] = this.#waiting;
    if (waiter !== undefined) this.#waiting.delete(waiter);
    return waiter;
  }
}
