import { invalidUrl, UrlOptions } from "@pawl/storage/adapter";
import { resolve } from "node:path";
import type { DriverName } from "./connection/driver.js";

export interface SqliteOptions {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  /** Undefined: the better one this Node has. */
  readonly driver: DriverName | undefined;
  /** For how many milliseconds a call waits for a database that another process has locked. */
  readonly lockTimeout: number;
}

export const memoryPath = ":memory:";

/**
 * Reads `sqlite:./relative.db`, `sqlite:/absolute.db` or `sqlite::memory:`, with options after a `?`. The path is taken to
 * the letter, relative to the current folder.
 * @throws StorageError `invalid_url`.
 */
export const parseUrl = (url: string): SqliteOptions => {
  const [, written, query] = /^sqlite:([^?]*)(?:\?(.*))?$/su.exec(url) ?? [];
  if (written === undefined || written === "" || written.includes("\0") || /^\/\/(?!\/)/u.test(written))
    throw invalidUrl("a SQLite URL is sqlite:./relative.db, sqlite:/absolute.db or sqlite::memory:");
  const options = new UrlOptions("SQLite", ["driver", "lock_timeout"], query);
  return {
    // Resolved, so that no driver takes the path for a URL of its own.
    path: written === memoryPath ? memoryPath : resolve(written),
    driver: options.oneOf("driver", ["node", "libsql"]),
    lockTimeout: options.wholeNumber("lock_timeout", { least: 0, most: 60_000, otherwise: 5000 }),
  };
};
