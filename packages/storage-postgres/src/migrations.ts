import type { Millis } from "@pawl/storage";
import { checkSchemaVersion, type SchemaVersion } from "@pawl/storage/adapter";
import type { Database, Statement, Transaction } from "./connection/database.js";
import { lockNumber } from "./connection/lock-number.js";
import * as statements from "./statements.js";

interface Migration extends SchemaVersion {
  readonly sql: (partitions: number) => string;
}

/**
 * A page has room for the next version of a few of its rows, which then takes no entry in any index: a rotation changes no
 * indexed column.
 */
const fillFactor = "WITH (fillfactor = 80)";

const sessionsTable = (partitions: number): string => {
  const parts = Array.from(
    { length: partitions },
    (_, part) => `CREATE TABLE {schema}.sessions_${part} PARTITION OF {schema}.sessions
      FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${part}) ${fillFactor};`,
  );
  return `
  CREATE TABLE {schema}.sessions (
    current bigint NOT NULL,
    next bigint NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    last_active_at bigint NOT NULL,
    created_at bigint NOT NULL,
    ended_at bigint,
    -- When the sweep looks at the row: never after expires_at, and often before, because a rotation leaves it alone.
    -- So the index of the sweep costs a rotation nothing.
    sweep_at bigint NOT NULL,
    -- The first 16 bits of an id, which all sessions of a user share: what the table can be divided by.
    bucket integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    secret_hash text COLLATE "C" NOT NULL,
    key_kind text COLLATE "C" NOT NULL,
    end_reason text COLLATE "C",
    device text COLLATE "C",
    address text COLLATE "C",
    payload text COLLATE "C" NOT NULL,
    data text COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket, id)
  ) ${partitions === 0 ? fillFactor : "PARTITION BY HASH (bucket)"};
  ${parts.join("\n")}`;
};

const tables = (partitions: number): string => `
  ${sessionsTable(partitions)}

  -- By hash, because a user's name may be longer than an ordered index takes.
  CREATE INDEX sessions_by_user ON {schema}.sessions USING hash (user_id) WHERE ended_at IS NULL;
  CREATE INDEX sessions_ended_by_user ON {schema}.sessions USING hash (user_id) WHERE ended_at IS NOT NULL;
  -- Where there is one tenant the list of its sessions is the table itself.
  CREATE INDEX sessions_by_tenant ON {schema}.sessions (left(tenant_id, 64), bucket, id)
    WHERE ended_at IS NULL AND tenant_id <> 'public';
  CREATE INDEX sessions_to_sweep ON {schema}.sessions (sweep_at);

  CREATE TABLE {schema}.revocations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The transaction that wrote the row: readers tell by it what they have seen.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at bigint NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL
  );
  CREATE INDEX revocations_by_transaction ON {schema}.revocations (xid, number);
  CREATE INDEX revocations_by_time ON {schema}.revocations (at, number);

  CREATE TABLE {schema}.events (
    key text COLLATE "C" NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    count bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C",
    user_id text COLLATE "C",
    session_id text COLLATE "C",
    reason text COLLATE "C",
    detail text COLLATE "C"
  );
  CREATE INDEX events_by_time ON {schema}.events (at);
  CREATE INDEX events_by_session ON {schema}.events USING hash (session_id) WHERE session_id IS NOT NULL;
  CREATE INDEX events_by_user ON {schema}.events USING hash (user_id) WHERE user_id IS NOT NULL;
  CREATE INDEX events_by_tenant ON {schema}.events (left(tenant_id, 64), at, key)
    WHERE tenant_id IS NOT NULL AND tenant_id <> 'public';
  -- The alarms among them, which are few.
  CREATE INDEX events_by_alarm ON {schema}.events (at) WHERE type <> 'session_ended';

  CREATE TABLE {schema}.signing_keys (
    kid text COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    public_key text COLLATE "C" NOT NULL,
    sealed_private_key text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    signs_from bigint NOT NULL
  );

  CREATE TABLE {schema}.meta (name text COLLATE "C" NOT NULL PRIMARY KEY, value text COLLATE "C" NOT NULL);
  INSERT INTO {schema}.meta (name, value) VALUES ('revocation_epoch', gen_random_uuid()::text);
`;

