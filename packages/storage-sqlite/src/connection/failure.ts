import { StorageError, type StorageErrorCode } from "@pawl/storage";
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";

/** Primary result codes of SQLite (sqlite.org/rescode.html), the low byte of an extended one. */
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const SCHEMA = 17;
const TOOBIG = 18;
const CONSTRAINT = 19;
const MISMATCH = 20;
const NOTADB = 26;

const primaryCodeOf = (error: unknown): number | undefined => {
  // node:sqlite calls it errcode, libsql rawCode.
  const { errcode, rawCode } = error as { readonly errcode?: unknown; readonly rawCode?: unknown };
  const code = errcode ?? rawCode;
  return typeof code === "number" ? code & 0xff : undefined;
};

/** Whether another connection holds the lock that was needed, so that the same work may succeed in a moment. */
export const isBusy = (error: unknown): boolean => {
  const code = primaryCodeOf(error);
  return code === BUSY || code === LOCKED;
};

const ofTheStore = new Set([BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB]);

/** Whether the failure lies in what was asked rather than in the store: other work may well succeed. */
export const isOwnFailure = (error: unknown): boolean => {
  const code = primaryCodeOf(error);
  return code === undefined || !ofTheStore.has(code);
};

const failures: Readonly<Record<number, readonly [StorageErrorCode, string]>> = {
  [ERROR]: ["corrupt", "the database does not hold the tables of this release"],
  [SCHEMA]: ["corrupt", "the database does not hold the tables of this release"],
  [BUSY]: ["unavailable", "the database is locked by another process"],
  [LOCKED]: ["unavailable", "the database is locked by another connection"],
  [READONLY]: ["read_only", "the database cannot be written: the file, its folder or its disk is read-only"],
  [IOERR]: ["unavailable", "the database file could not be read or written"],
  [CANTOPEN]: ["unavailable", "the database file cannot be opened"],
  [CORRUPT]: ["corrupt", "the database file is damaged"],
  [NOTADB]: ["corrupt", "the file is not an SQLite database"],
  [FULL]: ["unavailable", "the disk is full"],
  [TOOBIG]: ["invalid_record", "a value is too large to be stored"],
  [MISMATCH]: ["invalid_record", "a value cannot be stored: it is not of the column's type"],
  [CONSTRAINT]: ["invalid_record", "a value cannot be stored: its id is taken, or it is not of the column's type"],
};

/**
 * What is thrown when a database could not be opened. SQLite says only "cannot open" where it may not make the files that
 * stand beside the database.
 */
export const asOpenFailure = (error: unknown, path: string): unknown => {
  if (!(error instanceof StorageError) || error.code !== "unavailable" || !isReadOnly(path)) return error;
  return new StorageError("read_only", failures[READONLY]![1], { cause: error });
};

const isReadOnly = (path: string): boolean => {
  try {
    for (const place of [dirname(path), path]) accessSync(place, constants.W_OK);
    return false;
  } catch (error) {
    return ["EROFS", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
};

/** What is thrown for a driver's error. Anything that is not from SQLite (a defect) comes back as it is. */
export const asStorageError = (error: unknown): unknown => {
  const code = primaryCodeOf(error);
  if (code === undefined) return error;
  if (code === ERROR && /no such table/u.test(String(error)))
    return new StorageError("unavailable", "the database has no tables yet: migrate() makes them", { cause: error });
  const [storageCode, message] = failures[code] ?? [
    "unavailable",
    `the database cannot be used (SQLite result code ${code})`,
  ];
  return new StorageError(storageCode, message, { cause: error });
};
