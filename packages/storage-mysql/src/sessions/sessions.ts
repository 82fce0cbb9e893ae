import {
  afterEnd,
  afterFastForward,
  afterUse,
  type ApplyResult,
  type ErasedUser,
  type EventRecord,
  type ExpectedRow,
  expiryOf,
  isLive,
  type Millis,
  refreshedAt,
  type RevocationCause,
  type RevocationSelector,
  type RotationChange,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  sessionEndedEvent,
  type TenantId,
  type UseNote,
  type UserId,
  type UsePolicy,
} from "@pawl/storage";
import { recordOf, referenceOf, type SessionRow, type SweepStep } from "@pawl/storage/adapter";
import { createHash } from "node:crypto";
import { type Answer, rowsOf } from "../connection/connection.js";
import { type Database, type Decision, patienceOf } from "../connection/database.js";
import { insertEvents } from "../events.js";
import { importLock, userLocks } from "../migrations.js";
import { insertRevocations } from "../revocations.js";
import type { SweepRow, UserSessionRow } from "../rows.js";
import { isUnexpired } from "./session-row.js";
import type { Sql } from "../connection/sql.js";
import * as statements from "../statements.js";

export const recordsById = (answers: readonly Answer[]): Map<SessionId, SessionRecord> => {
  const records = new Map<SessionId, SessionRecord>();
  for (const { rows } of answers)
    for (const row of rows as readonly SessionRow[]) {
      const record = recordOf(row);
      records.set(record.id, record);
    }
  return records;
};

/** Reads rows, live or not, in the order of the ids. */
export const getSessions = async (
  database: Database,
  ids: readonly SessionId[],
): Promise<readonly (SessionRecord | undefined)[]> => {
  const records = recordsById(await database.send(...statements.selectSessions(ids)));
  return ids.map((id) => records.get(id));
};

/** A session to be created, and how many its user may have. */
export interface Creation {
  readonly record: SessionRecord;
  readonly maxPerUser?: number;
}

const userOf = ({ tenantId, userId }: SessionReference): string => JSON.stringify([tenantId, userId]);

const lockOf = (user: string): number => createHash("sha256").update(user).digest().readUInt16BE(0) % userLocks;

/** Creates sessions. @returns for each the sessions that were ended for its limit. */
export const createSessions = async (
  database: Database,
  creations: readonly Creation[],
): Promise<readonly (readonly SessionReference[])[]> => {
  const users = new Map<string, SessionRecord>();
  for (const { record, maxPerUser } of creations) if (maxPerUser !== undefined) users.set(userOf(record), record);
  if (users.size === 0) {
    const inserts = statements.insertSessions(creations.map(({ record }) => record));
    if (inserts.length === 1) await database.send(...inserts);
    else await database.transact([], () => ({ writes: inserts, result: () => undefined }));
    return creations.map(() => []);
  }
  const locks = statements.takeLocks([...users.keys()].map(lockOf));
  const rows = [...users.values()].map(({ tenantId, userId }) => statements.lockUserSessions(tenantId, userId));
  const decide = (
    [, ...answers]: readonly Answer[],
    now: Millis,
  ): Decision<readonly (readonly SessionReference[])[]> => {
    const live = new Map([...users.keys()].map((user, index) => [user, liveOf(answers[index], now)]));
    const created = new Map<SessionId, SessionRecord>();
    const ended: SessionReference[][] = [];
    for (const { record, maxPerUser } of creations) {
      const others = live.get(userOf(record)) ?? [];
      const surplus = maxPerUser === undefined ? 0 : Math.max(0, others.length + 1 - maxPerUser);
      ended.push(others.splice(0, surplus).map(({ reference }) => reference));
      created.set(record.id, record);
      if (isLive(record, now)) others.push({ reference: onlyReference(record), refreshedAt: refreshedAt(record) });
      others.sort(oldestFirst);
    }
    const all = ended.flat();
    const present = all.filter(({ id }) => !created.has(id));
    for (const { id } of all) {
      const record = created.get(id);
      if (record !== undefined) created.set(id, afterEnd(record, { at: now, reason: "session_limit" }));
    }
    const records = creations.map(({ record }) => created.get(record.id) ?? record);
    const writes = [...statements.insertSessions(records), ...end(present, all, { reason: "session_limit" }, now)];
    return { writes, result: () => ended };
  };
  return database.transact([locks, ...rows], decide, patienceOf(creations));
};

interface LiveSession {
  readonly reference: SessionReference;
  readonly refreshedAt: Millis;
}

const oldestFirst = (left: LiveSession, right: LiveSession): number =>
  left.refreshedAt - right.refreshedAt || (left.reference.id < right.reference.id ? -1 : 1);

const liveOf = (answer: Answer | undefined, now: Millis): LiveSession[] =>
  rowsOf<UserSessionRow>(answer)
    .filter((row) => isUnexpired(row, now))
    .map((row) => ({
      reference: referenceOf(row),
      refreshedAt: Math.max(row.issued_at, row.created_at) as Millis,
    }))
    .toSorted(oldestFirst);

const onlyReference = ({ id, tenantId, userId }: SessionReference): SessionReference => ({ id, tenantId, userId });

/** The rows among the answers that are live, as what names them. */
const liveReferences = (answers: readonly Answer[], now: Millis): readonly SessionReference[] =>
  answers
    .flatMap(({ rows }) => rows as readonly UserSessionRow[])
    .filter((row) => isUnexpired(row, now))
    .map(referenceOf);

