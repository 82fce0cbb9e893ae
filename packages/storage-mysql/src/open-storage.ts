import type { OpenStorage } from "@pawl/storage";
import { CheckedStorage, outboxTypesOf, ServerClock } from "@pawl/storage/adapter";
import { ConnectionPool } from "./connection/connection-pool.js";
import { Database } from "./connection/database.js";
import { readSchemaVersion } from "./migrations.js";
import { parseUrl } from "./options.js";
import { mysqlStorage } from "./storage.js";

/**
 * Opens a database of MySQL or MariaDB: `mysql://user:password@host:3306/database`. Its schema is not touched: call
 * `migrate()`.
 * @throws StorageError `invalid_url`, `unavailable` or `newer_schema`.
 */
export const openStorage: OpenStorage = async (url, options = {}) => {
  const parsed = parseUrl(url);
  const outbox = outboxTypesOf(options.outbox);
  const pool = new ConnectionPool(parsed);
  const { timeout } = parsed;
  const database = new Database(pool, { clock: new ServerClock(options.clock), outbox, timeout });
  try {
    await database.use(readSchemaVersion);
    // Tells the server's time.
    await database.transact([], () => ({ writes: [], result: () => undefined }));
  } catch (error) {
    pool.close();
    throw error;
  }
  return new CheckedStorage(mysqlStorage(pool, database, timeout));
};
