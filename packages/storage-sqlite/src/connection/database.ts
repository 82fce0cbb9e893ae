import { StorageError } from "@pawl/storage";
import type { DatabaseFile } from "./database-file.js";
import type { Columns, Connection, Driver, Statement, Value } from "./driver.js";
import { memoryPath } from "../options.js";

/** The size in bytes above which the WAL is checkpointed, and to which it shrinks when it starts again. */
export const walLimit = 4 * 1024 * 1024;

/**
 * How each connection is set up. The busy timeout blocks the event loop, so it only bridges the moment in which another
 * process commits. Checkpoints are made by `Checkpoint` alone.
 */
const setup = `
  PRAGMA busy_timeout = 5;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = OFF;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA journal_size_limit = ${walLimit};
`;

declare const row: unique symbol;

/** The text of a statement that returns rows of this shape. Its parameters are written by name, as `:id`. */
export type Query<R> = string & { readonly [row]?: R };

/** Values by parameter name, without the `:`. Every parameter of the statement has to be given: libsql forgives a missing one. */
export type Parameters = Readonly<Record<string, Value>>;

/** A prepared statement that knows which parameter stands at each place. */
interface Prepared<S> {
  readonly statement: S;
  readonly names: readonly string[];
}

/** Parameters by name as `?`, one place for each time that a name stands: Node.js 22.13 takes `?1` for a name. */
const byPosition = (sql: string): { readonly text: string; readonly names: readonly string[] } => {
  const names: string[] = [];
  const text = sql.replaceAll(/:(\w+)/g, (_, name: string) => {
    names.push(name);
    return "?";
  });
  return { text, names };
};

const valuesFor = ({ names }: Prepared<unknown>, parameters: Parameters): readonly Value[] =>
  names.map((name) => parameters[name] as Value);

/** A connection with its prepared statements, which opens when first used and again after `reset`. */
export class Database {
  readonly #driver: Driver;
  readonly path: string;
  readonly #statements = new Map<string, Prepared<Statement>>();
  readonly #columnStatements = new Map<string, Prepared<Pick<Statement<Columns>, "get">>>();
  #connection: Connection | undefined;
  #file: DatabaseFile | undefined;
  #closed = false;

  constructor(driver: Driver, path: string) {
    this.#driver = driver;
    this.path = path;
  }

  /** From now on this very file is opened, or none: never one that has taken its place, nor a new one. */
  pin(file: DatabaseFile): void {
    this.#file = file;
  }

  get inMemory(): boolean {
    return this.path === memoryPath;
  }

  exec(sql: string): void {
    this.#open().exec(sql);
  }

  /** @returns the first row. Columns are picked by name and never enumerated: libsql adds a `_metadata` of its own. */
  get<R>(sql: Query<R>, parameters: Parameters = {}): R | undefined {
    const prepared = this.#prepared(sql);
    return prepared.statement.get(valuesFor(prepared, parameters)) as R | undefined;
  }

  /** @returns the columns of the first row: for what is done most often. */
  getColumns<R extends Columns>(sql: Query<R>, parameters: Parameters): R | undefined {
    const prepared = this.#preparedColumns(sql);
    return prepared.statement.get(valuesFor(prepared, parameters)) as R | undefined;
  }

  all<R>(sql: Query<R>, parameters: Parameters = {}): readonly R[] {
    const prepared = this.#prepared(sql);
    return prepared.statement.all(valuesFor(prepared, parameters)) as R[];
  }

  /** @returns how many rows were changed. */
  run(sql: string, parameters: Parameters = {}): number {
    const prepared = this.#prepared(sql);
    return Number(prepared.statement.run(valuesFor(prepared, parameters)).changes);
  }

  /**
   * Lets go of the connection; the next use opens a new one. To be called when a statement failed because of the store: in
   * libsql one that found the database locked stays active, and would keep the connection in an old snapshot. A database
   * in memory is its connection, and stays.
   */
  reset(): void {
    if (!this.inMemory) this.#disconnect();
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#statements.clear();
    this.#columnStatements.clear();
    connection?.close();
  }

  #open(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    if (this.#closed) throw new StorageError("closed", "the storage was closed");
    this.#file?.check();
    const connection = this.#connect();
    try {
      connection.exec(setup);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  #connect(): Connection {
    try {
      return this.#driver.open(this.path);
    } catch (cause) {
      const message = `the database ${this.path} cannot be opened: is its folder there, and may this process use it?`;
      throw new StorageError("unavailable", message, { cause });
    }
  }

  #prepared(sql: string): Prepared<Statement> {
    return prepareOnce(this.#statements, sql, (text) => this.#open().prepare(text));
  }

  #preparedColumns(sql: string): Prepared<Pick<Statement<Columns>, "get">> {
    return prepareOnce(this.#columnStatements, sql, (text) => this.#open().prepareColumns(text));
  }
}

const prepareOnce = <S>(known: Map<string, Prepared<S>>, sql: string, prepare: (text: string) => S): Prepared<S> => {
  let prepared = known.get(sql);
  if (prepared === undefined) {
    const { text, names } = byPosition(sql);
    prepared = { statement: prepare(text), names };
    known.set(sql, prepared);
  }
  return prepared;
};
