import { StorageError, type StorageErrorCode } from "@pawl/storage";

const poolerMessage =
  "the server, or a pooler before it, does not take the settings of our connections: behind a pooler add ?prepare=false to the URL";

/** SQLSTATE codes (postgresql.org/docs/current/errcodes-appendix.html) that are distinguished, most specific first. */
const failures: readonly (readonly [prefix: string, code: StorageErrorCode, message: string])[] = [
  ["08P01", "unavailable", poolerMessage],
  ["0A000", "unavailable", poolerMessage],
  ["42P01", "unavailable", "the database has no tables yet: migrate() makes them"],
  ["3F000", "unavailable", "the database has no tables yet: migrate() makes them"],
  ["42501", "read_only", "the database user may not use the tables: grant it their schema, or let it own the database"],
  ["42P05", "unavailable", "statements cannot be prepared here: behind a pooler add ?prepare=false to the URL"],
  ["26000", "unavailable", "prepared statements get lost here: behind a pooler add ?prepare=false to the URL"],
  ["42", "corrupt", "the database does not hold the tables of this release"],
  ["25006", "read_only", "the server cannot be written: it is a standby, or read-only"],
  ["22", "invalid_record", "a value cannot be stored: it is not of the column's type"],
  ["23", "invalid_record", "a value cannot be stored: its id is taken, or it is not of the column's type"],
  ["54", "invalid_record", "a value is too large to be stored"],
  ["28", "unavailable", "the server refuses this user or password, or wants encryption: see sslmode"],
  ["3D000", "unavailable", "the server has no database of that name"],
  ["55P03", "unavailable", "a row is locked by another client: is a transaction left open on the server?"],
  ["57014", "unavailable", "the server did not finish in time"],
  ["57", "unavailable", "the server is starting, stopping or not accepting connections"],
  ["53100", "unavailable", "the server's disk is full"],
  ["53300", "unavailable", "the server has no connection left: lower pool= or raise max_connections"],
  ["53", "unavailable", "the server has run out of memory or another resource"],
  ["40", "unavailable", "the work was undone because of other work at the same time; the same call may succeed"],
  ["XX001", "corrupt", "the server's data is damaged"],
  ["XX002", "corrupt", "the server's data is damaged"],
];

/** SQLSTATE of a lock that was not got in time. */
const lockTimeout = "55P03";

const sqlStates = /^[0-9A-Z]{5}$/u;

/** The SQLSTATE of an error that the server sent. */
const sqlStateOf = (error: unknown): string | undefined => {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  return typeof code === "string" && typeof severity === "string" && sqlStates.test(code) ? code : undefined;
};

/** Whether the server undid the work for the sake of other work, so that the same work may be tried again at once. */
export const isUndone = (error: unknown): boolean => ["40P01", "40001"].includes(sqlStateOf(error) ?? "");

/** Whether a failure lies in one call of several: it cannot be stored, or another client keeps its row locked. */
export const isOfOneCall = (error: unknown): boolean =>
  error instanceof StorageError && (error.code === "invalid_record" || causeOf(error).code === lockTimeout);

/** Whether a connection on which this happened can be used on: the server answered, and it is the one that is wanted. */
export const leavesConnectionUsable = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== undefined && state !== "25006" && !/^(?:08|57P|XX|F)/u.test(state);
};

/** Node's and OpenSSL's codes for a certificate that is not accepted. */
const certificateCodes = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/u;

/**
 * What is thrown for a driver's error. Its cause tells what happened without what the server says in its detail, which holds
 * values. Anything that is neither the server's nor the network's (a defect) comes back as it is.
 */
export const asStorageError = (error: unknown): unknown => {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const state = sqlStateOf(error);
  if (state !== undefined) {
    const [, code, message] = failures.find(([prefix]) => state.startsWith(prefix)) ?? [
      "",
      "unavailable" as const,
      `the server cannot do this (SQLSTATE ${state})`,
    ];
    return new StorageError(code, message, { cause: serverErrorOf(error, state) });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return error;
  const cause = Object.assign(new Error(code ?? error.message), code === undefined ? {} : { code });
  if (code !== undefined && certificateCodes.test(code))
    return new StorageError("unavailable", `the server's certificate is not accepted (${code}): see sslmode`, {
      cause,
    });
  if (noEncryption.test(error.message))
    return new StorageError("unavailable", "the server does not encrypt, and sslmode asks for it", { cause });
  if (/timeout/iu.test(error.message))
    return new StorageError("unavailable", "the server did not answer in time, or no connection was free", { cause });
  return new StorageError("unavailable", "the server cannot be reached, or the connection to it was lost", { cause });
};

/** Whether what refused a connection may be a pooler, which keeps settings to itself. */
export const isFromPooler = (error: unknown): boolean => ["08P01", "0A000"].includes(causeOf(error).code ?? "");

/** Whether a server did not encrypt. */
export const isWithoutEncryption = (error: unknown): boolean => noEncryption.test(causeOf(error).message ?? "");

const noEncryption = /does not support SSL/u;

const causeOf = (error: unknown): { readonly code?: string; readonly message?: string } =>
  (error instanceof StorageError ? (error.cause as object | undefined) : undefined) ?? {};

interface ServerError {
  readonly routine?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

const serverErrorOf = (error: Error, state: string): Error => {
  const { routine, schema, table, column, constraint } = error as Error & ServerError;
  return Object.assign(new Error(`SQLSTATE ${state}`), { code: state, routine, schema, table, column, constraint });
};
