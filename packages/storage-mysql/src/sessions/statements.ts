import type {
  Millis,
  RotationAttempt,
  SessionChange,
  SessionId,
  SessionRecord,
  SessionSelector,
  TenantId,
  UserId,
} from "@pawl/storage";
import { NEVER } from "@pawl/storage";
import type { HistoryPart } from "@pawl/storage/adapter";
import { inPieces, join, type Sql, sql, type Value, valueTable } from "../connection/sql.js";
import { keyOf } from "../index-key.js";
import { bucketColumn, valuesOf } from "./session-row.js";

const referenceColumns = sql`id, tenant_id, user_id, long_texts`;

const rotationColumns = sql`current, next, issued_at, key_kind, created_at, last_active_at, expires_at, idle_expires_at`;

const sessionColumns = sql`${referenceColumns}, secret_hash, ${rotationColumns}, ended_at, end_reason, device, address,
  payload, data, facts, facts_version, payload_version, bound, link, subject`;

/** In the order of keys, so that two transactions do not wait for each other. */
const inOrder = (ids: Iterable<SessionId>): readonly SessionId[] => [...new Set(ids)].toSorted();

const isSession = (id: SessionId): Sql => sql`(bucket = ${bucketColumn(id)} AND id = ${keyOf(id)})`;

const isLiveAt = (now: Sql): Sql => sql`ended_at IS NULL AND ${now} < expires_at AND ${now} < idle_expires_at`;

const areSessions = (keys: readonly Sql[]): Sql => sql`(${join(keys, " OR ")})`;

export const insertSessions = (records: readonly SessionRecord[]): readonly Sql[] =>
  inPieces(
    records.map(valuesOf),
    (rows) => sql`INSERT INTO sessions (bucket, ${sessionColumns}, sweep_at) VALUES ${join(rows)}`,
  );

export const selectSessions = (ids: Iterable<SessionId>): readonly Sql[] =>
  inPieces(
    inOrder(ids).map(isSession),
    (keys) => sql`SELECT ${sessionColumns} FROM sessions WHERE ${areSessions(keys)}`,
  );

/** Of the sessions that are live what tells how they stand. */
export const selectLive = (ids: Iterable<SessionId>, now: Sql): readonly Sql[] =>
  inPieces(
    inOrder(ids).map(isSession),
    (keys) => sql`SELECT ${referenceColumns}, payload_version, expires_at, idle_expires_at FROM sessions
      WHERE ${areSessions(keys)} AND ${isLiveAt(now)}`,
  );

/** As `selectSessions`; the rows stay as they are until the transaction ends. */
export const lockSessions = (ids: Iterable<SessionId>): readonly Sql[] =>
  selectSessions(ids).map((select) => sql`${select} FOR UPDATE`);

/** What names the sessions that have not ended: of those that are named, of a user, or of a tenant. */
const lockReferences = (condition: Sql): Sql => sql`
  SELECT ${referenceColumns}, expires_at, idle_expires_at FROM sessions
  WHERE ended_at IS NULL AND ${condition} FOR UPDATE`;

export const lockNamed = (ids: readonly SessionId[]): readonly Sql[] =>
  inPieces(inOrder(ids).map(isSession), (keys) => lockReferences(areSessions(keys)));

export const lockUser = (tenantId: TenantId, userId: UserId): Sql =>
  lockReferences(sql`user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)}`);

export const lockTenant = (tenantId: TenantId): Sql => lockReferences(sql`tenant_id = ${keyOf(tenantId)}`);

/** As `lockTenant`, so many that are live. */
export const lockSomeOfTenant = (
  tenantId: TenantId,
  { now, limit }: { readonly now: Sql; readonly limit: number },
): Sql => sql`SELECT ${referenceColumns}, expires_at, idle_expires_at FROM sessions
  WHERE tenant_id = ${keyOf(tenantId)} AND ${isLiveAt(now)} LIMIT ${limit} FOR UPDATE`;

/** Rows of a user, ended or not. */
export const lockRowsOfUser = (tenantId: TenantId, userId: UserId, limit: number): Sql => sql`
  SELECT ${referenceColumns}, expires_at, idle_expires_at, ended_at FROM sessions
  WHERE user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)} LIMIT ${limit} FOR UPDATE`;

/** What the session limit looks at. */
export const lockUserSessions = (tenantId: TenantId, userId: UserId): Sql => sql`
  SELECT ${referenceColumns}, issued_at, created_at, expires_at, idle_expires_at FROM sessions
  WHERE user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)} AND ended_at IS NULL FOR UPDATE`;

