import type { CountSelector, EventSelector, Millis, OutboxKey, TenantId, UserId } from "@pawl/storage";
import type { CountPosition, EventPosition, OutboxPosition } from "@pawl/storage/adapter";
import { inPieces, join, type Sql, sql, valueTable } from "./connection/sql.js";
import { keyOf } from "./index-key.js";

/** Waits for its turn: who has locked the same number first has committed then. */
export const takeLocks = (numbers: readonly number[]): Sql => sql`
  SELECT number FROM locks WHERE number IN (${join(numbers)}) ORDER BY number FOR UPDATE`;

const eventColumns = sql`event_key, at, type, tenant_id, user_id, session_id, long_texts, reason, detail, event_count`;

/** Rows as `valuesOf` of `events.ts` makes them. */
export const insertEvents = (values: readonly Sql[]): readonly Sql[] =>
  inPieces(
    values,
    (rows) => sql`INSERT INTO events (${eventColumns}) VALUES ${join(rows)}
      ON DUPLICATE KEY UPDATE event_count = event_count + VALUES(event_count)`,
  );

/** A page of events, newest first, after one if there is one. */
export const listEvents = (selector: EventSelector, after: EventPosition | undefined, limit: number): Sql => {
  const { sessionId, tenantId, userId, types } = selector;
  const conditions = [sql`TRUE`];
  if (sessionId !== undefined) conditions.push(sql`session_id = ${keyOf(sessionId)}`);
  if (userId !== undefined) conditions.push(sql`user_id = ${keyOf(userId)}`);
  if (tenantId !== undefined) conditions.push(sql`tenant_id = ${keyOf(tenantId)}`);
  if (types !== undefined) conditions.push(types.length === 0 ? sql`FALSE` : sql`type IN (${join(types)})`);
  if (after !== undefined) {
    const { at, key } = after;
    conditions.push(sql`at <= ${at} AND (at < ${at} OR event_key < ${keyOf(key)})`);
  }
  return sql`SELECT event_key AS "key", at, type, tenant_id, user_id, session_id, long_texts, reason, detail,
    event_count AS "count" FROM events WHERE ${join(conditions, " AND ")}
    ORDER BY at DESC, event_key DESC LIMIT ${limit}`;
};

/** Of an event that was appended by this transaction: with its count in all, and that of the first of its key. */
export interface NewEntry extends OutboxKey {
  readonly added: number;
  readonly initial: number;
}

/**
 * Puts those events into the outbox whose count is what was added, which were not there before; in their order, each behind
 * what is there of its session for its destination. Whoever settles an entry locks its queue, as this does: so no queue is
 * forgotten while something is put into it.
 */
export const putIntoOutbox = (entries: readonly NewEntry[]): readonly Sql[] =>
  inPieces(entries, (piece) => {
    const names = ["event_key", "destination", "added", "initial", "place"];
    const rows = piece.map((entry, place) => [keyOf(entry.key), entry.destination, entry.added, entry.initial, place]);
    return sql`INSERT INTO outbox (queue, destination, ${eventColumns}, dead, state)
      SELECT CONCAT(a.destination, ' ', COALESCE(e.session_id, e.event_key)), a.destination, e.event_key, e.at, e.type,
        e.tenant_id, e.user_id, e.session_id, e.long_texts, e.reason, e.detail, a.initial, 0, '{}'
      FROM ${valueTable(names, rows)} a
      STRAIGHT_JOIN events e ON e.event_key = a.event_key WHERE e.event_count = a.added ORDER BY a.place
      ON DUPLICATE KEY UPDATE event_key = VALUES(event_key)`;
  }).concat(
    inPieces(
      [...new Set(entries.map(({ key }) => key))].map((key) => sql`${keyOf(key)}`),
      (keys) => sql`INSERT INTO outbox_queues (queue, due_at)
        SELECT queue, MIN(at) FROM outbox WHERE event_key IN (${join(keys)}) AND dead = 0 GROUP BY queue ORDER BY queue
        ON DUPLICATE KEY UPDATE queue = VALUES(queue)`,
    ),
  );

