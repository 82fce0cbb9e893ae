import { StorageError } from "@pawl/storage";
import { resolve } from "node:path";
import type { DriverName } from "./connection/driver.js";

export interface SqliteOptions {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  /** Absent: the better one this Node has. */
  readonly driver?: DriverName;
  /** For how many milliseconds a call waits for a database that another process has locked. */
  readonly lockTimeout: number;
}

export const memoryPath = ":memory:";

const accepted = "accepted are driver=node, driver=libsql and lock_timeout=<0 to 60000 ms>";

const invalid = (message: string): StorageError => new StorageError("invalid_url", message);

/**
 * Reads `sqlite:./relative.db`, `sqlite:/absolute.db` or `sqlite::memory:`, with options after a `?`. The path is taken to
 * the letter, relative to the current folder.
 * @throws StorageError `invalid_url`.
 */
export const parseUrl = (url: string): SqliteOptions => {
  const [, written, query] = /^sqlite:([^?]*)(?:\?(.*))?$/su.exec(url) ?? [];
  if (written === undefined || written === "" || written.includes("\0") || /^\/\/(?!\/)/u.test(written))
    throw invalid("a SQLite URL is sqlite:./relative.db, sqlite:/absolute.db or sqlite::memory:");
  // Resolved, so that no driver takes the path for a URL of its own.
  const path = written === memoryPath ? memoryPath : resolve(written);
  const options = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query ?? "")) {
    if (options.has(name)) throw invalid(`the SQLite option "${name}" is given twice`);
    options.set(name, value);
  }
  const driver = driverOf(options.get("driver"));
  const lockTimeout = lockTimeoutOf(options.get("lock_timeout"));
  for (const name of options.keys())
    if (name !== "driver" && name !== "lock_timeout") throw invalid(`unknown SQLite option "${name}"; ${accepted}`);
  return { path, lockTimeout, ...(driver === undefined ? {} : { driver }) };
};

const driverOf = (text: string | undefined): DriverName | undefined => {
  if (text === undefined || text === "node" || text === "libsql") return text;
  throw invalid(`SQLite option driver=${text}; ${accepted}`);
};

const lockTimeoutOf = (text: string | undefined): number => {
  if (text === undefined) return 5000;
  if (/^\d{1,5}$/u.test(text) && Number(text) <= 60_000) return Number(text);
  throw invalid(`SQLite option lock_timeout=${text}; ${accepted}`);
};
