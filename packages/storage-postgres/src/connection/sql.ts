import { PUBLIC_TENANT } from "@pawl/storage";
import type { Statement, Value } from "./database.js";
import { eventColumns, eventFacts } from "./event-columns.js";

export const query = <R = object>(text: string): Statement<R> => ({ text });

/** A statement of the hot path, prepared under this name. */
export const prepared = <R = object>(name: string, text: string): Statement<R> => ({ name: `pawl_${name}`, text });

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
  "facts",
  "facts_version",
  "payload_version",
  "bound",
  "link",
  "subject",
] as const;

export const columns = sessionColumns.join(", ");

export const columnsOf = (table: string): string => sessionColumns.map((column) => `${table}.${column}`).join(", ");

export const referenceColumns = "id, tenant_id, user_id";

/**
 * The time of a statement, decided once: the server's at which the statement arrived, or what stands in parameter 1, which is
 * null but in tests.
 */
export const clock = `clock AS MATERIALIZED (
    SELECT coalesce($1::bigint, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint) AS now
  )`;

export const now = "(SELECT now FROM clock)";

export const live = (table: string, at = now): string =>
  `${table}.ended_at IS NULL AND ${at} < ${table}.expires_at AND ${at} < ${table}.idle_expires_at`;

/** What a page lists, and the values of its statement's parameters. */
export interface Listing<R> {
  readonly statement: Statement<R>;
  readonly values: readonly Value[];
}

/** Events as `eventArrays`, from the parameter of this number on. */
const events = (first: number): string => {
  const types = ["text", "bigint", "text", "text", "text", "text", "text", "text", "bigint"];
  const arrays = types.map((type, index) => `$${first + index}::${type}[]`);
  return `unnest(${arrays.join(", ")}) AS event (${eventColumns})`;
};

/**
 * Appends events of a source as the part `name` of a statement; an event whose key is there adds its count to that one. The
 * keys are in order, so that two of these cannot wait for each other.
 * @param call.added what is added to the count: one that has no more was not there.
 * @param call.initial the count of the first of this key in the call, which stands at this `place`.
 */
const append = (
  name: string,
  source: string,
  { added, initial, place }: { readonly added: string; readonly initial: string; readonly place: string },
): string => `${name} AS (
    INSERT INTO {schema}.events AS present (${eventColumns}) ${source}
    ON CONFLICT (key) DO UPDATE SET count = present.count + excluded.count
    RETURNING ${eventFacts}, count = ${added} AS is_new, ${initial} AS initial, ${place} AS place
  )`;

/** The part `noted`, which appends the events in the parameters from this number on, under a condition. */
export const noteEvents = (first: number, condition = "true"): string => {
  const place = `array_position($${first}::text[], key)`;
  return append("noted", `SELECT ${eventColumns} FROM ${events(first)} WHERE ${condition} ORDER BY key COLLATE "C"`, {
    added: `($${first + 8}::bigint[])[${place}]`,
    initial: `($${first + 9}::bigint[])[${place}]`,
    place,
  });
};

/** The part `told`: an event for each session of the source. A session ends once, so that each is one by itself. */
export const tellEnds = (
  source: string,
  { at, reason, detail = "NULL::text" }: { readonly at: string; readonly reason: string; readonly detail?: string },
): string =>
  append(
    "told",
    `SELECT 'session_ended:' || id, ${at}, 'session_ended', tenant_id, user_id, id, ${reason}, ${detail}, 1
    FROM ${source} ORDER BY id`,
    { added: "1", initial: "1::bigint", place: "1" },
  );

/**
 * Puts what these parts appended first into the outbox, each behind what is there of its session: stands behind another part
 * of a statement, and `Database` writes it out where there is an outbox.
 */
export const intoOutbox = (...parts: readonly ("told" | "noted")[]): string => `{outbox ${parts.join(" ")}}`;

/** Parameters that name a user: its bucket, which tells the partition, its own name and its tenant's. */
export const userAt = (first: number): string =>
  `s.bucket = $${first}::integer AND s.user_id = $${first + 1}::text AND s.tenant_id = $${first + 2}::text`;

/** All rows of a user: said in two halves, because those that have ended have an index of their own. */
export const allRowsOfUserAt = (first: number): string => {
  const user = userAt(first);
  return `((${user} AND s.ended_at IS NULL) OR (${user} AND s.ended_at IS NOT NULL))`;
};

/** The index of tenants goes by the beginning of their names, and leaves out the public one. */
export const ofTenant = (tenantId: string, parameter: string): string =>
  tenantId === PUBLIC_TENANT
    ? `tenant_id = ${parameter}`
    : `left(tenant_id, 64) = left(${parameter}, 64) AND tenant_id = ${parameter} AND tenant_id <> '${PUBLIC_TENANT}'`;

/** Wakes in the same commit, once, if there is something to be woken for. */
export const wakeFor = (source: string): string => `woken AS (
    SELECT pg_notify('{channel}', '') WHERE EXISTS (SELECT FROM ${source})
  )`;

export const revoke = (source: string, reason: string): string => `revoked AS (
    INSERT INTO {schema}.revocations (session_id, tenant_id, user_id, at, reason)
    SELECT id, tenant_id, user_id, ${now}, ${reason} FROM ${source}
  )`;

export const selectTarget = "SELECT s.bucket, s.id FROM {schema}.sessions AS s";

/**
 * Ends what `target` names by bucket and id: flags it, drops payload, data and facts, writes the feed and the event, wakes.
 * The rows are locked in order, so that two of these, or one and a batch of rotations, cannot wait for each other.
 */
export const end = (
  target: string,
  { reason, detail, limit = "ALL" }: { readonly reason: string; readonly detail?: string; readonly limit?: string },
): string => `target AS MATERIALIZED (
    ${target} ORDER BY s.bucket, s.id LIMIT ${limit} FOR UPDATE OF s
  ), ended AS (
    UPDATE {schema}.sessions AS s
    SET ended_at = ${now}, end_reason = ${reason}, payload = '{}', data = '{}', facts = '{}'
    FROM target WHERE s.bucket = target.bucket AND s.id = target.id AND ${live("s")} RETURNING ${columnsOf("s")}
  ), ${revoke("ended", reason)}, ${tellEnds("ended", { at: now, reason, ...(detail !== undefined && { detail }) })},
  ${wakeFor("ended")}`;
