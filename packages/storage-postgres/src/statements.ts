import type { EventSelector, MetaRecord } from "@pawl/storage";
import type { CountRow, EventRow, OutboxRow, SigningKeyRow } from "@pawl/storage/adapter";
import type { Statement, Value } from "./connection/database.js";
import { eventColumns } from "./connection/event-columns.js";
import { clock, type Listing, noteEvents, now, ofTenant, intoOutbox, query } from "./connection/sql.js";

/** The server's time, in milliseconds. */
export const selectTime = query<{ readonly now: number }>(`WITH ${clock} SELECT now FROM clock`);

export const insertEvents = query(`WITH ${noteEvents(1)}${intoOutbox("noted")} SELECT`);

export const deleteEventsOfUser = query<{ readonly count: number }>(
  `WITH deleted AS (
    DELETE FROM {schema}.events WHERE user_id = $1::text AND tenant_id = $2::text AND key IN (
      SELECT key FROM {schema}.events WHERE user_id = $1::text AND tenant_id = $2::text ORDER BY key LIMIT $3::bigint
    ) RETURNING 1
  )
  SELECT count(*) AS count FROM deleted`,
);

type EventListing = EventSelector & {
  readonly after?: { readonly at: number; readonly key: string } | undefined;
  readonly limit: number;
};

/** A page of events, newest first. */
export const listEvents = ({ sessionId, tenantId, userId, types, after, limit }: EventListing): Listing<EventRow> => {
  const values: Value[] = [];
  const parameter = (value: Value, type: string): string => `$${values.push(value)}::${type}`;
  const conditions: string[] = [];
  if (sessionId !== undefined) conditions.push(`session_id = ${parameter(sessionId, "text")}`);
  if (userId !== undefined) conditions.push(`user_id = ${parameter(userId, "text")}`);
  if (tenantId !== undefined) {
    const tenant = parameter(tenantId, "text");
    conditions.push(
      sessionId === undefined && userId === undefined ? ofTenant(tenantId, tenant) : `tenant_id = ${tenant}`,
    );
  }
  if (types !== undefined) {
    conditions.push(`type = ANY (${parameter(types, "text[]")})`);
    // Said again, so that the index of alarms is seen to hold all that is asked for.
    if (!types.includes("session_ended")) conditions.push("type <> 'session_ended'");
  }
  if (after !== undefined)
    conditions.push(`(at, key) < (${parameter(after.at, "bigint")}, ${parameter(after.key, "text")})`);
  const text = `SELECT ${eventColumns} FROM {schema}.events
    ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
    ORDER BY at DESC, key DESC LIMIT ${parameter(limit, "bigint")}`;
  return { statement: query(text), values };
};

const deleteOldest = (
  table: string,
  key: string,
  { time = "at", condition = "true" }: { readonly time?: string; readonly condition?: string } = {},
): Statement<{ readonly count: number }> =>
  query(`WITH deleted AS (
      DELETE FROM {schema}.${table} WHERE (${key}) IN (
        SELECT ${key} FROM {schema}.${table} WHERE ${condition} AND ${time} < $1::bigint
        ORDER BY ${time} LIMIT $2::bigint FOR UPDATE SKIP LOCKED
      ) RETURNING 1
    ) SELECT count(*) AS count FROM deleted`);

export const deleteEvents = deleteOldest("events", "key");
export const deleteRevocations = deleteOldest("revocations", "number");
export const deleteChanges = deleteOldest("changes", "number");
export const deleteDeadOutbox = deleteOldest("outbox", "number", { condition: "dead" });
export const deleteCounts = deleteOldest("counts", "hour, name", { time: "hour" });

/** Claims queues that are due, of those that no other node is claiming. Parameters 2 and 3: how many, and until when. */
export const claimQueues = query<{ readonly queue: string }>(
  `WITH ${clock}, due AS MATERIALIZED (
    SELECT queue, due_at FROM {schema}.outbox_queues WHERE due_at <= ${now}
    ORDER BY due_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE {schema}.outbox_queues AS claimed SET due_at = $3::bigint FROM due WHERE claimed.queue = due.queue
  ) SELECT queue, ${now} AS now FROM due ORDER BY due_at`,
);

