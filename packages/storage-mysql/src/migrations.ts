import { StorageError } from "@pawl/storage";
import { checkSchemaVersion, type SchemaVersion } from "@pawl/storage/adapter";
import { randomBytes } from "node:crypto";
import type { Connection } from "./connection/connection.js";
import { isAlreadyDefined, isNoTable } from "./connection/failure.js";
import { join, type Sql, sql } from "./connection/sql.js";

interface Migration extends SchemaVersion {
  /** Statements that may run again where an earlier run broke off: MySQL commits each definition by itself. */
  readonly statements: readonly Sql[];
}

/** Every text is binary, so that it is compared byte by byte, trailing blanks included, on any server. */
const table = sql`ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = binary`;

/** Rows that transactions lock where no row of their own stands for what they decide on; see `statements.lockUsers`. */
export const userLocks = 1024;

/** The locks of everyone who adds a signing key, and of everyone who imports sessions: the numbers after those of users. */
export const [signingKeyLock, importLock] = [userLocks, userLocks + 1];

const tables: readonly Sql[] = [
  // A rotation changes no indexed column. `sweep_at` is when the sweep looks at the row: never after expires_at, and often
  // before, because a rotation leaves it alone.
  sql`CREATE TABLE IF NOT EXISTS sessions (
    bucket SMALLINT UNSIGNED NOT NULL,
    id VARBINARY(512) NOT NULL,
    tenant_id VARBINARY(512) NOT NULL,
    user_id VARBINARY(512) NOT NULL,
    long_texts MEDIUMBLOB,
    secret_hash MEDIUMBLOB NOT NULL,
    current BIGINT NOT NULL,
    next BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    key_kind VARBINARY(16) NOT NULL,
    created_at BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason VARBINARY(32),
    device MEDIUMBLOB,
    address MEDIUMBLOB,
    payload MEDIUMBLOB NOT NULL,
    data MEDIUMBLOB NOT NULL,
    sweep_at BIGINT NOT NULL,
    PRIMARY KEY (bucket, id),
    KEY sessions_by_user (user_id, tenant_id, ended_at, bucket, id),
    KEY sessions_by_tenant (tenant_id, ended_at, bucket, id),
    KEY sessions_to_sweep (sweep_at)
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS revocations (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id VARBINARY(512) NOT NULL,
    tenant_id VARBINARY(512) NOT NULL,
    user_id VARBINARY(512) NOT NULL,
    long_texts MEDIUMBLOB,
    at BIGINT NOT NULL,
    reason VARBINARY(32) NOT NULL,
    written_at BIGINT NOT NULL,
    KEY revocations_by_time (at, number)
  ) ${table}`,
  // One row: the life of this store, of which every cursor tells, and the greatest number deleted from the feed.
  sql`CREATE TABLE IF NOT EXISTS feed (
    number TINYINT NOT NULL PRIMARY KEY,
    epoch VARBINARY(32) NOT NULL,
    deleted_to BIGINT NOT NULL
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS events (
    event_key VARBINARY(512) NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    type VARBINARY(32) NOT NULL,
    tenant_id VARBINARY(512),
    user_id VARBINARY(512),
    session_id VARBINARY(512),
    long_texts MEDIUMBLOB,
    reason VARBINARY(32),
    detail MEDIUMBLOB,
    event_count BIGINT NOT NULL,
    KEY events_by_time (at, event_key),
    KEY events_by_type (type, at, event_key),
    KEY events_by_session (session_id, at, event_key),
    KEY events_by_user (user_id, at, event_key),
    KEY events_by_tenant (tenant_id, at, event_key)
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS signing_keys (
    kid VARBINARY(512) NOT NULL PRIMARY KEY,
    long_texts MEDIUMBLOB,
    algorithm VARBINARY(16) NOT NULL,
    kind VARBINARY(16) NOT NULL,
    public_key MEDIUMBLOB NOT NULL,
    sealed_private_key MEDIUMBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS meta (
    name VARBINARY(512) NOT NULL PRIMARY KEY,
    long_texts MEDIUMBLOB,
    value MEDIUMBLOB NOT NULL
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS locks (number INT NOT NULL PRIMARY KEY) ${table}`,
];

const firstRows: readonly Sql[] = [
  sql`INSERT INTO locks VALUES ${join(Array.from({ length: userLocks + 2 }, (_, number) => sql`(${number})`))}
    ON DUPLICATE KEY UPDATE number = VALUES(number)`,
  sql`INSERT INTO feed VALUES (1, ${randomBytes(16).toString("hex")}, 0) ON DUPLICATE KEY UPDATE number = 1`,
];

