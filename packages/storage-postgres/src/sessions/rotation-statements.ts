import type { TimedRow } from "./session-row.js";
import {
  clock,
  columns,
  columnsOf,
  end,
  live,
  noteEvents,
  now,
  prepared,
  intoOutbox,
  query,
  selectTarget,
} from "../connection/sql.js";

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
  proof: "text",
} as const;

/** How a statement writes the columns of an attempt, and its time: once, because each sub-select costs what a row does. */
type Attempt = Readonly<Record<keyof typeof attemptColumns | "now", string>>;

const attemptNames = Object.keys(attemptColumns) as readonly (keyof typeof attemptColumns)[];

/** `afterMint` of the contract, as assignments. */
const mint = (attempt: Attempt): string => {
  // A null is passed over by least().
  const end = `least(${attempt.now} + ${attempt.refresh_validity}, s.created_at + ${attempt.absolute_timeout})`;
  return `current = ${attempt.seq}, next = s.next + 1, issued_at = ${attempt.now}, expires_at = ${end},
    idle_expires_at = coalesce(${attempt.now} + ${attempt.idle_timeout}, 8640000000000000),
    key_kind = coalesce(${attempt.key_kind}, s.key_kind), sweep_at = least(s.sweep_at, ${end})`;
};

/** The `mint` of the contract's `decideRotation`. */
const minting = ({ now: at, bucket, id, seq, iat, secret_hash, reuse_window, proof }: Attempt): string =>
  `s.bucket = ${bucket} AND s.id = ${id} AND s.secret_hash = ${secret_hash} AND ${live("s", at)}
    AND (s.bound = '' OR s.bound = ${proof}) AND ${seq} <= s.next
    AND NOT (${reuse_window} > 0
      AND (${at} - s.issued_at <= ${reuse_window} OR (${seq} = s.next AND ${at} - ${iat} <= ${reuse_window})))
    AND (${seq} = s.current OR ${seq} = s.next
      OR (s.current < ${seq} AND ${seq} < s.next AND ${reuse_window} > 0 AND s.issued_at - ${iat} <= ${reuse_window}))`;

type RotatedRow = TimedRow & { readonly minted: boolean };

const attemptAsParameters: Attempt = {
  ...(Object.fromEntries(attemptNames.map((name, index) => [name, `$${index + 2}::${attemptColumns[name]}`])) as Omit<
    Attempt,
    "now"
  >),
  now: "clock.now",
};

/** The ordinary mint of one session; the row as it was found when its guard does not match. */
export const rotateSession = prepared<RotatedRow>(
  "rotate_session",
  `WITH ${clock}, minted AS (
    UPDATE {schema}.sessions AS s SET ${mint(attemptAsParameters)}
    FROM clock WHERE ${minting(attemptAsParameters)} RETURNING ${columnsOf("s")}, clock.now
  )
  SELECT true AS minted, now, ${columns} FROM minted
  UNION ALL
  SELECT false, clock.now, ${columns} FROM {schema}.sessions, clock
  WHERE bucket = $2::integer AND id = $3::text AND NOT EXISTS (SELECT FROM minted)`,
);

const attemptAsColumns = Object.fromEntries(
  [...attemptNames, "now"].map((name) => [name, `attempt.${name}`]),
) as Attempt;

/** The same of several sessions, which have to differ and to be in order, so that two of these cannot wait for each other. */
export const rotateSessions = prepared<RotatedRow>(
  "rotate_sessions",
  `WITH ${clock}, attempt AS MATERIALIZED (
    SELECT clock.now, attempt.* FROM clock,
      unnest(${attemptNames.map((name, index) => `$${index + 2}::${attemptColumns[name]}[]`).join(", ")})
      AS attempt (${attemptNames.join(", ")})
  ), minted AS (
    UPDATE {schema}.sessions AS s SET ${mint(attemptAsColumns)}
    FROM attempt WHERE ${minting(attemptAsColumns)} RETURNING ${columnsOf("s")}, attempt.now
  )
  SELECT true AS minted, now, ${columns} FROM minted
  UNION ALL
  SELECT false, attempt.now, ${columnsOf("s")} FROM attempt
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

/** Parameters 6 to 8: next, current, time of issue; from 9 on: events. */
export const applyFastForward = query<TimedRow>(
  `WITH ${clock}, ${change("next = $6::bigint, current = $7::bigint, issued_at = $8::bigint")},
  ${noteEvents(9, "EXISTS (SELECT FROM changed)")}${intoOutbox("noted")} ${selectChanged}`,
);

/** Parameter 6: reason; from 7 on: events. */
export const applyEnd = query<TimedRow>(`WITH ${clock}, expected AS MATERIALIZED (
      SELECT s.bucket, s.id FROM {schema}.sessions AS s WHERE ${expected} FOR UPDATE
    ), ${end(`${selectTarget} JOIN expected ON s.bucket = expected.bucket AND s.id = expected.id WHERE ${live("s")}`, { reason: "$6::text" })},
    ${noteEvents(7, "EXISTS (SELECT FROM ended)")}${intoOutbox("told", "noted")}
    SELECT ${columns}, ${now} AS now, (SELECT count(*) FROM woken) AS woken FROM ended`);

/**
 * `afterUse` of the contract for notes on sessions that differ and are in order. Parameters: bucket, id, seq, iat; window,
 * idle timeout, activity interval.
 */
const confirms = `(s.current < note.seq AND ($6::bigint = 0 OR ${now} - note.iat > $6::bigint) AND (note.seq = s.next
    OR (note.seq < s.next AND $6::bigint > 0 AND s.issued_at - note.iat > $6::bigint)))`;
const moves = `(${now} - s.last_active_at >= $8::bigint)`;

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