/** Names of queues are given and taken as bytes in hexadecimal, because one of a long text is no text. */
const areQueues = (queues: readonly string[]): Sql =>
  sql`queue IN (${join(queues.map((queue) => Buffer.from(queue, "hex")))})`;

/** The next queues that are due; another node's are waited for, and due later then. */
export const lockDueQueues = (now: Sql, limit: number): Sql => sql`
  SELECT HEX(queue) AS queue FROM outbox_queues WHERE due_at <= ${now} ORDER BY due_at LIMIT ${limit} FOR UPDATE`;

export const moveQueues = (queues: readonly string[], dueAt: Millis): Sql =>
  sql`UPDATE outbox_queues SET due_at = ${dueAt} WHERE ${areQueues(queues)}`;

const outboxColumns = sql`o.number, HEX(o.queue) AS queue, o.destination, o.dead, o.state, o.event_key AS "key", o.at,
  o.type, o.tenant_id, o.user_id, o.session_id, o.long_texts, o.reason, o.detail, o.event_count AS "count"`;

/** The heads of queues, which are due at this time. */
export const selectHeads = (queues: readonly string[], dueAt: Millis): Sql => sql`
  SELECT ${outboxColumns}, ${dueAt} AS due_at
  FROM (SELECT MIN(number) AS number FROM outbox WHERE ${areQueues(queues)} AND dead = 0 GROUP BY queue) head
  STRAIGHT_JOIN outbox o ON o.number = head.number`;

export const lockQueues = (queues: readonly string[]): Sql =>
  sql`SELECT 1 FROM outbox_queues WHERE ${areQueues(queues)} ORDER BY queue FOR UPDATE`;

/** Those of these that hold something alive. */
export const selectHeldQueues = (queues: readonly string[]): Sql =>
  sql`SELECT DISTINCT HEX(queue) AS queue FROM outbox WHERE ${areQueues(queues)} AND dead = 0`;

export const deleteQueues = (queues: readonly string[]): Sql =>
  sql`DELETE FROM outbox_queues WHERE ${areQueues(queues)}`;

/** Locks the queue of an entry, then reads the entry, then the first that is alive in its queue beside it. */
export const lockOutboxEntry = ({ key, destination }: OutboxKey): readonly Sql[] => {
  const isEntry = sql`e.event_key = ${keyOf(key)} AND e.destination = ${destination}`;
  return [
    sql`SELECT 1 FROM outbox_queues WHERE queue = (SELECT e.queue FROM outbox e WHERE ${isEntry}) FOR UPDATE`,
    sql`SELECT e.number, HEX(e.queue) AS queue, e.dead FROM outbox e WHERE ${isEntry} FOR UPDATE`,
    sql`SELECT n.number, n.at FROM outbox e STRAIGHT_JOIN outbox n ON n.queue = e.queue AND n.dead = 0
      WHERE ${isEntry} AND n.number <> e.number ORDER BY n.number LIMIT 1`,
  ];
};

export const deleteOutboxEntry = (number: number): Sql => sql`DELETE FROM outbox WHERE number = ${number}`;

export const updateOutboxEntry = (
  number: number,
  { dead, state }: { readonly dead: boolean; readonly state: string },
): Sql => sql`UPDATE outbox SET dead = ${dead ? 1 : 0}, state = ${state} WHERE number = ${number}`;

export const postponeQueue = (queue: string, dueAt: Millis): Sql =>
  sql`INSERT INTO outbox_queues (queue, due_at) VALUES (${Buffer.from(queue, "hex")}, ${dueAt})
    ON DUPLICATE KEY UPDATE due_at = VALUES(due_at)`;

