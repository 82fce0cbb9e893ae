import {
  type ErasedUser,
  expiryOf,
  isLive,
  type LiveSession,
  type Millis,
  MOST_ENDED_FOR_LIMIT,
  type RevocationCause,
  type RevocationSelector,
  type SessionChange,
  type SessionChangeResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  sessionEndedEvent,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import {
  type HistoryPart,
  liveSessionOf,
  recordOf,
  type ReferenceRow,
  referenceOf,
  type SweepStep,
} from "@pawl/storage/adapter";
import type { Database } from "../connection/database.js";
import { appendEvents } from "../events.js";
import { appendChange, appendRevocations } from "../feeds.js";
import { deleteOutboxOfUser } from "../outbox.js";
import { deleteEventsOfUser } from "../statements.js";
import type { Transaction } from "../transaction.js";
import { parametersOf } from "./session-row.js";
import * as statements from "./statements.js";

export const getSession = (database: Database, id: SessionId): SessionRecord | undefined => {
  const row = database.get(statements.selectSession, { id });
  return row && recordOf(row);
};

/** @returns the sessions ended for the limit. */
export const createSession = (
  transaction: Transaction,
  record: SessionRecord,
  maxPerUser: number | undefined,
): readonly SessionReference[] => {
  const { database, now } = transaction;
  const { tenantId, userId } = record;
  const surplus =
    maxPerUser === undefined
      ? []
      : database.all(statements.selectSurplus, { tenantId, userId, now, keep: maxPerUser - 1 }).toReversed();
  database.run(statements.insertSession, parametersOf(record));
  const ids = surplus.slice(0, MOST_ENDED_FOR_LIMIT).map(({ id }) => id);
  return revokeSessions(transaction, { kind: "ids", ids }, { reason: "session_limit" });
};

/** @returns for each, in order, whether it was inserted. */
export const importSessions = ({ database }: Transaction, records: readonly SessionRecord[]): readonly boolean[] =>
  records.map((record) => database.run(statements.importSession, parametersOf(record)) > 0);

export const changeSession = (
  transaction: Transaction,
  id: SessionId,
  { expected = {}, payload, data, facts, bound, announced = false, events = [] }: SessionChange,
): SessionChangeResult => {
  const { database, now } = transaction;
  const row = database.get(statements.changeSession, {
    id,
    now,
    payload: payload ?? null,
    data: data ?? null,
    facts: facts ?? null,
    bound: bound ?? null,
    announced: announced ? 1 : 0,
    expectedFacts: expected.factsVersion ?? null,
    expectedPayload: expected.payloadVersion ?? null,
    expectedNext: expected.next ?? null,
  });
  if (row === undefined) {
    const record = getSession(database, id);
    return record === undefined || !isLive(record, now) ? { kind: "absent" } : { kind: "conflict", record, now };
  }
  const record = recordOf(row);
  if (announced) appendChange(database, { ...record, at: now });
  appendEvents(transaction, events);
  return { kind: "changed", record, now };
};

/** Which sessions are live, in the order of the ids. */
export const liveOf = (
  database: Database,
  ids: readonly SessionId[],
  now: Millis,
): readonly (LiveSession | undefined)[] =>
  ids.map((id) => {
    const row = database.get(statements.selectLive, { id, now });
    return row && liveSessionOf(row);
  });

/**
 * Ends sessions.
 * @param limit how many at most.
 * @returns the sessions that were live.
 */
export const revokeSessions = (
  transaction: Transaction,
  selector: RevocationSelector,
  cause: RevocationCause,
  limit?: number,
): readonly SessionReference[] =>
  noteEnds(transaction, endSessions(transaction, selector, { reason: cause.reason, limit }), cause);

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
  transaction: Transaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  limit = Number.MAX_SAFE_INTEGER,
): ErasedUser => {
  const { database, now } = transaction;
  const user = { tenantId, userId };
  const others = database.all(statements.selectOthersToErase, { ...user, now, limit });
  const over = database.all(statements.selectEndedToErase, { ...user, limit: limit - others.length });
  const ended = others.filter(({ live }) => live === 1).map(referenceOf);
  appendRevocations(database, ended, { at: now, reason: "erased" });
  deleteOutboxOfUser(transaction, user, limit);
  for (const { id } of [...others, ...over]) database.run(statements.deleteSession, { id });
  return {
    ended,
    rows: others.length + over.length,
    events: database.run(deleteEventsOfUser, { ...user, limit }),
  };
};

/** Looks at the next rows of the sweep: deletes those that expired, files the others under the end they have by now. */
export const sweep = (transaction: Transaction, before: Millis, limit: number): SweepStep => {
  const { database } = transaction;
  const rows = database.all(statements.selectToSweep, { before, limit });
  const expired = rows.filter((row) => row.expires_at <= before);
  for (const row of rows)
    database.run(row.expires_at <= before ? statements.deleteSession : statements.postponeSweep, { id: row.id });
  const ends = expired
    .filter((row) => row.ended_at === null)
    .map((row) => ({ row, ...expiryOf({ expiresAt: row.expires_at, idleExpiresAt: row.idle_expires_at }) }));
  appendEvents(
    transaction,
    ends.map(({ row, ...end }) => sessionEndedEvent(referenceOf(row), end)),
  );
  const ended = ends.map(({ row, reason }) => ({ tenantId: row.tenant_id, reason }));
  return { seen: rows.length, deleted: expired.length, ended };
};

const endSessions = (
  { database, now }: Transaction,
  selector: RevocationSelector,
  { reason, limit = -1 }: { readonly reason: RevocationCause["reason"]; readonly limit: number | undefined },
): readonly ReferenceRow[] => {
  if (selector.kind === "tenant") {
    const { tenantId } = selector;
    return database.all(statements.endSessionsOfTenant(tenantId), { tenantId, now, reason, limit });
  }
  if (selector.kind === "user") {
    const { tenantId, userId, exceptId } = selector;
    const user = { tenantId, userId, now, reason, limit };
    if (exceptId === undefined) return database.all(statements.endSessionsOfUser, user);
    return database.all(statements.endSessionsOfUserExcept, { ...user, exceptId });
  }
  const { ids, tenantId = null } = selector;
  const ended: ReferenceRow[] = [];
  for (const id of ids) {
    if (ended.length === limit) break;
    const row = database.get(statements.endSession, { id, tenantId, now, reason });
    if (row !== undefined) ended.push(row);
  }
  return ended;
};

/** Appends what has to be known of sessions that were ended. */
const noteEnds = (
  transaction: Transaction,
  rows: readonly ReferenceRow[],
  cause: RevocationCause,
): readonly SessionReference[] => {
  const { database, now } = transaction;
  const ended = rows.map(referenceOf);
  appendRevocations(database, ended, { at: now, reason: cause.reason });
  appendEvents(
    transaction,
    ended.map((session) => sessionEndedEvent(session, { ...cause, at: now })),
  );
  return ended;
};
