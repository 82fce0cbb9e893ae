import { StorageError } from "@pawl/storage";
import type { Database as LibsqlDatabase } from "libsql";

export type Value = string | number | null;

/** A row as the values of its columns, in their order. */
export type Columns = readonly Value[];

/** A prepared statement. Its parameters stand by position, which costs both drivers less than by name. */
export interface Statement<Row = unknown> {
  get(parameters: readonly Value[]): Row | undefined;
  all(parameters: readonly Value[]): readonly Row[];
  run(parameters: readonly Value[]): { readonly changes: number | bigint };
}

/** One connection to a database file. Everything is synchronous; errors are the driver's own. */
export interface Connection {
  /** Runs statements without parameters, and drops what they return. */
  exec(sql: string): void;
  /** Rows are objects. */
  prepare(sql: string): Statement;
  /** Rows are arrays, which costs half as much; to be read with `get` alone. */
  prepareColumns(sql: string): Pick<Statement<Columns>, "get">;
  close(): void;
}

export type DriverName = "node" | "libsql";

/** A binding to SQLite. */
export interface Driver {
  readonly name: DriverName;
  open(path: string): Connection;
}

/**
 * Loads a driver: `node:sqlite` where this version of Node has it without a flag, otherwise `libsql`.
 * @throws StorageError `adapter_missing` when the one asked for is not there.
 */
export const loadDriver = async (name: DriverName | undefined): Promise<Driver> => {
  const driver = name === "libsql" ? undefined : loadNodeDriver();
  if (driver !== undefined) return driver;
  if (name === "node")
    throw new StorageError("adapter_missing", "driver=node needs a Node with node:sqlite: 22.13 or newer");
  return loadLibsqlDriver();
};

/** What is used of `DatabaseSync` in `node:sqlite`. */
interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

interface NodeStatement {
  get(...parameters: readonly Value[]): unknown;
  all(...parameters: readonly Value[]): unknown[];
  run(...parameters: readonly Value[]): { readonly changes: number | bigint };
  /** Not before Node 22.16. */
  setReturnArrays?(enabled: boolean): void;
}

const loadNodeDriver = (): Driver | undefined => {
  const sqlite = loadQuietly("node:sqlite", "SQLite is an experimental feature") as
    | { readonly DatabaseSync: new (path: string) => NodeDatabase }
    | undefined;
  return sqlite && { name: "node", open: (path) => connectionOfNode(new sqlite.DatabaseSync(path)) };
};

const connectionOfNode = (database: NodeDatabase): Connection => ({
  exec: (sql) => database.exec(sql),
  prepare(sql) {
    const statement = database.prepare(sql);
    return {
      get: (parameters) => statement.get(...parameters),
      all: (parameters) => statement.all(...parameters),
      run: (parameters) => statement.run(...parameters),
    };
  },
  prepareColumns(sql) {
    const statement = database.prepare(sql);
    if (statement.setReturnArrays === undefined)
      return { get: (parameters) => valuesOf(statement.get(...parameters) as object | undefined) };
    statement.setReturnArrays(true);
    return { get: (parameters) => statement.get(...parameters) as Columns | undefined };
  },
  close: () => database.close(),
});

const valuesOf = (row: object | undefined): Columns | undefined => row && (Object.values(row) as Columns);

const loadLibsqlDriver = async (): Promise<Driver> => {
  try {
    const { default: Libsql } = await import("libsql");
    return { name: "libsql", open: (path) => connectionOfLibsql(new Libsql(path)) };
  } catch (cause) {
    const message = isNotInstalled(cause)
      ? "SQLite needs Node.js 22.13 or newer, or the package libsql: run npm install libsql"
      : "the package libsql has no binary for this system; Node.js 22.13 or newer needs none";
    throw new StorageError("adapter_missing", message, { cause });
  }
};

/** In a bundle of CommonJS it is a module, not a package. */
const isNotInstalled = (error: unknown): boolean => /Cannot find (?:package|module) 'libsql'/.test(String(error));

/** Its statements take an array as it is. */
const connectionOfLibsql = (database: LibsqlDatabase): Connection => ({
  exec: (sql) => database.exec(sql),
  prepare: (sql) => database.prepare(sql),
  prepareColumns: (sql) => database.prepare(sql).raw(true) as Pick<Statement<Columns>, "get">,
  close: () => database.close(),
});

/** Loads a part of Node without the one warning that starts so; every other warning is printed as always. */
const loadQuietly = (name: string, warning: string): unknown => {
  // oxlint-disable-next-line typescript/unbound-method -- only ever called through process
  const { emitWarning } = process;
  const filtered = (...words: readonly unknown[]): void => {
    if (!String(words[0]).startsWith(warning)) Reflect.apply(emitWarning, process, words);
  };
  process.emitWarning = filtered;
  try {
    return process.getBuiltinModule(name);
  } finally {
    process.emitWarning = emitWarning;
  }
};
