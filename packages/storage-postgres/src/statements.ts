import { type EventSelector, type MetaRecord, PUBLIC_TENANT, type SessionSelector } from "@pawl/storage";
import type { Statement, Value } from "./database.js";
import type { EventRow, ReferenceRow, SessionRow, SigningKeyRow, TimedRow } from "./rows.js";

const query = <R = object>(text: string): Statement<R> => ({ text });

/** A statement of the hot path, prepared under this name. */
const prepared = <R = object>(name: string, text: string): Statement<R> => ({ name: `pawl_${name}`, text });

const sessionColumns = [
  "id",
  "tenant_id",
  "user_id",
  "secret_hash",
  "current",
  "next",
  "issued_at",
  "key_kind",
  "created_at",
  "last_active_at",
  "expires_at",
  "idle_expires_at",
  "ended_at",
  "end_reason",
  "device",
  "address",
  "payload",
  "data",
] as const;

const columns = sessionColumns.join(", ");

const columnsOf = (table: string): string => sessionColumns.map((column) => `${table}.${column}`).join(", ");

const referenceColumns = "id, tenant_id, user_id";

/**
 * The time of a statement, decided once: the server's at which the statement arrived, or what stands in parameter 1, which is
 * null but in tests.
 */
const clock = `clock AS MATERIALIZED (
    SELECT coalesce($1::bigint, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint) AS now
  )`;

const now = "(SELECT now FROM clock)";

const live = (table: string): string =>
  `${table}.ended_at IS NULL AND ${now} < ${table}.expires_at AND ${now} < ${table}.idle_expires_at`;

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

/** What an attempt to refresh is made of, and the types of its columns. */
const attemptColumns = {
  bucket: "integer",
  id: "text",
  seq: "bigint",
  iat: "bigint",
  secret_hash: "text",
  reuse_window: "bigint",
  refresh_validity: "bigint",
  absolute_timeout: "bigint",
  idle_timeout: "bigint",
  key_kind: "text",
} as const;

type Attempt = Readonly<Record<keyof typeof attemptColumns, string>>;

const attemptNames = Object.keys(attemptColumns) as readonly (keyof typeof attemptColumns)[];

/** `mintSuccessor` of the contract, as assignments. */
const mint = (attempt: Omit<Attempt, "bucket" | "id" | "iat" | "secret_hash" | "reuse_window">): string => {
  // A null is passed over by least().
  const end = `least(${now} + ${attempt.refresh_validity}, s.created_at + ${attempt.absolute_timeout})`;
  return `current = ${attempt.seq}, next = s.next + 1, issued_at = ${now}, expires_at = ${end},
    idle_expires_at = coalesce(${now} + ${attempt.idle_timeout}, 8640000000000000),
    key_kind = coalesce(${attempt.key_kind}, s.key_kind), sweep_at = least(s.sweep_at, ${end})`;
};

/** `mintsSuccessor` of the contract. */
const minting = ({ bucket, id, seq, iat, secret_hash, reuse_window }: Attempt): string =>
  `s.bucket = ${bucket} AND s.id = ${id} AND s.secret_hash = ${secret_hash} AND ${live("s")} AND ${seq} <= s.next
    AND NOT (${reuse_window} > 0
      AND (${now} - s.issued_at <= ${reuse_window} OR (${seq} = s.next AND ${now} - ${iat} <= ${reuse_window})))
    AND (${seq} = s.current OR ${seq} = s.next
      OR (s.current < ${seq} AND ${seq} < s.next AND ${reuse_window} > 0 AND s.issued_at - ${iat} <= ${reuse_window}))`;

type RotatedRow = TimedRow & { readonly minted: boolean };

const attemptAsParameters = Object.fromEntries(
  attemptNames.map((name, index) => [name, `$${index + 2}::${attemptColumns[name]}`]),
) as Attempt;

/** The ordinary mint of one session; the row as it was found when its guard does not match. */
export const rotateSession = prepared<RotatedRow>(
  "rotate_session",
  `WITH ${clock}, minted AS (
    UPDATE {schema}.sessions AS s SET ${mint(attemptAsParameters)}
    WHERE ${minting(attemptAsParameters)} RETURNING ${columnsOf("s")}
  )
  SELECT true AS minted, ${now} AS now, ${columns} FROM minted
  UNION ALL
  SELECT false, ${now}, ${columns} FROM {schema}.sessions
  WHERE bucket = $2::integer AND id = $3::text AND NOT EXISTS (SELECT FROM minted)`,
);

const attemptAsColumns = Object.fromEntries(attemptNames.map((name) => [name, `attempt.${name}`])) as Attempt;

