import { type OpenStorage, StorageError } from "@pawl/storage";
import { CheckedStorage, outboxTypesOf, type OutboxTypes, ServerClock } from "@pawl/storage/adapter";
import { Database } from "./connection/database.js";
import { isFromPooler, isWithoutEncryption } from "./connection/failure.js";
import { readSchemaVersion } from "./migrations.js";
import { type Address, parseUrl, type PostgresOptions } from "./options.js";
import * as statements from "./statements.js";
import { postgresStorage } from "./storage.js";

interface ServerRow {
  readonly encoding: string;
  readonly commits: string;
  readonly standby: boolean;
  /** A setting of a connection that is ours alone; null where a pooler kept our settings to itself. */
  readonly settings: string | null;
}

const selectServer = {
  text: `SELECT current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commits,
      pg_is_in_recovery() AS standby, current_setting('pawl.connection', true) AS settings`,
};

/**
 * Opens a PostgreSQL database: `postgres://user:password@host:5432/database`. Its schema is not touched: call `migrate()`.
 * Whether a pooler stands before it is found out, unless the URL says.
 * @throws StorageError `invalid_url`, `unavailable`, `read_only` or `newer_schema`.
 */
export const openStorage: OpenStorage = async (url, options = {}) => {
  const parsed = parseUrl(url);
  const clock = new ServerClock(options.clock);
  const outbox = outboxTypesOf(options.outbox);
  const { database, listenAddress } = await openDatabase(parsed, { clock, outbox });
  try {
    await database.query(statements.selectTime, [null]);
    await readSchemaVersion(database, parsed.schema);
  } catch (error) {
    await database.close();
    throw error;
  }
  const { partitions, timeout } = parsed;
  return new CheckedStorage(postgresStorage({ database, clock, listenAddress, partitions, timeout }));
};

/** A connection that answers, and where to listen for what the feeds get. */
interface Opened {
  readonly database: Database;
  readonly listenAddress: Address | undefined;
}

const openDatabase = async (
  options: PostgresOptions,
  { clock, outbox }: { readonly clock: ServerClock; readonly outbox: OutboxTypes },
): Promise<Opened> => {
  const { address, listenAddress, prepare, schema, pool, timeout } = options;
  const database = new Database({ address, schema, pool, timeout, prepare: prepare ?? true, outbox, clock });
  let otherwise: Partial<PostgresOptions> | undefined;
  try {
    const [server] = await database.query<ServerRow>(selectServer);
    check(server);
    if (prepare !== undefined || server?.settings !== null)
      return { database, listenAddress: listenAddress ?? (prepare === false ? undefined : address) };
    otherwise = behindPooler;
  } catch (error) {
    otherwise = otherwiseAfter(error, options);
    if (otherwise === undefined) {
      await database.close();
      throw error;
    }
  }
  await database.close();
  return openDatabase({ ...options, ...otherwise }, { clock, outbox });
};

const behindPooler: Partial<PostgresOptions> = { prepare: false };

/** What is left to try after a failure, where the URL leaves it open. */
const otherwiseAfter = (
  error: unknown,
  { address, mayBePlain, prepare }: PostgresOptions,
): Partial<PostgresOptions> | undefined => {
  if (prepare === undefined && isFromPooler(error)) return behindPooler;
  if (mayBePlain && isWithoutEncryption(error)) return { address: { ...address, ssl: false }, mayBePlain: false };
  return undefined;
};

const check = (server: ServerRow | undefined): void => {
  if (server?.standby === true)
    throw new StorageError("read_only", "the server is a standby: name the primary, or a proxy that knows it");
  if (server?.encoding !== "UTF8")
    throw new StorageError("unavailable", "the database has to be one of encoding UTF8: createdb --encoding=UTF8");
  if (server.commits === "off")
    throw new StorageError(
      "unavailable",
      "synchronous_commit is off here, so that a power cut would undo what was answered: set it to on for this user or database",
    );
};