/** A page, oldest first, after an entry if there is one. */
export const listOutbox = (dead: boolean, after: OutboxPosition | undefined, limit: number): Sql => {
  const behind =
    after === undefined
      ? sql`TRUE`
      : sql`o.at >= ${after.at} AND (o.at > ${after.at} OR o.event_key > ${keyOf(after.key)}
        OR (o.event_key = ${keyOf(after.key)} AND o.destination > ${after.destination}))`;
  return sql`SELECT ${outboxColumns}, COALESCE(q.due_at, o.at) AS due_at
    FROM outbox o LEFT JOIN outbox_queues q ON q.queue = o.queue
    WHERE o.dead = ${dead ? 1 : 0} AND ${behind} ORDER BY o.at, o.event_key, o.destination LIMIT ${limit}`;
};

export const deleteDeadOutbox = (before: Millis, limit: number): Sql =>
  sql`DELETE FROM outbox WHERE dead = 1 AND at < ${before} ORDER BY at LIMIT ${limit}`;

/** Deletes the entries of a user; a queue whose head may have been among them is looked at anew. */
export const deleteOutboxOfUser = (
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  now: Millis,
  limit: number,
): readonly Sql[] => [
  sql`UPDATE outbox o STRAIGHT_JOIN outbox_queues q ON q.queue = o.queue SET q.due_at = LEAST(q.due_at, ${now})
    WHERE o.user_id = ${keyOf(userId)} AND o.tenant_id = ${keyOf(tenantId)}`,
  sql`DELETE FROM outbox WHERE user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)} ORDER BY number LIMIT ${limit}`,
];

/** Rows in the order that any two of these lock them in. */
export const addCounts = (rows: readonly Sql[]): readonly Sql[] =>
  inPieces(
    rows,
    (piece) => sql`INSERT INTO counts (hour, name, total) VALUES ${join(piece)}
      ON DUPLICATE KEY UPDATE total = total + VALUES(total)`,
  );

export const listCounts = (
  { from, to }: CountSelector,
  { after, limit }: { readonly after: CountPosition | undefined; readonly limit: number },
): Sql => {
  const behind =
    after === undefined
      ? sql`hour >= ${from}`
      : sql`hour >= ${Math.max(from, after.hour)} AND (hour > ${after.hour} OR name > ${after.name})`;
  return sql`SELECT hour, name, total AS "count" FROM counts WHERE ${behind} AND hour < ${to}
    ORDER BY hour, name LIMIT ${limit}`;
};

export const deleteCounts = (before: Millis, limit: number): Sql =>
  sql`DELETE FROM counts WHERE hour < ${before} ORDER BY hour, name LIMIT ${limit}`;

export const deleteEvents = (before: Millis, limit: number): Sql =>
  sql`DELETE FROM events WHERE at < ${before} ORDER BY at LIMIT ${limit}`;

export const deleteEventsOfUser = (tenantId: TenantId, userId: UserId, limit: number): Sql =>
  sql`DELETE FROM events WHERE user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)} LIMIT ${limit}`;

export const selectSigningKeys = sql`
  SELECT kid, long_texts, algorithm, kind, public_key, sealed_private_key, created_at, signs_from FROM signing_keys
  ORDER BY created_at, kid`;

export const selectNewestSigningKey = (algorithm: string, kind: string): Sql => sql`
  SELECT kid, long_texts FROM signing_keys WHERE algorithm = ${algorithm} AND kind = ${kind}
  ORDER BY created_at DESC, kid DESC LIMIT 1`;

export const selectMeta = (name: string): Sql => sql`SELECT value FROM meta WHERE name = ${keyOf(name)}`;

/** Names after `after` that begin with `prefix`: no byte of UTF-8 is as great as the one that ends the range. */
export const listMeta = (prefix: string, after: string | undefined, limit: number): Sql => {
  const from = Buffer.from(prefix);
  return sql`SELECT name, long_texts, value FROM meta
    WHERE name >= ${from} AND name < ${Buffer.concat([from, Buffer.of(0xff)])}
      ${after === undefined ? sql`` : sql`AND name > ${keyOf(after)}`}
    ORDER BY name LIMIT ${limit}`;
};

/** Writes a row as it is, which shows that the database can be written. */
export const touchSchema = sql`UPDATE schema_versions SET applied_at = applied_at`;
