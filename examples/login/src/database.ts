import Libsql from "libsql";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT, role TEXT NOT NULL DEFAULT 'user',
    issuer TEXT, subject TEXT, UNIQUE (issuer, subject)
  );
  CREATE TABLE IF NOT EXISTS passkeys (
    id TEXT PRIMARY KEY, userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    publicKey BLOB NOT NULL, counter INTEGER NOT NULL, transports TEXT NOT NULL, synced INTEGER NOT NULL, addedAt INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS begun (id TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL);`;

export type Database = Libsql.Database;

/** The application's own database: Pawl knows users by their ids alone. */
export const openDatabase = (file: string): Database => {
  const database = new Libsql(file);
  database.exec(SCHEMA);
  return database;
};