/** The heads of queues, in the order of these; parameter 2: when they are due. */
export const selectHeads = query<OutboxRow & { readonly queue: string }>(
  `SELECT head.*, $2::bigint AS due_at FROM unnest($1::text[]) WITH ORDINALITY AS wanted (queue, place)
  CROSS JOIN LATERAL (
    SELECT number, queue, destination, state, dead, ${eventColumns} FROM {schema}.outbox AS entry
    WHERE entry.queue = wanted.queue AND NOT entry.dead ORDER BY number LIMIT 1
  ) AS head ORDER BY place`,
);

/** Whoever has locked a queue sees all of it in his next statement, and nothing can be put into it meanwhile. */
const lockQueues = (queues: string): Statement =>
  query(`SELECT queue FROM {schema}.outbox_queues WHERE queue IN (${queues}) ORDER BY queue FOR UPDATE`);

export const lockNamedQueues = lockQueues("SELECT unnest($1::text[])");
export const lockQueueOf = lockQueues(
  "SELECT queue FROM {schema}.outbox WHERE key = $1::text AND destination = $2::text",
);
export const lockQueuesOfUser = lockQueues(
  "SELECT queue FROM {schema}.outbox WHERE user_id = $1::text AND tenant_id = $2::text",
);

/** Under their locks: forgets those that hold nothing alive, and lets the others be taken. */
export const giveBackQueues = query(
  `WITH ${clock}, emptied AS (
    DELETE FROM {schema}.outbox_queues AS emptied WHERE emptied.queue = ANY ($2::text[])
    AND NOT EXISTS (SELECT FROM {schema}.outbox AS entry WHERE entry.queue = emptied.queue AND NOT entry.dead)
    RETURNING queue
  ) UPDATE {schema}.outbox_queues SET due_at = ${now}
  WHERE queue = ANY ($2::text[]) AND queue NOT IN (SELECT queue FROM emptied)`,
);

/** Under the lock of its queue; parameters 2 and 3: the key and destination of an entry. */
const settle = (settled: string): Statement =>
  query(`WITH ${clock}, found AS MATERIALIZED (
      SELECT number, queue, dead FROM {schema}.outbox WHERE key = $2::text AND destination = $3::text FOR UPDATE
    ), next AS MATERIALIZED (
      SELECT entry.number, entry.queue, entry.at FROM found JOIN {schema}.outbox AS entry
      ON entry.queue = found.queue AND entry.number <> found.number AND NOT entry.dead ORDER BY entry.number LIMIT 1
    ), ${settled} SELECT number FROM found`);

/** When an entry is gone from its queue: the next is due if that one was the head; nothing is left of an empty queue. */
const leave = `hastened AS (
      UPDATE {schema}.outbox_queues AS hastened SET due_at = least(${now}, next.at)
      FROM found, next WHERE hastened.queue = found.queue AND NOT found.dead AND found.number < next.number
    ), emptied AS (
      DELETE FROM {schema}.outbox_queues AS emptied USING found
      WHERE emptied.queue = found.queue AND NOT EXISTS (SELECT FROM next)
    )`;

export const deleteOutboxEntry = settle(`settled AS (
      DELETE FROM {schema}.outbox AS settled USING found WHERE settled.number = found.number
    ), ${leave}`);

/** Parameter 4: its state. */
export const layOutboxEntryAside = settle(`settled AS (
      UPDATE {schema}.outbox AS settled SET dead = true, state = $4::text FROM found WHERE settled.number = found.number
    ), ${leave}`);

/** Parameter 5: when the queue is due if the entry is its head. */
export const postponeOutboxEntry = settle(`settled AS (
      UPDATE {schema}.outbox AS settled SET dead = false, state = $4::text FROM found WHERE settled.number = found.number
    ), postponed AS (
      INSERT INTO {schema}.outbox_queues (queue, due_at) SELECT queue, $5::bigint FROM found
      WHERE NOT EXISTS (SELECT FROM next WHERE next.number < found.number)
      ON CONFLICT (queue) DO UPDATE SET due_at = excluded.due_at
    )`);

/**
 * A page, oldest first. Parameters: whether dead; after which time, key and destination, null for the first page; how many.
 */