/** The same of several sessions, which have to differ and to be in order, so that two of these cannot wait for each other. */
export const rotateSessions = prepared<RotatedRow>(
  "rotate_sessions",
  `WITH ${clock}, attempt AS MATERIALIZED (
    SELECT * FROM unnest(${attemptNames.map((name, index) => `$${index + 2}::${attemptColumns[name]}[]`).join(", ")})
      AS attempt (${attemptNames.join(", ")})
  ), minted AS (
    UPDATE {schema}.sessions AS s SET ${mint(attemptAsColumns)}
    FROM attempt WHERE ${minting(attemptAsColumns)} RETURNING ${columnsOf("s")}
  )
  SELECT true AS minted, ${now} AS now, ${columns} FROM minted
  UNION ALL
  SELECT false, ${now}, ${columnsOf("s")} FROM attempt
  JOIN {schema}.sessions AS s ON s.bucket = attempt.bucket AND s.id = attempt.id
  WHERE attempt.id NOT IN (SELECT id FROM minted)`,
);

/** The row that a decision was taken on, as parameters 2 to 5. */
const expected = `s.bucket = $2::integer AND s.id = $3::text AND s.current = $4::bigint AND s.next = $5::bigint
    AND ${live("s")}`;

const change = (assignments: string): string =>
  `changed AS (
    UPDATE {schema}.sessions AS s SET ${assignments} WHERE ${expected} RETURNING ${columnsOf("s")}
  )`;

const selectChanged = `SELECT ${columns}, ${now} AS now FROM changed`;

/** Parameters 6 to 10: seq, refresh validity, absolute and idle timeout, kind of key. */
export const applyMint = query<TimedRow>(
  `WITH ${clock}, ${change(
    mint({
      seq: "$6::bigint",
      refresh_validity: "$7::bigint",
      absolute_timeout: "$8::bigint",
      idle_timeout: "$9::bigint",
      key_kind: "$10::text",
    }),
  )} ${selectChanged}`,
);

export const applyConfirm = query<TimedRow>(`WITH ${clock}, ${change("current = s.next")} ${selectChanged}`);

const eventColumns = "key, at, type, tenant_id, user_id, session_id, reason, detail, count";

