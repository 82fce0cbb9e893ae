import { clearTimeout, setTimeout } from "node:timers";
import { StorageError } from "@pawl/storage";
import { type Connection as Driver, createConnection } from "mysql2";
import { decodeTexts } from "../index-key.js";
import type { MysqlOptions } from "../options.js";
import { noAnswerWithin } from "./failure.js";
import { join, type Sql, sql } from "./sql.js";

/** What the server answered to one statement. */
export interface Answer {
  /** Every text column is binary: the driver gives bytes, `decodeTexts` made texts of them. */
  readonly rows: readonly object[];
  /** How many rows a write found, also those that held its values already (`CLIENT_FOUND_ROWS`). */
  readonly affected: number;
}

/** The rows of an answer, which the statement gives this shape. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the statement knows the shape, the driver does not
export const rowsOf = <Row>(answer: Answer | undefined): readonly Row[] => (answer?.rows ?? []) as readonly Row[];

/** The server's own time in milliseconds, as it is when the statement starts; no time zone touches it. */
export const serverTime = sql`TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000`;

/** For how many seconds the server keeps an idle connection, and so the locks of a node that vanished. */
const idleSeconds = 30;

/** How many seconds a statement waits for a locked row. A batch is then done call by call, others try again. */
const lockWait = 1;

/** The server ends what this process has given up; each kind of server reads its own comment. */
const setup = (timeout: number): readonly Sql[] => {
  const seconds = Math.ceil(timeout / 1000);
  return [
    sql`SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED`,
    sql`SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
      wait_timeout = ${idleSeconds}, innodb_lock_wait_timeout = ${lockWait}
      /*M!100100 , max_statement_time = ${seconds}, idle_transaction_timeout = ${Math.min(seconds * 2, idleSeconds)} */
      /*!80000 , max_execution_time = ${timeout} */`,
  ];
};

interface ServerRow {
  readonly flushed: number;
  readonly log_bin: number;
  readonly sync_binlog: number;
  readonly max_packet: number;
}

const server = sql`SELECT @@innodb_flush_log_at_trx_commit AS flushed, @@log_bin AS log_bin, @@sync_binlog AS sync_binlog,
  @@max_allowed_packet AS max_packet`;

const checkDurability = ({ flushed, log_bin, sync_binlog }: ServerRow): void => {
  const wanted = [
    ...(flushed === 1 ? [] : [`innodb_flush_log_at_trx_commit = 1 (it is ${flushed})`]),
    ...(log_bin === 0 || sync_binlog === 1 ? [] : [`sync_binlog = 1 (it is ${sync_binlog})`]),
  ];
  if (wanted.length > 0)
    throw new StorageError(
      "unavailable",
      `the server acknowledges what is not on its disk yet: set ${wanted.join(" and ")}, or accept the loss with durability=relaxed in the URL`,
    );
};

/** A connection to the server. It is used by one caller at a time. */
export class Connection {
  readonly #driver: Driver;
  readonly #timeout: number;
  #maxPacket = 4 * 1024 * 1024;
  #isBroken = false;

  private constructor(driver: Driver, timeout: number) {
    this.#driver = driver;
    this.#timeout = timeout;
    // Without a listener an idle connection that the server ends would end the process.
    driver.on("error", () => {
      this.#isBroken = true;
    });
  }

  /** Connects and sets the session up. @throws the driver's error, or StorageError when the server is not as it must be. */
  static async open(options: MysqlOptions): Promise<Connection> {
    const { host, port, socketPath, user, password, database, ssl, timeout, relaxed } = options;
    const driver = createConnection({
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      user,
      password,
      database,
      ...(ssl && { ssl }),
      connectTimeout: timeout,
      charset: "utf8mb4_bin",
      multipleStatements: true,
      // Values stand in the statements already: nothing is to be looked for in them.
      queryFormat: (text: string) => text,
      // Said although it is the driver's default: an update counts the rows it finds, not those it changes.
      flags: ["+FOUND_ROWS", "-LOCAL_FILES", "-IGNORE_SPACE"],
    });
    const connection = new Connection(driver, timeout);
    try {
      await connection.#connected();
      const statements = [...setup(timeout), server];
      const row = (await connection.query(statements)).at(-1)?.rows[0] as ServerRow;
      if (!relaxed) checkDurability(row);
      connection.#maxPacket = row.max_packet;
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Whether it can be used no more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** How many characters of SQL are sent together at most, unless one statement alone is longer. */
  get packetSize(): number {
    return Math.min(1024 * 1024, this.#maxPacket / 2);
  }

  /**
   * Sends statements in one packet; the server does them one after the other until one fails.
   * @param options.limit how long the answer may take: the time-out of the URL, or as long as it takes.
   * @throws the driver's error, or StorageError `unavailable` when no answer comes in time, after which it is broken.
   */
  async query(statements: readonly Sql[], options: { readonly limit?: "none" } = {}): Promise<readonly Answer[]> {
    const text = join(statements, ";").text;
    if (text.length >= this.#maxPacket)
      throw new StorageError(
        "invalid_record",
        `a value needs a packet of ${text.length} bytes: raise max_allowed_packet of the server, which is ${this.#maxPacket}`,
      );
    return new Promise((resolve, reject) => {
      const timer = options.limit === undefined ? setTimeout(() => this.#giveUp(reject), this.#timeout) : undefined;
      this.#driver.query(text, (error, results) => {
        clearTimeout(timer);
        if (error === null) {
          resolve((statements.length === 1 ? [results] : (results as unknown[])).map(answerOf));
          return;
        }
        if (error.fatal) this.#isBroken = true;
        reject(error);
      });
    });
  }

  /** Ends it in order. */
  quit(): void {
    this.#isBroken = true;
    this.#driver.end();
  }

  /** Lets go of it at once; what it was doing is undone by the server. */
  close(): void {
    this.#isBroken = true;
    this.#driver.destroy();
  }

  #giveUp(reject: (error: unknown) => void): void {
    this.close();
    reject(new StorageError("unavailable", noAnswerWithin(this.#timeout)));
  }

  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#driver.connect((error) => (error === null ? resolve() : reject(error)));
    });
  }
}

const answerOf = (result: unknown): Answer =>
  Array.isArray(result)
    ? { rows: (result as object[]).map(decodeTexts), affected: 0 }
    : { rows: [], affected: (result as { readonly affectedRows: number }).affectedRows };