/** An attempt as SQL: literals where it is alone, columns of a table of values where it is one of many. */
type AttemptColumns = Readonly<Record<(typeof attemptColumns)[number], Value>>;
const attemptColumns = ["seq", "iat", "hash", "reuse", "valid", "absolute", "idle", "kind", "proof"] as const;

const literalsOf = ({ seq, iat, secretHash, window, lifetimes, keyKind, proof }: RotationAttempt): AttemptColumns => {
  const { refreshValidity, absoluteTimeout = NEVER, idleTimeout } = lifetimes;
  return {
    seq,
    iat,
    hash: secretHash,
    reuse: window,
    valid: refreshValidity,
    absolute: absoluteTimeout,
    idle: idleTimeout,
    kind: keyKind,
    proof,
  };
};

const columnsOfTable: AttemptColumns = {
  seq: sql`a.seq`,
  iat: sql`a.iat`,
  hash: sql`a.hash`,
  reuse: sql`a.reuse`,
  valid: sql`a.valid`,
  absolute: sql`a.absolute`,
  idle: sql`a.idle`,
  kind: sql`a.kind`,
  proof: sql`a.proof`,
};

/** `afterMint` of the contract. */
const mint = ({ seq, valid, absolute, idle, kind }: AttemptColumns): Sql => {
  const expiresAt = sql`LEAST(@now + ${valid}, s.created_at + ${absolute})`;
  return sql`s.current = ${seq}, s.next = s.next + 1, s.issued_at = @now, s.expires_at = ${expiresAt},
    s.idle_expires_at = COALESCE(@now + ${idle}, ${NEVER}), s.key_kind = COALESCE(${kind}, s.key_kind),
    s.sweep_at = LEAST(s.sweep_at, ${expiresAt})`;
};

/** The `mint` of the contract's `decideRotation`. */
const mints = ({ seq, iat, hash, reuse, proof }: AttemptColumns): Sql => sql`
  s.ended_at IS NULL AND @now < s.expires_at AND @now < s.idle_expires_at
  AND s.secret_hash = ${hash} AND (s.bound = '' OR s.bound = ${proof}) AND ${seq} <= s.next
  AND NOT (${reuse} > 0 AND (@now - s.issued_at <= ${reuse} OR (${seq} = s.next AND @now - ${iat} <= ${reuse})))
  AND (${seq} = s.current OR ${seq} = s.next
    OR (s.current < ${seq} AND ${seq} < s.next AND ${reuse} > 0 AND s.issued_at - ${iat} <= ${reuse}))`;

/** The ordinary mints of attempts, each on another session, in one statement. */
export const rotateSessions = (attempts: readonly RotationAttempt[]): Sql => {
  const [only] = attempts;
  if (only !== undefined && attempts.length === 1) {
    const columns = literalsOf(only);
    return sql`UPDATE sessions s SET ${mint(columns)}
      WHERE s.bucket = ${bucketColumn(only.id)} AND s.id = ${keyOf(only.id)} AND ${mints(columns)}`;
  }
  const rows = attempts.map((attempt) => {
    const columns = literalsOf(attempt);
    return [bucketColumn(attempt.id), keyOf(attempt.id), ...attemptColumns.map((name) => columns[name])];
  });
  return sql`UPDATE ${valueTable(["bucket", "id", ...attemptColumns], rows)} a
    STRAIGHT_JOIN sessions s ON s.bucket = a.bucket AND s.id = a.id
    SET ${mint(columnsOfTable)} WHERE ${mints(columnsOfTable)}`;
};

/** Writes the columns that a rotation or a use changes. */
export const updateRotations = (records: readonly SessionRecord[]): readonly Sql[] =>
  inPieces(records, (piece) => {
    const names = ["current", "next", "issued_at", "last_active_at", "expires_at", "idle_expires_at", "key_kind"];
    const rows = piece.map((record) => [
      bucketColumn(record.id),
      keyOf(record.id),
      record.current,
      record.next,
      record.issuedAt,
      record.lastActiveAt,
      record.expiresAt,
      record.idleExpiresAt,
      record.keyKind,
    ]);
    return sql`UPDATE ${valueTable(["bucket", "id", ...names], rows)} a
      STRAIGHT_JOIN sessions s ON s.bucket = a.bucket AND s.id = a.id
      SET s.current = a.current, s.next = a.next, s.issued_at = a.issued_at, s.last_active_at = a.last_active_at,
        s.expires_at = a.expires_at, s.idle_expires_at = a.idle_expires_at, s.key_kind = a.key_kind,
        s.sweep_at = LEAST(s.sweep_at, a.expires_at)`;
  });