/** Ends the rows of `present`, and tells of all that end, which may hold some that are only being inserted. */
const end = (
  present: readonly SessionReference[],
  all: readonly SessionReference[],
  cause: RevocationCause,
  now: Millis,
): readonly Sql[] => [
  ...statements.endSessions(
    present.map(({ id }) => id),
    now,
    cause.reason,
  ),
  ...insertEvents(all.map((session) => sessionEndedEvent(session, { ...cause, at: now }))),
  // Last, so that between its number and its commit there is nothing to wait for.
  ...insertRevocations(all, { at: now, reason: cause.reason }),
];

export const applyRotation = async (
  database: Database,
  expected: ExpectedRow,
  change: RotationChange,
): Promise<ApplyResult> => {
  const { id } = expected;
  const ofUser = change.kind === "end" && change.scope === "user" ? [statements.lockUserOf(id)] : [];
  return database.transact<ApplyResult>([...statements.lockSessions([id]), ...ofUser], ([found, ...others], now) => {
    const row = recordsById(found === undefined ? [] : [found]).get(id);
    if (row === undefined || !isLive(row, now) || row.current !== expected.current || row.next !== expected.next)
      return { writes: [], result: () => ({ kind: "conflict" }) };
    if (change.kind === "end") {
      const { reason, events } = change;
      const ended = change.scope === "user" ? liveReferences(others, now) : [onlyReference(row)];
      const writes = [...insertEvents(events), ...end(ended, ended, { reason }, now)];
      const record = afterEnd(row, { at: now, reason });
      return { writes, result: () => ({ kind: "applied", record, ended, now }) };
    }
    const record = afterFastForward(row, change);
    return {
      writes: [...statements.updateRotations([record]), ...insertEvents(change.events)],
      result: () => ({ kind: "applied", record, ended: [], now }),
    };
  });
};

export const reportUses = async (
  database: Database,
  notes: readonly UseNote[],
  policy: UsePolicy,
): Promise<readonly (SessionRecord | undefined)[]> =>
  database.transact(statements.lockSessions(notes.map(({ id }) => id)), (answers, now) => {
    const records = recordsById(answers);
    const changed = new Map<SessionId, SessionRecord>();
    const result = notes.map((note) => {
      const row = records.get(note.id);
      if (row === undefined || !isLive(row, now)) return undefined;
      const noted = afterUse(row, note, { ...policy, now });
      if (noted !== row) changed.set(note.id, noted);
      records.set(note.id, noted);
      return noted;
    });
    return { writes: statements.updateRotations([...changed.values()]), result: () => result };
  });

const lockSelected = (selector: RevocationSelector): readonly Sql[] => {
  switch (selector.kind) {
    case "ids":
      return statements.lockNamed(selector.ids);
    case "user":
      return [statements.lockUser(selector.tenantId, selector.userId)];
    case "tenant":
      return [statements.lockTenant(selector.tenantId)];
  }
};

const isSelected = (selector: RevocationSelector, session: SessionReference): boolean =>
  selector.kind === "user"
    ? session.id !== selector.exceptId
    : selector.tenantId === undefined || session.tenantId === selector.tenantId;

/** @returns the sessions that were live. */
export const revokeSessions = async (
  database: Database,
  selector: RevocationSelector,
  cause: RevocationCause,
): Promise<readonly SessionReference[]> =>
  database.transact(lockSelected(selector), (answers, now) => {
    const ended = liveReferences(answers, now).filter((session) => isSelected(selector, session));
    return { writes: end(ended, ended, cause, now), result: () => ended };
  });

/** Inserts rows as they are. @returns for each, in order, whether it was inserted. */
export const importSessions = async (
  database: Database,
  records: readonly SessionRecord[],
): Promise<readonly boolean[]> => {
  const locks = [statements.takeLocks([importLock]), ...statements.selectSessions(records.map(({ id }) => id))];
  return database.transact(locks, ([, ...answers]) => {
    const taken = new Set<SessionId>(recordsById(answers).keys());
    const isFree = records.map(({ id }) => !taken.has(id) && taken.add(id).has(id));
    return { writes: statements.insertSessions(records.filter((_, index) => isFree[index])), result: () => isFree };
  });
};

export const eraseUser = async (
  database: Database,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
): Promise<ErasedUser> =>
  database.transact([statements.lockRowsOfUser(tenantId, userId)], ([answer], now) => {
    const rows = rowsOf<SweepRow>(answer);
    const ended = rows.filter((row) => row.ended_at === null && isUnexpired(row, now)).map(referenceOf);
    const writes = [
      statements.deleteEventsOfUser(tenantId, userId),
      ...statements.deleteSessions(rows.map(({ id }) => id)),
      ...insertRevocations(ended, { at: now, reason: "erased" }),
    ];
    return { writes, result: ([events]) => ({ ended, rows: rows.length, events: events?.affected ?? 0 }) };
  });

/** Looks at the next rows of the sweep: deletes those that expired, files the others under the end they have by now. */
export const sweep = async (database: Database, before: Millis, limit: number): Promise<SweepStep> =>
  database.transact([statements.lockToSweep(before, limit)], ([answer]) => {
    const rows = rowsOf<SweepRow>(answer);
    const [expired, kept] = [
      rows.filter((row) => row.expires_at <= before),
      rows.filter((row) => row.expires_at > before),
    ];
    const idsOf = (some: readonly SweepRow[]): readonly SessionId[] => some.map(({ id }) => id);
    const events = expired.filter((row) => row.ended_at === null).map(expiredEvent);
    const writes = [
      ...statements.deleteSessions(idsOf(expired)),
      ...statements.postponeSweep(idsOf(kept)),
      ...insertEvents(events),
    ];
    return { writes, result: () => ({ seen: rows.length, deleted: expired.length }) };
  });

const expiredEvent = (row: SweepRow): EventRecord =>
  sessionEndedEvent(referenceOf(row), expiryOf({ expiresAt: row.expires_at, idleExpiresAt: row.idle_expires_at }));