/** Columns with a constant default, which PostgreSQL adds without a look at the rows. */
const factsAndFeeds = `
  ALTER TABLE {schema}.sessions
    ADD COLUMN facts_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN payload_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN bound text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN link text COLLATE "C",
    ADD COLUMN facts text COLLATE "C" NOT NULL DEFAULT '{}';
  CREATE INDEX sessions_by_link ON {schema}.sessions USING hash (link) WHERE ended_at IS NULL AND link IS NOT NULL;

  CREATE TABLE {schema}.changes (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- As in revocations.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at bigint NOT NULL,
    payload_version bigint NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL
  );
  CREATE INDEX changes_by_transaction ON {schema}.changes (xid, number);
  CREATE INDEX changes_by_time ON {schema}.changes (at, number);

  CREATE TABLE {schema}.outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    count bigint NOT NULL,
    dead boolean NOT NULL DEFAULT false,
    -- Of a destination, and a session or an event without one.
    queue text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C",
    user_id text COLLATE "C",
    session_id text COLLATE "C",
    reason text COLLATE "C",
    detail text COLLATE "C",
    state text COLLATE "C" NOT NULL DEFAULT '{}',
    UNIQUE (key, destination)
  );
  CREATE INDEX outbox_by_queue ON {schema}.outbox (queue, number) WHERE NOT dead;
  CREATE INDEX outbox_by_time ON {schema}.outbox (dead, at, key, destination);
  CREATE INDEX outbox_by_user ON {schema}.outbox USING hash (user_id) WHERE user_id IS NOT NULL;

  -- One row for each queue with an entry that is not dead: so that whoever looks for what is due passes over no entry that
  -- waits behind another.
  CREATE TABLE {schema}.outbox_queues (due_at bigint NOT NULL, queue text COLLATE "C" NOT NULL PRIMARY KEY);
  CREATE INDEX outbox_queues_by_time ON {schema}.outbox_queues (due_at);

  CREATE TABLE {schema}.counts (
    hour bigint NOT NULL,
    count bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (hour, name)
  );
`;

/** What an identity provider calls the user who logged in. */
const subjects = `
  ALTER TABLE {schema}.sessions ADD COLUMN subject text COLLATE "C";
  CREATE INDEX sessions_by_subject ON {schema}.sessions USING hash (subject)
    WHERE ended_at IS NULL AND subject IS NOT NULL;
`;

/** Oldest first. A released one is never changed. */
export const migrations: readonly Migration[] = [
  { version: 1, readableBy: 1, sql: tables },
  { version: 2, readableBy: 2, sql: () => factsAndFeeds },
  { version: 3, readableBy: 3, sql: () => subjects },
];

/** The schema version of this release. */
export const schemaVersion = 3;

const versionTable = `CREATE TABLE IF NOT EXISTS {schema}.schema_versions (
    version integer NOT NULL PRIMARY KEY,
    readable_by integer NOT NULL,
    applied_at bigint NOT NULL
  )`;

const insertVersion = "INSERT INTO {schema}.schema_versions (version, readable_by, applied_at) VALUES ($1, $2, $3)";

/**
 * Asked of the catalogue's rows, because a lookup by name may answer from a cache that does not know yet what another node
 * made while this one waited for its lock.
 */
const findVersions: Statement<{ readonly schema: boolean; readonly versions: boolean }> = {
  text: `SELECT count(*) > 0 AS schema, count(relname) > 0 AS versions FROM pg_catalog.pg_namespace
    LEFT JOIN pg_catalog.pg_class ON relnamespace = pg_namespace.oid AND relname = 'schema_versions' WHERE nspname = $1`,
};

const newest: Statement<SchemaVersion> = {
  text: `SELECT version, readable_by AS "readableBy" FROM {schema}.schema_versions ORDER BY version DESC LIMIT 1`,
};

/**
 * Reads which schema version a database has; 0 for a new one.
 * @throws StorageError `newer_schema`.
 */
export const readSchemaVersion = async (database: Transaction, schema: string): Promise<number> => {
  const [found] = await database.query(findVersions, [schema]);
  const [present] = found?.versions === true ? await database.query(newest) : [];
  return checkSchemaVersion(present, schemaVersion);
};

/** For how many milliseconds a node waits for another one's migration, or its own. */
const patience = 600_000;

/** Applies what is missing, in one transaction and on one node at a time. */
export const applyMigrations = async (
  database: Database,
  { now, partitions }: { readonly now: Millis; readonly partitions: number },
): Promise<void> => {
  const { schema } = database;
  // Without a lock or a right to make tables where there is nothing to be made.
  if ((await readSchemaVersion(database, schema)) >= schemaVersion) return;
  await database.transaction(async (transaction) => {
    await transaction.query(statements.lock, [lockNumber("migrations", schema)]);
    const present = await readSchemaVersion(transaction, schema);
    const [found] = await transaction.query(findVersions, [schema]);
    // Asked first: IF NOT EXISTS wants the right to make one all the same.
    if (found?.schema !== true) await transaction.query({ text: "CREATE SCHEMA {schema}" });
    await transaction.query({ text: versionTable });
    for (const { version, readableBy, sql } of migrations) {
      if (version <= present) continue;
      await transaction.query({ text: sql(partitions) });
      await transaction.query({ text: insertVersion }, [version, readableBy, now]);
    }
  }, patience);
};
