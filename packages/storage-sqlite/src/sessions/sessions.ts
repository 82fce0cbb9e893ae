import {
  afterFastForward,
  afterUse,
  type ApplyResult,
  type ErasedUser,
  type ExpectedRow,
  expiryOf,
  isLive,
  type Lifetimes,
  type Millis,
  millis,
  NEVER,
  type RevocationCause,
  type RevocationSelector,
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  sessionEndedEvent,
  type TenantId,
  type UseNote,
  type UsePolicy,
  type UserId,
} from "@pawl/storage";
import { type HistoryPart, recordOf, type ReferenceRow, referenceOf, type SweepStep } from "@pawl/storage/adapter";
import type { Database } from "../connection/database.js";
import { appendEvents } from "../events.js";
import { appendRevocations } from "../revocations.js";
import { parametersOf } from "./session-row.js";
import * as statements from "../statements.js";

/** What a write is done with: a database inside a transaction, and the time of that transaction. */
export interface Transaction {
  readonly database: Database;
  readonly now: Millis;
}

export const getSession = (database: Database, id: SessionId): SessionRecord | undefined => {
  const row = database.get(statements.selectSession, { id });
  return row && recordOf(row);
};

/** @returns the sessions ended for the limit. */
export const createSession = (
  { database, now }: Transaction,
  record: SessionRecord,
  maxPerUser: number | undefined,
): readonly SessionReference[] => {
  const { tenantId, userId } = record;
  const surplus =
    maxPerUser === undefined
      ? []
      : database.all(statements.selectSurplus, { tenantId, userId, now, keep: maxPerUser - 1 }).toReversed();
  database.run(statements.insertSession, parametersOf(record));
  const ids = surplus.map(({ id }) => id);
  return revokeSessions({ database, now }, { kind: "ids", ids }, { reason: "session_limit" });
};

/** @returns for each, in order, whether it was inserted. */
export const importSessions = ({ database }: Transaction, records: readonly SessionRecord[]): readonly boolean[] =>
  records.map((record) => database.run(statements.importSession, parametersOf(record)) > 0);

export const rotate = ({ database, now }: Transaction, attempt: RotationAttempt): RotationResult => {
  const { id, seq, iat, secretHash, window, lifetimes, keyKind: wanted = null } = attempt;
  const idleExpiresAt = idleEnd(lifetimes, now);
  const rotated = database.getColumns(statements.rotateSession, {
    id,
    seq,
    iat,
    secretHash,
    window,
    now,
    refreshValidity: lifetimes.refreshValidity,
    absoluteTimeout: lifetimes.absoluteTimeout ?? NEVER,
    idleExpiresAt,
    keyKind: wanted,
  });
  if (rotated === undefined) {
    const found = getSession(database, id);
    return found === undefined ? { minted: false, now } : { minted: false, record: found, now };
  }
  const [next, expiresAt, keyKind, tenantId, userId, createdAt, lastActiveAt, device, address, payload, data] = rotated;
  const record: SessionRecord = {
    id,
    tenantId,
    userId,
    secretHash,
    current: seq,
    next,
    issuedAt: now,
    keyKind,
    payload,
    data,
    ...(device !== null && { device }),
    ...(address !== null && { address }),
    createdAt,
    lastActiveAt,
    expiresAt,
    idleExpiresAt,
  };
  return { minted: true, record, now };
};

export const applyRotation = (
  { database, now }: Transaction,
  expected: ExpectedRow,
  change: RotationChange,
): ApplyResult => {
  const row = getSession(database, expected.id);
  if (row === undefined || !isLive(row, now) || row.current !== expected.current || row.next !== expected.next)
    return { kind: "conflict" };
  if (change.kind === "end") {
    const selector: RevocationSelector =
      change.scope === "user"
        ? { kind: "user", tenantId: row.tenantId, userId: row.userId }
        : { kind: "ids", ids: [row.id] };
    const ended = revokeSessions({ database, now }, selector, { reason: change.reason });
    appendEvents(database, change.events);
    return { kind: "applied", record: getSession(database, row.id) ?? row, ended, now };
  }
  appendEvents(database, change.events);
  return { kind: "applied", record: put(database, afterFastForward(row, change)), ended: [], now };
};