export const listOutbox = query<OutboxRow>(
  `SELECT number, destination, coalesce(due_at, at) AS due_at, state, dead, ${eventColumns}
  FROM {schema}.outbox LEFT JOIN {schema}.outbox_queues USING (queue)
  WHERE dead = $1::boolean AND ($2::bigint IS NULL OR (at, key, destination) > ($2::bigint, $3::text, $4::text))
  ORDER BY at, key, destination LIMIT $5::bigint`,
);

/** Deletes the entries of a user; a queue whose head may have been among them is looked at anew. */
export const deleteOutboxOfUser = query(
  `WITH ${clock}, deleted AS (
    DELETE FROM {schema}.outbox WHERE user_id = $2::text AND tenant_id = $3::text AND number IN (
      SELECT number FROM {schema}.outbox WHERE user_id = $2::text AND tenant_id = $3::text ORDER BY number LIMIT $4::bigint
    ) RETURNING queue
  ) UPDATE {schema}.outbox_queues SET due_at = least(due_at, ${now}) WHERE queue IN (SELECT queue FROM deleted)`,
);

/** Rows as arrays of columns, in the order that any two of these lock them in. */
export const addCounts = query(
  `INSERT INTO {schema}.counts AS present (hour, name, count)
  SELECT hour, name, sum(count) FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS added (hour, name, count)
  GROUP BY hour, name ORDER BY hour, name COLLATE "C"
  ON CONFLICT (hour, name) DO UPDATE SET count = present.count + excluded.count`,
);

/** Parameters: the hours from and before which, after which hour and name, and how many. */
export const listCounts = query<CountRow>(
  `SELECT hour, name, count FROM {schema}.counts
  WHERE hour >= $1::bigint AND hour < $2::bigint AND (hour, name) > ($3::bigint, $4::text)
  ORDER BY hour, name LIMIT $5::bigint`,
);

export const selectSigningKeys = query<SigningKeyRow>(
  `SELECT kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from FROM {schema}.signing_keys
  ORDER BY created_at, kid`,
);

/** Under the lock of signing keys. Parameter 8: the newest one that is expected, or null for none. */
export const insertSigningKey = query(
  `INSERT INTO {schema}.signing_keys (kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from)
  SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint, $7::bigint
  WHERE $8::text IS NOT DISTINCT FROM (
    SELECT kid FROM {schema}.signing_keys WHERE algorithm = $2::text AND kind = $3::text
    ORDER BY created_at DESC, kid DESC LIMIT 1
  ) ON CONFLICT (kid) DO NOTHING RETURNING kid`,
);

export const deleteSigningKeys = query("DELETE FROM {schema}.signing_keys WHERE kid = ANY ($1::text[])");

export const resealSigningKey = query(
  `UPDATE {schema}.signing_keys SET sealed_private_key = $3::text
  WHERE kid = $1::text AND sealed_private_key = $2::text RETURNING kid`,
);

export const selectMeta = query<{ readonly value: string }>("SELECT value FROM {schema}.meta WHERE name = $1::text");

/** Answers with what stands, even while another client's claim is being committed. */
export const claimMeta = query<{ readonly value: string }>(
  `INSERT INTO {schema}.meta AS present (name, value) VALUES ($1::text, $2::text)
  ON CONFLICT (name) DO UPDATE SET value = present.value RETURNING value`,
);

export const replaceMeta = query(
  "UPDATE {schema}.meta SET value = $3::text WHERE name = $1::text AND value = $2::text RETURNING name",
);

/** Names after the second parameter that begin with the first, whose byte order ends before that of the greatest character. */
export const listMeta = query<MetaRecord>(
  `SELECT name, value FROM {schema}.meta WHERE name >= $1::text AND name < $1::text || chr(1114111) AND name > $2::text
  ORDER BY name LIMIT $3::bigint`,
);

/** Waits for a lock that lasts until the end of the transaction. */
export const lock = query("SELECT pg_advisory_xact_lock($1::bigint)");

/** Writes a row as it is, which shows that the database can be written. */
export const touchSchema = query("UPDATE {schema}.schema_versions SET applied_at = applied_at");
