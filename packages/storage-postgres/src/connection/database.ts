import { StorageError } from "@pawl/storage";
import type { OutboxTypes, ServerClock } from "@pawl/storage/adapter";
import { setTimeout as pause } from "node:timers/promises";
import { performance } from "node:perf_hooks";
import { type PoolClient, Pool } from "pg";
import { asStorageError, isUndone, leavesConnectionUsable } from "./failure.js";
import type { Address } from "../options.js";
import { cancelRequest } from "./cancel-request.js";
import { configOf, Sockets, type TimedQuery } from "./connection.js";
import { writeOutboxParts } from "./outbox-parts.js";

declare const row: unique symbol;

/**
 * A statement that returns rows of this shape. In its text `{schema}` stands for the schema, quoted, `{channel}` for the
 * channel of `channelOf`, and `{outbox …}` for what `writeOutboxParts` makes of it.
 */
export interface Statement<R = object> {
  readonly text: string;
  /** Prepared under this name where that is possible; for statements of the hot path. */
  readonly name?: string;
  readonly [row]?: R;
}

export type Value = string | number | boolean | null | readonly (string | number | null)[];

/** The statements of one transaction. Those that do not wait for one another are sent together. */
export interface Transaction {
  readonly query: <R>(statement: Statement<R>, values?: readonly Value[]) => Promise<readonly R[]>;
}

/** How often work is tried that the server undoes in favour of other work. */
const attempts = 5;

/** A server with a pool of connections to it. Every failure is a `StorageError`, and comes within the time-out. */
export class Database {
  readonly #pool: Pool;
  readonly #sockets = new Sockets();
  readonly #address: Address;
  readonly #schema: string;
  readonly #timeout: number;
  readonly #prepare: boolean;
  readonly #outbox: OutboxTypes;
  readonly #clock: ServerClock;
  readonly #texts = new Map<string, string>();

  constructor(options: {
    readonly address: Address;
    readonly schema: string;
    readonly pool: number;
    readonly timeout: number;
    readonly prepare: boolean;
    readonly outbox: OutboxTypes;
    /** Notes the server's time of every answer that has a column `now`. */
    readonly clock: ServerClock;
  }) {
    const { address, schema, pool, timeout, prepare, outbox, clock } = options;
    this.#address = address;
    this.#schema = schema;
    this.#timeout = timeout;
    this.#prepare = prepare;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#pool = new Pool({
      ...configOf(address, { sockets: this.#sockets, isShared: !prepare }),
      max: pool,
      connectionTimeoutMillis: timeout,
      idleTimeoutMillis: 60_000,
      allowExitOnIdle: true,
    });
    // A lost connection fails the call that uses it; while it is idle there is none.
    this.#pool.on("error", () => undefined);
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  get schema(): string {
    return this.#schema;
  }

  /** Runs one statement, which is a transaction of its own. */
  query<R>(statement: Statement<R>, values: readonly Value[] = []): Promise<readonly R[]> {
    return this.#retrying((client, deadline) => this.#send(client, { statement, values, deadline }), this.#timeout);
  }

  /**
   * Runs statements in one transaction. Each sees what was committed before it was begun, so that a lock taken in one
   * protects what the next reads. `work` may run several times before its commit.
   * @param timeout in milliseconds; that of the database unless given.
   */
  transaction<R>(work: (transaction: Transaction) => Promise<R>, timeout = this.#timeout): Promise<R> {
    return this.#retrying(async (client, deadline) => {
      const query = <Row>(statement: Statement<Row>, values: readonly Value[] = []): Promise<readonly Row[]> =>
        this.#send(client, { statement, values, deadline });
      // The server ends it by itself should this process vanish in the middle: it may hold locks.
      const begun = query({
        text: `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 0;
          SET LOCAL statement_timeout = ${timeout}; SET LOCAL idle_in_transaction_session_timeout = ${timeout}`,
      });
      begun.catch(() => undefined);
      try {
        const result = await work({ query });
        await begun;
        await query({ text: "COMMIT" });
        return result;
      } catch (error) {
        if (leavesConnectionUsable(error) || error instanceof StorageError) await query({ text: "ROLLBACK" });
        throw error;
      }
    }, timeout);
  }

  /** Closes each connection when its call is done, and those of a server that does not answer soon. */
  async close(): Promise<void> {
    const ended = this.#pool.end();
    const patience = new AbortController();
    await Promise.race([ended, pause(1000, undefined, { ref: false, signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
    this.#sockets.destroy();
    await ended;
  }

  async #retrying<R>(work: (client: PoolClient, deadline: number) => Promise<R>, timeout: number): Promise<R> {
    const deadline = performance.now() + timeout;
    for (let attempt = 1; ; attempt += 1)
      try {
        return await this.#using(work, deadline);
      } catch (error) {
        if (attempt === attempts || !isUndone(error) || performance.now() > deadline) throw asStorageError(error);
      }
  }

  async #using<R>(work: (client: PoolClient, deadline: number) => Promise<R>, deadline: number): Promise<R> {
    const client = await this.#pool.connect();
    let usable = true;
    try {
      return await work(client, deadline);
    } catch (error) {
      usable = error instanceof StorageError || leavesConnectionUsable(error);
      if (isTimeout(error)) void cancelRequest(this.#address, client);
      throw error;
    } finally {
      client.release(!usable);
    }
  }

  async #send<R>(
    client: PoolClient,
    { statement, values, deadline }: { statement: Statement<R>; values: readonly Value[]; deadline: number },
  ): Promise<readonly R[]> {
    const sent = performance.now();
    const question: TimedQuery = {
      text: this.#textOf(statement.text),
      values: values as Value[],
      // At least a moment, so that a call that had to wait for its connection fails as one that was sent.
      query_timeout: Math.max(1, deadline - sent),
      ...(this.#prepare && statement.name !== undefined && { name: statement.name }),
    };
    // Several statements in one text have several results, and none of those is looked at.
    const { rows = [] } = (await client.query(question)) as { readonly rows?: readonly object[] };
    const { now } = (rows[0] ?? {}) as { readonly now?: unknown };
    if (typeof now === "number") this.#clock.note(now, sent, performance.now());
    return rows as readonly R[];
  }

  #textOf(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const written = writeOutboxParts(text, this.#outbox)
      .replaceAll("{schema}", `"${this.#schema}"`)
      .replaceAll("{channel}", channelOf(this.#schema));
    this.#texts.set(text, written);
    return written;
  }
}

/** The channel on which a commit wakes those who follow the feeds. */
export const channelOf = (schema: string): string => `${schema}_feeds`;

/** The driver's error when `query_timeout` has passed. */
const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === "Query read timeout";
