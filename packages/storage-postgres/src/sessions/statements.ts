import { bucketOfUser, type SessionSelector } from "@pawl/storage";
import type { LiveRow, ReferenceRow, SessionRow } from "@pawl/storage/adapter";
import type { Statement, Value } from "../connection/database.js";
import type { TimedRow } from "./session-row.js";
import {
  allRowsOfUserAt,
  clock,
  columns,
  columnsOf,
  end,
  type Listing,
  live,
  noteEvents,
  now,
  ofTenant,
  prepared,
  intoOutbox,
  query,
  referenceColumns,
  revoke,
  selectTarget,
  tellEnds,
  userAt,
  wakeFor,
} from "../connection/sql.js";

/** Rows as arrays of columns; one whose id is taken, also by one before it, is left out of the answer. */
export const insertSessions = prepared<{ readonly id: string }>(
  "insert_sessions",
  `INSERT INTO {schema}.sessions (bucket, ${columns}, sweep_at)
  SELECT bucket, ${columns}, expires_at
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[],
    $17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::text[], $24::text[],
    $25::text[])
    AS session (bucket, ${columns})
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

/** As `selectSessions`: of those that are live what tells how they stand. */
export const selectLive = query<LiveRow & { readonly id: string; readonly standby: boolean }>(
  `WITH ${clock}
  SELECT s.id, s.tenant_id, s.payload_version, s.expires_at, s.idle_expires_at, ${now} AS now, pg_is_in_recovery() AS standby
  FROM unnest($2::integer[], $3::text[]) AS wanted (bucket, id)
  JOIN {schema}.sessions AS s ON s.bucket = wanted.bucket AND s.id = wanted.id WHERE ${live("s")}`,
);

/** The least recently refreshed first. */
const selectEnded = `SELECT ${referenceColumns}, ${now} AS now, (SELECT count(*) FROM woken) AS woken FROM ended
  ORDER BY greatest(issued_at, created_at), id`;

const endBy = (target: string): Statement<ReferenceRow> => {
  const ending = end(target, { reason: "$2::text", detail: "$3::text", limit: "$4::bigint" });
  return query(`WITH ${clock}, ${ending}${intoOutbox("told")} ${selectEnded}`);
};

/**
 * Parameters of each of these: now, reason, detail, how many at most (null for all), then what names the sessions. With a
 * tenant only those that are its.
 */
export const endSessions = endBy(
  `${selectTarget} JOIN unnest($5::integer[], $6::text[]) AS named (bucket, id) ON s.bucket = named.bucket AND s.id = named.id
    WHERE ($7::text IS NULL OR s.tenant_id = $7::text) AND ${live("s")}`,
);

/** But one, when an id is given. */
export const endSessionsOfUser = endBy(
  `${selectTarget} WHERE ${userAt(5)} AND s.id IS DISTINCT FROM $8::text AND ${live("s")}`,
);

export const endSessionsOfTenant = (tenantId: string): Statement<ReferenceRow> =>
  endBy(`${selectTarget} WHERE ${ofTenant(tenantId, "$5::text")} AND ${live("s")}`);

/** Ends the least recently refreshed sessions of a user; parameters 8 and 9: how many stay, and end at most. */
export const endSurplus = endBy(
  `${selectTarget} JOIN (
      SELECT bucket, id FROM (
        SELECT s.bucket, s.id, greatest(s.issued_at, s.created_at) AS refreshed_at FROM {schema}.sessions AS s
        WHERE ${userAt(5)} AND ${live("s")} ORDER BY 3 DESC, s.id DESC OFFSET $8::bigint
      ) AS beyond ORDER BY refreshed_at, id LIMIT $9::bigint
    ) AS surplus ON s.bucket = surplus.bucket AND s.id = surplus.id`,
);

/** Deletes rows of a user; parameter 5: how many at most, null for all. Those that were live come back, and go to the feed. */
export const eraseSessions = query<ReferenceRow & { readonly rows: number }>(
  `WITH ${clock}, target AS MATERIALIZED (
    SELECT s.bucket, s.id FROM {schema}.sessions AS s WHERE ${allRowsOfUserAt(2)} LIMIT $5::bigint FOR UPDATE
  ), deleted AS (
    DELETE FROM {schema}.sessions AS s USING target WHERE s.bucket = target.bucket AND s.id = target.id
    RETURNING s.id, s.tenant_id, s.user_id, ${live("s")} AS live
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

/**
 * `afterChange` of the contract; the row as it was found when it is not the expected one. Parameters: bucket, id; payload,
 * data, facts, bound, null for what stays; whether older access tokens are outdated, and whether that is announced; the
 * expected versions of facts and payload and `next`, null for any; from 13 on events.
 */
export const changeSession = query<TimedRow & { readonly changed: boolean }>(
  `WITH ${clock}, changed AS (
    UPDATE {schema}.sessions AS s SET payload = coalesce($4::text, s.payload), data = coalesce($5::text, s.data),
      facts = coalesce($6::text, s.facts), bound = coalesce($7::text, s.bound),
      facts_version = s.facts_version + ($6::text IS NOT NULL)::integer,
      payload_version = s.payload_version + $8::boolean::integer
    WHERE s.bucket = $2::integer AND s.id = $3::text AND ${live("s")}
      AND s.facts_version = coalesce($10::bigint, s.facts_version)
      AND s.payload_version = coalesce($11::bigint, s.payload_version) AND s.next = coalesce($12::bigint, s.next)
    RETURNING ${columnsOf("s")}
  ), announced AS (
    INSERT INTO {schema}.changes (session_id, tenant_id, user_id, at, payload_version)
    SELECT id, tenant_id, user_id, ${now}, payload_version FROM changed WHERE $9::boolean RETURNING 1
  ), ${noteEvents(13, "EXISTS (SELECT FROM changed)")}${intoOutbox("noted")}, ${wakeFor("announced")}
  SELECT true AS changed, ${now} AS now, ${columns}, (SELECT count(*) FROM woken) AS woken FROM changed
  UNION ALL
  SELECT false, ${now}, ${columnsOf("s")}, 0 FROM {schema}.sessions AS s
  WHERE s.bucket = $2::integer AND s.id = $3::text AND ${live("s")} AND NOT EXISTS (SELECT FROM changed)`,
);

type SessionListing = SessionSelector & {
  readonly after?: { readonly bucket: number; readonly id: string } | undefined;
  readonly limit: number;
  readonly now: number | null;
};

/** A page of live sessions in the order of bucket and id. */
export const listSessions = (listing: SessionListing): Listing<SessionRow> => list(columns, listing);

/** As `listSessions`, only what names them. */
export const listReferences = (listing: SessionListing): Listing<ReferenceRow> => list(referenceColumns, listing);

const list = <R>(
  selected: string,
  { userId, tenantId, link, subject, after, limit, now: time }: SessionListing,
): Listing<R> => {
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
  if (link !== undefined) conditions.push(`link = ${parameter(link, "text")}`);
  if (subject !== undefined) conditions.push(`subject = ${parameter(subject, "text")}`);
  if (after !== undefined)
    conditions.push(`(bucket, id) > (${parameter(after.bucket, "integer")}, ${parameter(after.id, "text")})`);
  const text = `WITH ${clock} SELECT ${selected} FROM {schema}.sessions AS s WHERE ${conditions.join(" AND ")}
    ORDER BY bucket, id LIMIT ${parameter(limit, "bigint")}`;
  return { statement: query(text), values };
};

const endedHow = "CASE WHEN idle_expires_at < expires_at THEN 'idle' ELSE 'expired' END";

/** Looks at the next rows of the sweep that no other node looks at: deletes those that expired, files the others anew. */
export const sweep = query<{
  readonly seen: number;
  readonly deleted: number;
  /** Of `EndedByTime`, as JSON. */
  readonly ended: string | null;
}>(
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
  ), ${tellEnds("deleted WHERE ended_at IS NULL", {
    at: "least(idle_expires_at, expires_at)",
    reason: endedHow,
  })}${intoOutbox("told")}
  SELECT (SELECT count(*) FROM seen) AS seen, (SELECT count(*) FROM deleted) AS deleted,
    (SELECT json_agg(json_build_object('tenantId', tenant_id, 'reason', ${endedHow}))
      FROM deleted WHERE ended_at IS NULL) AS ended`,
);
