import { bucketOfUser, type EventSelector, type MetaRecord, type SessionSelector } from "@pawl/storage";
import type { Statement, Value } from "./connection/database.js";
import type { EventRow, ReferenceRow, SessionRow, SigningKeyRow } from "@pawl/storage/adapter";
import type { TimedRow } from "./sessions/session-row.js";
import {
  allRowsOfUserAt,
  clock,
  columns,
  columnsOf,
  end,
  eventColumns,
  events,
  insertEventsFrom,
  type Listing,
  live,
  now,
  ofTenant,
  prepared,
  query,
  referenceColumns,
  revoke,
  selectTarget,
  userAt,
  wakeFor,
} from "./connection/sql.js";

/** The server's time, in milliseconds. */
export const selectTime = query<{ readonly now: number }>(`WITH ${clock} SELECT now FROM clock`);

/** Rows as arrays of columns; one whose id is taken, also by one before it, is left out of the answer. */
export const insertSessions = prepared<{ readonly id: string }>(
  "insert_sessions",
  `INSERT INTO {schema}.sessions (bucket, ${columns}, sweep_at)
  SELECT bucket, ${columns}, expires_at
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[],
    $17::text[], $18::text[], $19::text[]) AS session (bucket, ${columns})
  ON CONFLICT (bucket, id) DO NOTHING RETURNING id`,
);

/** Rows by bucket and id; `pg_is_in_recovery` tells a server that has become a standby, where what is read may be old. */
export const selectSessions = prepared<TimedRow & { readonly standby: boolean }>(
  "select_sessions",
  `WITH ${clock}
  SELECT ${columnsOf("s")}, ${now} AS now, pg_is_in_recovery() AS standby
  FROM unnest($2::integer[], $3::text[]) AS wanted (bucket, id)
  JOIN {schema}.sessions AS s ON s.bucket = wanted.bucket AND s.id = wanted.id`,
);

/** The least recently refreshed first. */
const selectEnded = `SELECT ${referenceColumns}, ${now} AS now, (SELECT count(*) FROM woken) AS woken FROM ended
  ORDER BY greatest(issued_at, created_at), id`;

const endBy = (target: string): Statement<ReferenceRow> =>
  query(`WITH ${clock}, ${end(target, { reason: "$2::text", detail: "$3::text" })} ${selectEnded}`);

/** Parameters of each of these: now, reason, detail, then what names the sessions. With a tenant only those that are its. */
export const endSessions = endBy(
  `${selectTarget} JOIN unnest($4::integer[], $5::text[]) AS named (bucket, id) ON s.bucket = named.bucket AND s.id = named.id
    WHERE ($6::text IS NULL OR s.tenant_id = $6::text) AND ${live("s")}`,
);

/** But one, when an id is given. */
export const endSessionsOfUser = endBy(
  `${selectTarget} WHERE ${userAt(4)} AND s.id IS DISTINCT FROM $7::text AND ${live("s")}`,
);

export const endSessionsOfTenant = (tenantId: string): Statement<ReferenceRow> =>
  endBy(`${selectTarget} WHERE ${ofTenant(tenantId, "$4::text")} AND ${live("s")}`);

/** Ends all but the most recently refreshed sessions of a user; parameter 7: how many stay. */
export const endSurplus = endBy(
  `${selectTarget} JOIN (
      SELECT s.bucket, s.id FROM {schema}.sessions AS s
      WHERE ${userAt(4)} AND ${live("s")}
      ORDER BY greatest(s.issued_at, s.created_at) DESC, s.id DESC OFFSET $7::bigint
    ) AS surplus ON s.bucket = surplus.bucket AND s.id = surplus.id`,
);

/** Deletes all rows of a user; those that were live come back, and are written to the feed. */
export const eraseSessions = query<ReferenceRow & { readonly rows: number }>(
  `WITH ${clock}, deleted AS (
    DELETE FROM {schema}.sessions AS s WHERE ${allRowsOfUserAt(2)}
    RETURNING ${referenceColumns}, ${live("s")} AS live
  ), erased AS (
    SELECT ${referenceColumns} FROM deleted WHERE live
  ), ${revoke("erased", "'erased'")}, ${wakeFor("erased")}
  SELECT ${referenceColumns}, (SELECT count(*) FROM deleted) AS rows, (SELECT count(*) FROM woken) AS woken
  FROM (SELECT count(*) FROM deleted) AS total LEFT JOIN erased ON true`,
);