const factsAndFeeds: readonly Sql[] = [
  // By itself, because the server can do it without a look at the rows, which it cannot where an index is added as well.
  sql`ALTER TABLE sessions
    ADD COLUMN facts MEDIUMBLOB NOT NULL DEFAULT ('{}'),
    ADD COLUMN facts_version BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN payload_version BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN bound MEDIUMBLOB NOT NULL DEFAULT (''),
    ADD COLUMN link VARBINARY(512)`,
  sql`ALTER TABLE sessions ADD KEY sessions_by_link (link)`,
  sql`CREATE TABLE IF NOT EXISTS changes (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id VARBINARY(512) NOT NULL,
    tenant_id VARBINARY(512) NOT NULL,
    user_id VARBINARY(512) NOT NULL,
    long_texts MEDIUMBLOB,
    at BIGINT NOT NULL,
    payload_version BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    KEY changes_by_time (at, number)
  ) ${table}`,
  sql`ALTER TABLE feed ADD COLUMN changes_deleted_to BIGINT NOT NULL DEFAULT 0`,
  // A queue is that of a destination, and a session or an event without one.
  sql`CREATE TABLE IF NOT EXISTS outbox (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    queue VARBINARY(545) NOT NULL,
    event_key VARBINARY(512) NOT NULL,
    destination VARBINARY(32) NOT NULL,
    at BIGINT NOT NULL,
    type VARBINARY(32) NOT NULL,
    tenant_id VARBINARY(512),
    user_id VARBINARY(512),
    session_id VARBINARY(512),
    long_texts MEDIUMBLOB,
    reason VARBINARY(32),
    detail MEDIUMBLOB,
    event_count BIGINT NOT NULL,
    dead TINYINT NOT NULL,
    state MEDIUMBLOB NOT NULL,
    UNIQUE KEY outbox_by_key (event_key, destination),
    KEY outbox_by_queue (queue, dead, number),
    KEY outbox_by_time (dead, at, event_key, destination),
    KEY outbox_by_user (user_id, tenant_id)
  ) ${table}`,
  // One row for each queue with an entry that is not dead: so that whoever looks for what is due passes over no entry that
  // waits behind another.
  sql`CREATE TABLE IF NOT EXISTS outbox_queues (
    queue VARBINARY(545) NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,
    KEY outbox_queues_by_time (due_at)
  ) ${table}`,
  sql`CREATE TABLE IF NOT EXISTS counts (
    hour BIGINT NOT NULL,
    name VARBINARY(128) NOT NULL,
    total BIGINT NOT NULL,
    PRIMARY KEY (hour, name)
  ) ${table}`,
];

/** What an identity provider calls the user who logged in. */
const subjects: readonly Sql[] = [
  sql`ALTER TABLE sessions ADD COLUMN subject VARBINARY(512)`,
  sql`ALTER TABLE sessions ADD KEY sessions_by_subject (subject)`,
];

/** Oldest first. A released one is never changed. */
export const migrations: readonly Migration[] = [
  { version: 1, readableBy: 1, statements: [...tables, ...firstRows] },
  { version: 2, readableBy: 2, statements: factsAndFeeds },
  { version: 3, readableBy: 3, statements: subjects },
];

/** The schema version of this release. */
const schemaVersion = 3;

export const versionTable = sql`CREATE TABLE IF NOT EXISTS schema_versions (
  version INT NOT NULL PRIMARY KEY,
  readable_by INT NOT NULL,
  applied_at DATETIME NOT NULL
) ${table}`;

/**
 * Reads which schema version a database has; 0 for a new one.
 * @throws StorageError `newer_schema`.
 */
export const readSchemaVersion = async (connection: Connection): Promise<number> => {
  const newest = sql`SELECT version, readable_by AS readableBy FROM schema_versions ORDER BY version DESC LIMIT 1`;
  const answer = await connection.query([newest]).catch((error: unknown) => {
    if (isNoTable(error)) return [];
    throw error;
  });
  return checkSchemaVersion(answer[0]?.rows[0] as SchemaVersion | undefined, schemaVersion);
};

/** One migration at a time in a database, however many nodes start. The lock ends with the connection. */
const lockName = sql`CONCAT('pawl.', LEFT(SHA1(DATABASE()), 40))`;

/** For how many seconds a node waits for another that migrates. */
const lockWait = 600;

/** Definitions take as long as they take. */
const unlimited = sql`SET SESSION autocommit = 1 /*M!100100 , max_statement_time = 0 */ /*!80000 , max_execution_time = 0 */`;

/**
 * Applies what is missing, one node after the other. Definitions cannot be undone in MySQL: one that broke off is done
 * again, so each statement may find its work done. The connection is used up by it. Where nothing is missing an account
 * without the right to define tables will do.
 */
export const applyMigrations = async (connection: Connection): Promise<void> => {
  if ((await readSchemaVersion(connection)) >= schemaVersion) return;
  try {
    const take = sql`SELECT GET_LOCK(${lockName}, ${lockWait}) AS taken`;
    const lock = (await connection.query([unlimited, take], { limit: "none" })).at(-1);
    if ((lock?.rows[0] as { readonly taken: number | null } | undefined)?.taken !== 1)
      throw new StorageError("unavailable", "another node has been migrating the database for ten minutes");
    await connection.query([versionTable], { limit: "none" });
    const present = await readSchemaVersion(connection);
    for (const { version, readableBy, statements } of migrations) {
      if (version <= present) continue;
      const done = sql`INSERT INTO schema_versions VALUES (${version}, ${readableBy}, UTC_TIMESTAMP())`;
      for (const statement of [...statements, done])
        await connection.query([statement], { limit: "none" }).catch((error: unknown) => {
          if (!isAlreadyDefined(error)) throw error;
        });
    }
  } finally {
    connection.quit();
  }
};
