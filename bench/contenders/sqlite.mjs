import { createRequire } from "node:module";

/** The driver Pawl's SQLite storage takes on this Node version, resolved from where that package stands. */
const loadDriver = () => {
  const builtIn = /** @type {any} */ (process.getBuiltinModule("node:sqlite"));
  return builtIn === undefined
    ? { name: "libsql", Database: createRequire(import.meta.resolve("@pawl/storage-sqlite"))("libsql") }
    : { name: "node:sqlite", Database: builtIn.DatabaseSync };
};

/** Opens a file with the settings of Pawl's storage: WAL, and every commit on disk before it is acknowledged. */
export const openDatabase = (/** @type {string} */ path) => {
  const { Database } = loadDriver();
  const database = new Database(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return database;
};

/** @returns {{ driver: string, version: string }} */
export const describeSqlite = () => {
  const { name, Database } = loadDriver();
  const database = new Database(":memory:");
  const { version } = database.prepare("SELECT sqlite_version() AS version").get();
  database.close();
  return { driver: name, version };
};