export const reportUse = (
  { database, now }: Transaction,
  note: UseNote,
  policy: UsePolicy,
): SessionRecord | undefined => {
  const row = getSession(database, note.id);
  if (row === undefined || !isLive(row, now)) return undefined;
  const noted = afterUse(row, note, { ...policy, now });
  return noted === row ? row : put(database, noted);
};

/** @returns the sessions that were live. */
export const revokeSessions = (
  { database, now }: Transaction,
  selector: RevocationSelector,
  cause: RevocationCause,
): readonly SessionReference[] =>
  noteEnds({ database, now }, endSessions({ database, now }, selector, cause.reason), cause);

/** The first rows of a user that have been ended, or of the others, by id. */
export const selectHistory = (
  database: Database,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  {
    part,
    after = "",
    limit,
  }: { readonly part: HistoryPart; readonly after: string | undefined; readonly limit: number },
): readonly SessionRecord[] => {
  const statement = part === "ended" ? statements.selectEndedOfUser : statements.selectOthersOfUser;
  return database.all(statement, { tenantId, userId, after, limit }).map(recordOf);
};

export const eraseUser = (
  { database, now }: Transaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
): ErasedUser => {
  const user = { tenantId, userId };
  const ended = database.all(statements.selectLiveOfUser, { ...user, now }).map(referenceOf);
  appendRevocations(database, ended, { at: now, reason: "erased" });
  return {
    ended,
    rows: database.run(statements.deleteEndedOfUser, user) + database.run(statements.deleteOthersOfUser, user),
    events: database.run(statements.deleteEventsOfUser, user),
  };
};

/** Looks at the next rows of the sweep: deletes those that expired, files the others under the end they have by now. */
export const sweep = (database: Database, before: Millis, limit: number): SweepStep => {
  const rows = database.all(statements.selectToSweep, { before, limit });
  const expired = rows.filter((row) => row.expires_at <= before);
  for (const row of rows)
    database.run(row.expires_at <= before ? statements.deleteSession : statements.postponeSweep, { id: row.id });
  const events = expired
    .filter((row) => row.ended_at === null)
    .map((row) =>
      sessionEndedEvent(referenceOf(row), expiryOf({ expiresAt: row.expires_at, idleExpiresAt: row.idle_expires_at })),
    );
  appendEvents(database, events);
  return { seen: rows.length, deleted: expired.length };
};

const idleEnd = ({ idleTimeout }: Lifetimes, now: Millis): Millis =>
  idleTimeout === undefined ? NEVER : millis(now + idleTimeout);

const put = (database: Database, record: SessionRecord): SessionRecord => {
  const { id, current, next, issuedAt, lastActiveAt, expiresAt, idleExpiresAt, keyKind } = record;
  const columns = { id, current, next, issuedAt, lastActiveAt, expiresAt, idleExpiresAt, keyKind };
  database.run(statements.updateRotation, columns);
  return record;
};

const endSessions = (
  { database, now }: Transaction,
  selector: RevocationSelector,
  reason: RevocationCause["reason"],
): readonly ReferenceRow[] => {
  if (selector.kind === "tenant") {
    const { tenantId } = selector;
    return database.all(statements.endSessionsOfTenant(tenantId), { tenantId, now, reason });
  }
  if (selector.kind === "user") {
    const { tenantId, userId, exceptId } = selector;
    if (exceptId === undefined) return database.all(statements.endSessionsOfUser, { tenantId, userId, now, reason });
    return database.all(statements.endSessionsOfUserExcept, { tenantId, userId, exceptId, now, reason });
  }
  const { ids, tenantId = null } = selector;
  return ids.flatMap((id) => database.get(statements.endSession, { id, tenantId, now, reason }) ?? []);
};

/** Appends what has to be known of sessions that were ended. */
const noteEnds = (
  { database, now }: Transaction,
  rows: readonly ReferenceRow[],
  cause: RevocationCause,
): readonly SessionReference[] => {
  const ended = rows.map(referenceOf);
  appendRevocations(database, ended, { at: now, reason: cause.reason });
  appendEvents(
    database,
    ended.map((session) => sessionEndedEvent(session, { ...cause, at: now })),
  );
  return ended;
};
