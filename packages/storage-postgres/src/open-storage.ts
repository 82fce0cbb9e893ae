import { type OpenStorage, StorageError } from "@pawl/storage";
import { CheckedStorage, ServerClock } from "@pawl/storage/adapter";
import { Database } from "./connection/database.js";
import { readSchemaVersion } from "./migrations.js";
import { parseUrl } from "./options.js";
import * as statements from "./statements.js";
import { postgresStorage } from "./storage.js";

interface ServerRow {
  readonly encoding: string;
  readonly commits: string;
  readonly standby: boolean;
}

const selectServer = {
  text: `SELECT current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commits,
      pg_is_in_recovery() AS standby`,
};

/**
 * Opens a PostgreSQL database: `postgres://user:password@host:5432/database`. Its schema is not touched: call `migrate()`.
 * @throws StorageError `invalid_url`, `unavailable`, `read_only` or `newer_schema`.
 */
export const openStorage: OpenStorage = async (url, options = {}) => {
  const { address, listenAddress, prepare, schema, partitions, pool, timeout } = parseUrl(url);
  const clock = new ServerClock(options.clock);
  const database = new Database({ address, schema, pool, timeout, prepare, clock });
  try {
    await database.query(statements.selectTime, [null]);
    check((await database.query<ServerRow>(selectServer))[0]);
    await readSchemaVersion(database, schema);
  } catch (error) {
    await database.close();
    throw error;
  }
  return new CheckedStorage(postgresStorage({ database, clock, listenAddress, partitions, timeout }));
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