/** Events as arrays of columns, from the parameter of this number on; their keys have to differ and to be in order. */
const events = (first: number): string => {
  const types = ["text", "bigint", "text", "text", "text", "text", "text", "text", "bigint"];
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`);
  return `unnest(${arrays.join(", ")}) AS event (${eventColumns})`;
};

/** An event whose key is there adds its count to that one. */
const insertEventsFrom = (source: string): string =>
  `INSERT INTO {schema}.events AS present (${eventColumns}) ${source}
    ON CONFLICT (key) DO UPDATE SET count = present.count + excluded.count`;

/** Parameter 6: seq; from 7 on: events. */
export const applyFastForward = query<TimedRow>(
  `WITH ${clock}, ${change(`next = $6::bigint, issued_at = ${now}`)}, noted AS (
    ${insertEventsFrom(`SELECT ${eventColumns} FROM ${events(7)} WHERE EXISTS (SELECT FROM changed)`)}
  ) ${selectChanged}`,
);

/** Wakes in the same commit, once, if there is something to be woken for. */
const wakeFor = (source: string): string => `woken AS (
    SELECT pg_notify('{channel}', '') WHERE EXISTS (SELECT FROM ${source})
  )`;

const revoke = (source: string, reason: string): string => `revoked AS (
    INSERT INTO {schema}.revocations (session_id, tenant_id, user_id, at, reason)
    SELECT id, tenant_id, user_id, ${now}, ${reason} FROM ${source}
  )`;

/**
 * Ends what `target` names by bucket and id: flags it, drops payload and data, writes the feed and the event, wakes. The rows
 * are locked in order, so that two of these, or one and a batch of rotations, cannot wait for each other.
 */
const end = (
  target: string,
  { reason, detail }: { readonly reason: string; readonly detail: string },
): string => `target AS MATERIALIZED (
    ${target} ORDER BY s.bucket, s.id FOR UPDATE OF s
  ), ended AS (
    UPDATE {schema}.sessions AS s SET ended_at = ${now}, end_reason = ${reason}, payload = '{}', data = '{}'
    FROM target WHERE s.bucket = target.bucket AND s.id = target.id AND ${live("s")} RETURNING ${columnsOf("s")}
  ), ${revoke("ended", reason)}, told AS (
    ${insertEventsFrom(`SELECT 'session_ended:' || id, ${now}, 'session_ended', tenant_id, user_id, id, ${reason}, ${detail}, 1
    FROM ended ORDER BY id`)}
  ), ${wakeFor("ended")}`;

const selectEnded = `SELECT ${referenceColumns}, ${now} AS now, (SELECT count(*) FROM woken) AS woken FROM ended`;

const selectTarget = "SELECT s.bucket, s.id FROM {schema}.sessions AS s";

const endBy = (target: string): Statement<ReferenceRow> =>
  query(`WITH ${clock}, ${end(target, { reason: "$2::text", detail: "$3::text" })} ${selectEnded}`);

/** Parameters of each of these: now, reason, detail, then what names the sessions. With a tenant only those that are its. */
export const endSessions = endBy(
  `${selectTarget} JOIN unnest($4::integer[], $5::text[]) AS named (bucket, id) ON s.bucket = named.bucket AND s.id = named.id
    WHERE ($6::text IS NULL OR s.tenant_id = $6::text) AND ${live("s")}`,
);

/** But one, when an id is given. */
export const endSessionsOfUser = endBy(
  `${selectTarget} WHERE s.user_id = $4::text AND s.tenant_id = $5::text AND s.id IS DISTINCT FROM $6::text AND ${live("s")}`,
);

/** The index of tenants goes by the beginning of their names, and leaves out the public one. */
const ofTenant = (tenantId: string, parameter: string): string =>
  tenantId === PUBLIC_TENANT
    ? `tenant_id = ${parameter}`
    : `left(tenant_id, 64) = left(${parameter}, 64) AND tenant_id = ${parameter} AND tenant_id <> '${PUBLIC_TENANT}'`;

export const endSessionsOfTenant = (tenantId: string): Statement<ReferenceRow> =>
  endBy(`${selectTarget} WHERE ${ofTenant(tenantId, "$4::text")} AND ${live("s")}`);

/** Ends the sessions of a user beyond the so many most recently refreshed ones. */
export const endSurplus = endBy(
  `${selectTarget} JOIN (
      SELECT s.bucket, s.id FROM {schema}.sessions AS s
      WHERE s.user_id = $4::text AND s.tenant_id = $5::text AND ${live("s")}
      ORDER BY greatest(s.issued_at, s.created_at) DESC, s.id DESC OFFSET $6::bigint
    ) AS surplus ON s.bucket = surplus.bucket AND s.id = surplus.id`,
);

const applyEndOf = (target: string): Statement<TimedRow> =>
  query(`WITH ${clock}, expected AS MATERIALIZED (
      SELECT s.bucket, s.id, s.tenant_id, s.user_id FROM {schema}.sessions AS s WHERE ${expected} FOR UPDATE
    ), ${end(target, { reason: "$6::text", detail: "NULL::text" })}, noted AS (
      ${insertEventsFrom(`SELECT ${eventColumns} FROM ${events(7)} WHERE EXISTS (SELECT FROM ended)`)}
    ) SELECT ${columns}, ${now} AS now, (SELECT count(*) FROM woken) AS woken FROM ended`);

/** Parameter 6: reason; from 7 on: events. The row itself is among those that come back. */
export const applyEnd = applyEndOf(
  `${selectTarget} JOIN expected ON s.bucket = expected.bucket AND s.id = expected.id WHERE ${live("s")}`,
);

export const applyEndOfUser = applyEndOf(
  `${selectTarget} JOIN expected ON s.user_id = expected.user_id AND s.tenant_id = expected.tenant_id WHERE ${live("s")}`,
);

/** `noteUse` of the contract for notes on sessions that differ and are in order. Parameters: bucket, id, seq, iat; window, idle timeout. */
const confirms = `(note.seq = s.next AND s.current < s.next AND ($6::bigint = 0 OR ${now} - note.iat > $6::bigint))`;
const moves = `(${now} - s.last_active_at >= 60000)`;

export const noteUses = query<TimedRow & { readonly noted: boolean }>(
  `WITH ${clock}, note AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::bigint[]) AS note (bucket, id, seq, iat)
  ), noted AS (
    UPDATE {schema}.sessions AS s SET current = CASE WHEN ${confirms} THEN s.next ELSE s.current END,
      last_active_at = CASE WHEN ${moves} THEN ${now} ELSE s.last_active_at END,
      idle_expires_at = CASE WHEN ${moves} THEN coalesce(${now} + $7::bigint, 8640000000000000) ELSE s.idle_expires_at END
    FROM note WHERE s.bucket = note.bucket AND s.id = note.id AND ${live("s")} AND (${confirms} OR ${moves})
    RETURNING ${columnsOf("s")}
  )
  SELECT true AS noted, ${now} AS now, ${columns} FROM noted
  UNION ALL
  SELECT false, ${now}, ${columnsOf("s")} FROM note
  JOIN {schema}.sessions AS s ON s.bucket = note.bucket AND s.id = note.id
  WHERE note.id NOT IN (SELECT id FROM noted) AND ${live("s")}`,
);

/** Deletes all rows of a user; what was live comes back, and is told in the feed. */
export const eraseSessions = query<ReferenceRow & { readonly rows: number }>(
  `WITH ${clock}, deleted AS (
    DELETE FROM {schema}.sessions AS s WHERE s.user_id = $2::text AND s.tenant_id = $3::text
    RETURNING ${referenceColumns}, ${live("s")} AS live
  ), erased AS (
    SELECT ${referenceColumns} FROM deleted WHERE live
  ), ${revoke("erased", "'erased'")}, ${wakeFor("erased")}
  SELECT ${referenceColumns}, (SELECT count(*) FROM deleted) AS rows, (SELECT count(*) FROM woken) AS woken
  FROM (SELECT count(*) FROM deleted) AS total LEFT JOIN erased ON true`,
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

/** What a page lists, and the values of its statement's parameters. */
interface Listing<R> {
  readonly statement: Statement<R>;
  readonly values: readonly Value[];
}

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
export const listEvents = ({
  sessionId,
  tenantId,
  userId,
  types,
  after,
  limit,
}: EventListing): Listing<EventRow> => {
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

/** Answers with what stands, also when somebody else's claim is being committed at this moment. */
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
