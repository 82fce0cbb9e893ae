import { type OpenStorage, StorageError, systemClock } from "@pawl/storage";
import { CheckedStorage, outboxTypesOf } from "@pawl/storage/adapter";
import { closeSync, openSync, realpathSync } from "node:fs";
import { Checkpoint } from "./connection/checkpoint.js";
import { Database } from "./connection/database.js";
import { DatabaseFile } from "./connection/database-file.js";
import { loadDriver } from "./connection/driver.js";
import { asOpenFailure } from "./connection/failure.js";
import { whenUnlocked } from "./connection/lock-wait.js";
import { readSchemaVersion } from "./migrations.js";
import { memoryPath, parseUrl } from "./options.js";
import * as statements from "./statements.js";
import { sqliteStorage } from "./storage.js";

/**
 * Opens an SQLite database: `sqlite:./sessions.db`, `sqlite:/var/lib/pawl/sessions.db`, `sqlite::memory:`. The file is
 * made when it is missing; its schema is not touched: call `migrate()`.
 * @throws StorageError `invalid_url`, `adapter_missing`, `unavailable`, `read_only`, `corrupt` or `newer_schema`.
 */
export const openStorage: OpenStorage = async (url, options = {}) => {
  const { path, driver: driverName, lockTimeout } = parseUrl(url);
  const { clock = systemClock } = options;
  const outbox = outboxTypesOf(options.outbox);
  const driver = await loadDriver(driverName);
  const database = new Database(driver, path);
  createPrivately(path);
  const prepare = (): void => {
    readSchemaVersion(database);
    if (!database.inMemory && database.get(statements.selectJournalMode)?.journal_mode !== "wal")
      throw new StorageError("unavailable", `the disk of ${path} cannot hold a database in WAL mode`);
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
  };
  try {
    await whenUnlocked(prepare, { timeout: lockTimeout, onFailure: () => database.reset() });
  } catch (error) {
    database.close();
    throw asOpenFailure(error, path);
  }
  const file = database.inMemory ? undefined : new DatabaseFile(realpathSync(path));
  const copier = new Database(driver, path);
  if (file !== undefined) for (const connection of [database, copier]) connection.pin(file);
  const checkpoint = new Checkpoint({ writer: database, copier, walPath: file && `${file.path}-wal` });
  return new CheckedStorage(sqliteStorage({ database, checkpoint, lockTimeout, clock, outbox, file }));
};

/** Makes the file private to this user, as SQLite then makes those beside it. SQLite reports any trouble. */
const createPrivately = (path: string): void => {
  if (path === memoryPath) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, which is the usual case, or it cannot be made.
  }
};