/** Writes what a change gives, and the versions of the row after it. */
export const updateSession = (
  { id, factsVersion, payloadVersion }: SessionRecord,
  { payload, data, facts, bound }: SessionChange,
): Sql => {
  const assignments = [sql`facts_version = ${factsVersion}, payload_version = ${payloadVersion}`];
  if (payload !== undefined) assignments.push(sql`payload = ${payload}`);
  if (data !== undefined) assignments.push(sql`data = ${data}`);
  if (facts !== undefined) assignments.push(sql`facts = ${facts}`);
  if (bound !== undefined) assignments.push(sql`bound = ${bound}`);
  return sql`UPDATE sessions SET ${join(assignments)} WHERE ${isSession(id)}`;
};

export const endSessions = (ids: readonly SessionId[], at: Millis, reason: string): readonly Sql[] =>
  inPieces(
    inOrder(ids).map(isSession),
    (
      keys,
    ) => sql`UPDATE sessions SET ended_at = ${at}, end_reason = ${reason}, payload = '{}', data = '{}', facts = '{}'
      WHERE ${areSessions(keys)}`,
  );

export const deleteSessions = (ids: readonly SessionId[]): readonly Sql[] =>
  inPieces(inOrder(ids).map(isSession), (keys) => sql`DELETE FROM sessions WHERE ${areSessions(keys)}`);

/** A page of live sessions by id, after a row if there is one. */
const listed = (
  columns: Sql,
  { tenantId, userId, link, subject }: SessionSelector,
  { now, after, limit }: { readonly now: Sql; readonly after?: string | undefined; readonly limit: number },
): Sql => {
  const conditions = [isLiveAt(now)];
  if (userId !== undefined) conditions.push(sql`user_id = ${keyOf(userId)}`);
  if (tenantId !== undefined) conditions.push(sql`tenant_id = ${keyOf(tenantId)}`);
  if (link !== undefined) conditions.push(sql`link = ${keyOf(link)}`);
  if (subject !== undefined) conditions.push(sql`subject = ${keyOf(subject)}`);
  if (after !== undefined) {
    const bucket = bucketColumn(after as SessionId);
    conditions.push(sql`bucket >= ${bucket} AND (bucket > ${bucket} OR id > ${keyOf(after)})`);
  }
  return sql`SELECT ${columns} FROM sessions WHERE ${join(conditions, " AND ")} ORDER BY bucket, id LIMIT ${limit}`;
};

type ListParameters = Parameters<typeof listed> extends [unknown, ...infer Rest] ? Rest : never;

export const listSessions = (...parameters: ListParameters): Sql => listed(sessionColumns, ...parameters);

export const listReferences = (...parameters: ListParameters): Sql => listed(referenceColumns, ...parameters);

/** The first rows of a user that have been ended, or of the others, by id. */
export const selectHistory = (
  part: HistoryPart,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Sql => {
  const ended = part === "ended" ? sql`ended_at IS NOT NULL` : sql`ended_at IS NULL`;
  const bucket = bucketColumn((after ?? "") as SessionId);
  const behind =
    after === undefined ? sql`TRUE` : sql`bucket >= ${bucket} AND (bucket > ${bucket} OR id > ${keyOf(after)})`;
  return sql`SELECT ${sessionColumns} FROM sessions
    WHERE user_id = ${keyOf(userId)} AND tenant_id = ${keyOf(tenantId)} AND ${ended} AND ${behind}
    ORDER BY bucket, id LIMIT ${limit}`;
};

/** The next rows for the sweep to look at; another node's are waited for, and gone then. */
export const lockToSweep = (before: Millis, limit: number): Sql => sql`
  SELECT ${referenceColumns}, expires_at, idle_expires_at, ended_at FROM sessions FORCE INDEX (sessions_to_sweep)
  WHERE sweep_at <= ${before} ORDER BY sweep_at LIMIT ${limit} FOR UPDATE`;

export const postponeSweep = (ids: readonly SessionId[]): readonly Sql[] =>
  inPieces(
    inOrder(ids).map(isSession),
    (keys) => sql`UPDATE sessions SET sweep_at = expires_at WHERE ${areSessions(keys)}`,
  );
