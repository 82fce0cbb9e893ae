import { type Millis, millis } from "@pawl/storage";
import type { OutboxTypes, ServerClock } from "@pawl/storage/adapter";
import { setTimeout as pause } from "node:timers/promises";
import { performance } from "node:perf_hooks";
import { type Answer, type Connection, serverTime } from "./connection.js";
import type { ConnectionPool } from "./connection-pool.js";
import { asStorageError, isDeadlock, RowLockedError } from "./failure.js";
import { type Sql, sql } from "./sql.js";

/** How long work waits for rows that others have locked: for the time-out of a call, or a moment. */
type Patience = "for the time-out" | "a moment";

/** A batch does not wait for a row of one of its calls: they are then done one by one. */
export const patienceOf = (calls: readonly unknown[]): Patience => (calls.length > 1 ? "a moment" : "for the time-out");

/** What a transaction came to from the rows it has locked. */
export interface Decision<T> {
  readonly writes: readonly Sql[];
  /** The result for the caller, given the answers to the writes. */
  readonly result: (written: readonly Answer[]) => T;
}

const begin = sql`START TRANSACTION`;
const commit = sql`COMMIT`;
const rollback = sql`ROLLBACK`;

/** How many deadlocks in a row fail a call. */
const attempts = 20;

/** How long to wait after a deadlock, in ms: at random, so that two do not keep step. */
const retryDelay = (): number => Math.random() * 10;

/** What calls do with the server: read, or lock, decide and write. */
export class Database {
  readonly #pool: ConnectionPool;
  readonly clock: ServerClock;
  readonly outbox: OutboxTypes;
  readonly #timeout: number;

  constructor(
    pool: ConnectionPool,
    options: { readonly clock: ServerClock; readonly outbox: OutboxTypes; readonly timeout: number },
  ) {
    this.#pool = pool;
    this.clock = options.clock;
    this.outbox = options.outbox;
    this.#timeout = options.timeout;
  }

  /** The time as SQL: the server's as it runs the statement. */
  get time(): Sql {
    const { injected } = this.clock;
    return injected === undefined ? serverTime : sql`${injected.now()}`;
  }

  /** Sends statements that each stand for themselves, in one packet. @throws StorageError. */
  async send(...statements: readonly Sql[]): Promise<readonly Answer[]> {
    return this.#attempt((connection) => connection.query(statements));
  }

  /** Does work with a connection of its own, once. @throws StorageError. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await this.#pool.use(work);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  /**
   * One transaction in two trips: locks rows and reads them together with the time, then writes what `decide` says and
   * commits. It may be done several times before it succeeds.
   */
  async transact<T>(
    locks: readonly Sql[],
    decide: (answers: readonly Answer[], now: Millis) => Decision<T>,
    patience: Patience = "for the time-out",
  ): Promise<T> {
    return this.#attempt(async (connection) => {
      const sent = performance.now();
      const first = [begin, sql`SELECT ${this.time} AS now`];
      const [, time, ...answers] = await sendAll(connection, [...first, ...locks]);
      const { writes, result } = decide(answers, this.#noteTime(time, sent));
      return result(await sendAll(connection, [...writes, commit]));
    }, patience);
  }

  /**
   * One transaction in one trip, so that no lock waits for this process. The statements find the time in `@now`.
   * @returns the answers, and that time.
   */
  async transactAtOnce(
    statements: readonly Sql[],
    patience: Patience,
  ): Promise<{ readonly answers: readonly Answer[]; readonly now: Millis }> {
    return this.#attempt(async (connection) => {
      const sent = performance.now();
      const setTime = sql`SET @now = ${this.time}`;
      const all = [begin, setTime, sql`SELECT @now AS now`, ...statements, commit];
      const [, , time, ...answers] = await connection.query(all);
      return { answers: answers.slice(0, statements.length), now: this.#noteTime(time, sent) };
    }, patience);
  }

  #noteTime(answer: Answer | undefined, sent: number): Millis {
    const { now } = answer!.rows[0] as { readonly now: number };
    this.clock.note(now, sent, performance.now());
    return millis(now);
  }

  async #attempt<T>(work: (connection: Connection) => Promise<T>, patience: Patience = "for the time-out"): Promise<T> {
    const end = performance.now() + (patience === "a moment" ? 0 : this.#timeout);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#pool.use((connection) => undoing(connection, work));
      } catch (error) {
        const failure = asStorageError(error);
        const isLocked = failure instanceof RowLockedError && performance.now() < end;
        if (!isLocked && (attempt === attempts || !isDeadlock(error))) throw failure;
      }
      await pause(retryDelay());
    }
  }
}

/** Leaves no transaction open behind work that failed. */
const undoing = async <T>(connection: Connection, work: (connection: Connection) => Promise<T>): Promise<T> => {
  try {
    return await work(connection);
  } catch (error) {
    if (!connection.isBroken) await connection.query([rollback]).catch(() => connection.close());
    throw error;
  }
};

/** Sends statements in as few packets as they fit into. */
const sendAll = async (connection: Connection, statements: readonly Sql[]): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  let packet: Sql[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (packet.length > 0) answers.push(...(await connection.query(packet)));
    packet = [];
    size = 0;
  };
  for (const statement of statements) {
    if (size + statement.text.length > connection.packetSize) await flush();
    packet.push(statement);
    size += statement.text.length;
  }
  await flush();
  return answers;
};
