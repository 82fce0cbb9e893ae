import type { Millis } from "@pawl/storage";
import { checkSchemaVersion, type SchemaVersion } from "@pawl/storage/adapter";
import type { Database, Query } from "./connection/database.js";

interface Migration extends SchemaVersion {
  readonly sql: string;
}

const tables = `
  CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    current INTEGER NOT NULL,
    next INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    key_kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    -- When the sweep looks at the row: never after expires_at, and often before, because a rotation leaves it alone.
    -- So the index of the sweep costs a rotation nothing.
    sweep_at INTEGER NOT NULL,
    device TEXT,
    address TEXT,
    payload TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX sessions_by_user ON sessions (user_id) WHERE ended_at IS NULL;
  -- Where there is one tenant the list of its sessions is the table itself.
  CREATE INDEX sessions_by_tenant ON sessions (tenant_id) WHERE ended_at IS NULL AND tenant_id <> 'public';
  CREATE INDEX sessions_to_sweep ON sessions (sweep_at);

  CREATE TRIGGER sessions_expire_earlier AFTER UPDATE OF expires_at ON sessions WHEN NEW.expires_at < OLD.sweep_at
  BEGIN
    UPDATE sessions SET sweep_at = NEW.expires_at WHERE id = NEW.id;
  END;

  CREATE TABLE revocations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;

  CREATE INDEX revocations_by_time ON revocations (at);

  CREATE TABLE events (
    key TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    tenant_id TEXT,
    user_id TEXT,
    session_id TEXT,
    reason TEXT,
    detail TEXT,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX events_by_time ON events (at);
  CREATE INDEX events_by_session ON events (session_id, at) WHERE session_id IS NOT NULL;
  CREATE INDEX events_by_user ON events (user_id, at) WHERE user_id IS NOT NULL;
  CREATE INDEX events_by_tenant ON events (tenant_id, at) WHERE tenant_id IS NOT NULL AND tenant_id <> 'public';
  -- The alarms among them, which are few.
  CREATE INDEX events_by_alarm ON events (at) WHERE type <> 'session_ended';

  CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    kind TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  INSERT INTO meta (name, value) VALUES ('revocation_epoch', lower(hex(randomblob(16))));
`;

/** The erasure of a user finds also what has ended. */
const endedByUser = "CREATE INDEX sessions_ended_by_user ON sessions (user_id) WHERE ended_at IS NOT NULL;";

/** What the engine keeps of a session, the feed of changes, the outbox and the counts. */
const facts = `
  ALTER TABLE sessions ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE sessions ADD COLUMN facts_version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN payload_version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN bound TEXT NOT NULL DEFAULT '';
  ALTER TABLE sessions ADD COLUMN link TEXT;

  CREATE INDEX sessions_by_link ON sessions (link) WHERE link IS NOT NULL AND ended_at IS NULL;

  CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    payload_version INTEGER NOT NULL
  ) STRICT;

  CREATE INDEX changes_by_time ON changes (at);

  CREATE TABLE outbox (
    -- The order of each queue.
    number INTEGER PRIMARY KEY,
    -- Of a destination, and a session or an event without one.
    queue TEXT NOT NULL,
    -- Whether it is the oldest of its queue that is not dead, so that those that are due are found without the others.
    head INTEGER NOT NULL,
    key TEXT NOT NULL,
    destination TEXT NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    tenant_id TEXT,
    user_id TEXT,
    session_id TEXT,
    reason TEXT,
    detail TEXT,
    count INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT '{}',
    dead INTEGER NOT NULL DEFAULT 0,
    UNIQUE (key, destination)
  ) STRICT;

  CREATE INDEX outbox_due ON outbox (due_at) WHERE head = 1;
  CREATE INDEX outbox_by_queue ON outbox (queue, number) WHERE dead = 0;
  CREATE INDEX outbox_by_time ON outbox (dead, at, key, destination);
  CREATE INDEX outbox_by_user ON outbox (user_id) WHERE user_id IS NOT NULL;

  CREATE TABLE counts (
    hour INTEGER NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, name)
  ) STRICT, WITHOUT ROWID;
`;

/** What an identity provider calls the user who logged in. */
const subjects = `
  ALTER TABLE sessions ADD COLUMN subject TEXT;
  CREATE INDEX sessions_by_subject ON sessions (subject) WHERE subject IS NOT NULL AND ended_at IS NULL;
`;

/** Oldest first. A released one is never changed. */
export const migrations: readonly Migration[] = [
  { version: 1, readableBy: 1, sql: tables },
  { version: 2, readableBy: 1, sql: endedByUser },
  { version: 3, readableBy: 3, sql: facts },
  { version: 4, readableBy: 4, sql: subjects },
];

/** The schema version of this release. */
export const schemaVersion = 4;

const versionTable = `
  CREATE TABLE IF NOT EXISTS schema_versions (
    version INTEGER NOT NULL PRIMARY KEY,
    readable_by INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
  ) STRICT
`;

const hasVersions =
  "SELECT 1 AS present FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'" as Query<object>;
const newest =
  "SELECT version, readable_by AS readableBy FROM schema_versions ORDER BY version DESC LIMIT 1" as Query<SchemaVersion>;
const insertVersion =
  "INSERT INTO schema_versions (version, readable_by, applied_at) VALUES (:version, :readableBy, :now)";

/**
 * Reads which schema version a database has; 0 for a new one.
 * @throws StorageError `newer_schema`.
 */
export const readSchemaVersion = (database: Database): number =>
  checkSchemaVersion(database.get(hasVersions) && database.get(newest), schemaVersion);

/** Applies what is missing, inside the caller's transaction. */
export const applyMigrations = (database: Database, now: Millis): void => {
  database.exec(versionTable);
  const present = readSchemaVersion(database);
  for (const { version, readableBy, sql } of migrations) {
    if (version <= present) continue;
    database.exec(sql);
    database.run(insertVersion, { version, readableBy, now });
  }
};