/** A page of all rows of a user; parameters 4 to 6: after which bucket and id, and how many. */
export const listHistory = query<SessionRow>(
  `SELECT ${columns} FROM {schema}.sessions AS s WHERE ${allRowsOfUserAt(1)}
    AND (bucket, id) > ($4::integer, $5::text) ORDER BY bucket, id LIMIT $6::bigint`,
);

export const deleteEventsOfUser = query<{ readonly count: number }>(
  `WITH deleted AS (DELETE FROM {schema}.events WHERE user_id = $1::text AND tenant_id = $2::text RETURNING 1)
  SELECT count(*) AS count FROM deleted`,
);

const update = (column: string): Statement =>
  query(`WITH ${clock} UPDATE {schema}.sessions AS s SET ${column} = $4::text
    WHERE s.bucket = $2::integer AND s.id = $3::text AND ${live("s")} RETURNING ${now} AS now`);

export const updateData = update("data");
export const updatePayload = update("payload");

type SessionListing = SessionSelector & {
  readonly after?: { readonly bucket: number; readonly id: string } | undefined;
  readonly limit: number;
  readonly now: number | null;
};

/** A page of live sessions in the order of bucket and id. */
export const listSessions = (listing: SessionListing): Listing<SessionRow> => list(columns, listing);

/** As `listSessions`, only what names them. */
export const listReferences = (listing: SessionListing): Listing<ReferenceRow> => list(referenceColumns, listing);

const list = <R>(selected: string, { userId, tenantId, after, limit, now: time }: SessionListing): Listing<R> => {
  const values: Value[] = [time];
  const parameter = (value: Value, type: string): string => `$${values.push(value)}::${type}`;
  const conditions = [live("s")];
  if (userId !== undefined) conditions.push(`user_id = ${parameter(userId, "text")}`);
  if (tenantId !== undefined) {
    const tenant = parameter(tenantId, "text");
    conditions.push(userId === undefined ? ofTenant(tenantId, tenant) : `tenant_id = ${tenant}`);
  }
  if (userId !== undefined && tenantId !== undefined)
    conditions.push(`bucket = ${parameter(bucketOfUser({ userId, tenantId }), "integer")}`);
  if (after !== undefined)
    conditions.push(`(bucket, id) > (${parameter(after.bucket, "integer")}, ${parameter(after.id, "text")})`);
  const text = `WITH ${clock} SELECT ${selected} FROM {schema}.sessions AS s WHERE ${conditions.join(" AND ")}
    ORDER BY bucket, id LIMIT ${parameter(limit, "bigint")}`;
  return { statement: query(text), values };
};

/** Looks at the next rows of the sweep that no other node looks at: deletes those that expired, files the others anew. */
export const sweep = query<{ readonly seen: number; readonly deleted: number }>(
  `WITH seen AS MATERIALIZED (
    SELECT bucket, id FROM {schema}.sessions WHERE sweep_at <= $1::bigint
    ORDER BY sweep_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ), postponed AS (
    UPDATE {schema}.sessions AS s SET sweep_at = s.expires_at
    FROM seen WHERE s.bucket = seen.bucket AND s.id = seen.id AND s.expires_at > $1::bigint
  ), deleted AS (
    DELETE FROM {schema}.sessions AS s
    USING seen WHERE s.bucket = seen.bucket AND s.id = seen.id AND s.expires_at <= $1::bigint
    RETURNING s.id, s.tenant_id, s.user_id, s.expires_at, s.idle_expires_at, s.ended_at
  ), told AS (
    ${insertEventsFrom(`SELECT 'session_ended:' || id, least(idle_expires_at, expires_at), 'session_ended', tenant_id, user_id,
      id, CASE WHEN idle_expires_at < expires_at THEN 'idle' ELSE 'expired' END, NULL, 1
    FROM deleted WHERE ended_at IS NULL ORDER BY id`)}
  ) SELECT (SELECT count(*) FROM seen) AS seen, (SELECT count(*) FROM deleted) AS deleted`,
);

export const insertEvents = query(insertEventsFrom(`SELECT ${eventColumns} FROM ${events(1)}`));

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

const deleteOldest = (table: string, key: string): Statement<{ readonly count: number }> =>
  query(`WITH deleted AS (
      DELETE FROM {schema}.${table} WHERE ${key} IN (
        SELECT ${key} FROM {schema}.${table} WHERE at < $1::bigint ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
      ) RETURNING 1
    ) SELECT count(*) AS count FROM deleted`);

export const deleteEvents = deleteOldest("events", "key");
export const deleteRevocations = deleteOldest("revocations", "number");

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
