import { StorageError, type StorageErrorCode } from "@pawl/storage";

/** Error numbers of MySQL and MariaDB (dev.mysql.com/doc/mysql-errors/8.0, mariadb.com/kb/en/mariadb-error-codes). */
const DUPLICATE_COLUMN = 1060;
const DUPLICATE_INDEX = 1061;
const DUPLICATE = 1062;
const NO_TABLE = 1146;
const LOCK_WAIT = 1205;
const DEADLOCK = 1213;

const numberOf = (error: unknown): number | undefined => {
  const { errno } = error as { readonly errno?: unknown };
  return typeof errno === "number" && errno > 0 ? errno : undefined;
};

/** Whether the server has undone the work because of another's, so that it may be tried again at once. */
export const isDeadlock = (error: unknown): boolean => numberOf(error) === DEADLOCK;

/** Whether a table that was asked for does not exist. */
export const isNoTable = (error: unknown): boolean => numberOf(error) === NO_TABLE;

/** Whether a column or an index that was to be made is there. */
export const isAlreadyDefined = (error: unknown): boolean =>
  [DUPLICATE_COLUMN, DUPLICATE_INDEX].includes(numberOf(error) ?? 0);

const noTables = "the database does not hold the tables of this release";
const packet = "a value is larger than the server takes: set max_allowed_packet of the server to 16M or more";
const account = "the server refused the account: check user, password and the rights of the account";
const tooMany = "the server has no connection left: raise its max_connections or lower pool_size";
const readOnly = "the server is read-only: is it a replica?";
const full = "the disk of the server is full";
const ending = "the server is shutting down or ended the connection";
const slow = "the server did not finish in time";
const tooLarge = "a value cannot be stored: it is too large or not of the column's kind";

const failures: Readonly<Record<number, readonly [StorageErrorCode, string]>> = {
  [DUPLICATE]: ["invalid_record", "a value cannot be stored: its id is taken"],
  [DEADLOCK]: ["unavailable", "too many transactions want the same rows"],
  1021: ["unavailable", full],
  1034: ["corrupt", "a table is damaged"],
  1040: ["unavailable", tooMany],
  1041: ["unavailable", "the server is out of memory"],
  1044: ["unavailable", account],
  1045: ["unavailable", account],
  1049: ["unavailable", "the database of the URL does not exist: create it"],
  1053: ["unavailable", ending],
  1054: ["corrupt", noTables],
  1077: ["unavailable", ending],
  1114: ["unavailable", full],
  1130: ["unavailable", account],
  1142: ["unavailable", account],
  1143: ["unavailable", account],
  [NO_TABLE]: ["unavailable", "the database has no tables yet: migrate() makes them"],
  1153: ["invalid_record", packet],
  1194: ["corrupt", "a table is damaged"],
  1203: ["unavailable", tooMany],
  1226: ["unavailable", tooMany],
  1227: ["unavailable", account],
  1264: ["invalid_record", tooLarge],
  1290: ["read_only", readOnly],
  1317: ["unavailable", slow],
  1406: ["invalid_record", tooLarge],
  1665: ["unavailable", "the server writes its binary log as statements: set its binlog_format to ROW or MIXED"],
  1698: ["unavailable", account],
  1792: ["read_only", readOnly],
  1836: ["read_only", readOnly],
  1927: ["unavailable", ending],
  1969: ["unavailable", slow],
  3024: ["unavailable", slow],
  4031: ["unavailable", ending],
};

/** What the driver and Node say of the way to the server. */
const lost = "the connection to the server was lost: whether the call was done is not known";
const unreachable = "the server cannot be reached: does it run, and are host and port right?";
const insecure = "the server offers no TLS, or its certificate is not accepted: see ssl_mode and ssl_ca";

const connectionFailures: Readonly<Record<string, string>> = {
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ENOENT: unreachable,
  ETIMEDOUT: "the server did not answer in time",
  HANDSHAKE_NO_SSL_SUPPORT: insecure,
  HANDSHAKE_SSL_ERROR: insecure,
  ER_ACCESS_DENIED_ERROR: account,
};

/** The message for a call that the server did not answer within this many milliseconds. */
export const noAnswerWithin = (timeout: number): string =>
  `the server did not answer within ${timeout} ms: whether the call was done is not known`;

/** A row stayed locked by another transaction. */
export class RowLockedError extends StorageError {
  constructor(cause: Error) {
    super("unavailable", "a row stayed locked by another transaction", { cause });
  }
}

/**
 * Whether the failure lies in what one call asked, or in a row that is locked, rather than in the server or the way to it:
 * other calls of its batch may well succeed.
 */
export const isOfOneCall = (error: unknown): boolean =>
  error instanceof RowLockedError || (error instanceof StorageError && error.code === "invalid_record");

/**
 * What is thrown for a driver's error. The driver's own is not kept as the cause: it carries the statement, and the
 * server's message quotes values.
 */
export const asStorageError = (error: unknown): unknown => {
  if (error instanceof StorageError) return error;
  const { code, fatal } = error as { readonly code?: unknown; readonly fatal?: unknown };
  const number = numberOf(error);
  const failure = number === undefined ? undefined : failures[number];
  if (typeof code !== "string" && fatal !== true) return error;
  const name = typeof code === "string" ? code : "closed";
  const cause = new Error(number === undefined ? name : `${name} (${number})`);
  if (number === LOCK_WAIT) return new RowLockedError(cause);
  if (failure !== undefined) return new StorageError(...failure, { cause });
  const isTls = /^ERR_TLS|CERT|SELF_SIGNED|UNABLE_TO/u.test(name);
  const message =
    connectionFailures[name] ?? (isTls ? insecure : fatal === true ? lost : `the server refused a statement: ${name}`);
  return new StorageError("unavailable", message, { cause });
};
