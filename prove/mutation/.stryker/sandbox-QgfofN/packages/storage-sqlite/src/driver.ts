import { StorageError } from "@pawl/storage";

export type Value = string | number | null;

/** Values by parameter name, without the `:`. Every parameter of the statement has to be given: libsql forgives a missing one. */
export type Parameters = Readonly<Record<string, Value>>;

/** A prepared statement. */
export interface Statement {
  get(parameters: Parameters): unknown;
  all(parameters: Parameters): unknown[];
  run(parameters: Parameters): { readonly changes: number | bigint };
}

/** One connection to a database file. Everything is synchronous; errors are the driver's own. */
export interface Connection {
  /** Runs statements without parameters, and drops what they return. */
  exec(sql: string): void;
  prepare(sql: string): Statement;
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

const loadNodeDriver = (): Driver | undefined => {
  const sqlite = loadQuietly("node:sqlite", "SQLite is an experimental feature") as
    | { readonly DatabaseSync: new (path: string) => Connection }
    | undefined;
  return sqlite && { name: "node", open: (path) => new sqlite.DatabaseSync(path) };
};

const loadLibsqlDriver = async (): Promise<Driver> => {
  try {
    const { default: Libsql } = await import("libsql");
    return { name: "libsql", open: (path) => new Libsql(path) };
  } catch (cause) {
    throw new StorageError(
      "adapter_missing",
      "the package libsql has no binary for this system; Node 22.13 or newer needs none",
      { cause },
    );
  }
};

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
