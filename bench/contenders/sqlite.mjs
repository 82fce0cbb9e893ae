import { createRequire } from "node:module";

/** The driver Pawl's SQLite storage takes on this Node version, resolved from where that package stands. */
const loadDriver = async () => {
  try {
    return { name: "node:sqlite", Database: (await import(/** @type {string} */ ("node:sqlite"))).DatabaseSync };
  } catch {
    return { name: "libsql", Database: createRequire(import.meta.resolve("@pawl/storage-sqlite"))("libsql") };
  }
};

/** Opens a file with the settings of Pawl's storage: WAL, and every commit on disk before it is acknowledged. */
export const openDatabase = async (/** @type {string} */ path) => {
  const { Database } = await loadDriver();
  const database = new Database(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return database;
};

/** @returns {Promise<{ driver: string, version: string }>} */
export const describeSqlite = async () => {
  const { name, Database } = await loadDriver();
  const database = new Database(":memory:");
  const { version } = database.prepare("SELECT sqlite_version() AS version").get();
  database.close();
  return { driver: name, version };
};
