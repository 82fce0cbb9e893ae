import {
  afterEnd,
  isLive,
  MOST_ENDED_FOR_LIMIT,
  type Millis,
  refreshedAt,
  type SessionId,
  type SessionRecord,
  type SessionReference,
} from "@pawl/storage";
import { referenceOf } from "@pawl/storage/adapter";
import { createHash } from "node:crypto";
import { type Answer, rowsOf } from "../connection/connection.js";
import { type Database, type Decision, patienceOf } from "../connection/database.js";
import { importLock, userLocks } from "../migrations.js";
import type { UserSessionRow } from "../rows.js";
import { takeLocks } from "../statements.js";
import { end, onlyReference } from "./ending.js";
import { isUnexpired } from "./session-row.js";
import { recordsById } from "./sessions.js";
import * as statements from "./statements.js";

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
  const locks = takeLocks([...users.keys()].map(lockOf));
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
      const surplus =
        maxPerUser === undefined ? 0 : Math.min(MOST_ENDED_FOR_LIMIT, Math.max(0, others.length + 1 - maxPerUser));
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
    const ending = end(database, { all, present, cause: { reason: "session_limit" }, now });
    return { writes: [...statements.insertSessions(records), ...ending], result: () => ended };
  };
  return database.transact([locks, ...rows], decide, patienceOf(creations));
};

interface RankedSession {
  readonly reference: SessionReference;
  readonly refreshedAt: Millis;
}

const oldestFirst = (left: RankedSession, right: RankedSession): number =>
  left.refreshedAt - right.refreshedAt || (left.reference.id < right.reference.id ? -1 : 1);

const liveOf = (answer: Answer | undefined, now: Millis): RankedSession[] =>
  rowsOf<UserSessionRow>(answer)
    .filter((row) => isUnexpired(row, now))
    .map((row) => ({
      reference: referenceOf(row),
      refreshedAt: Math.max(row.issued_at, row.created_at) as Millis,
    }))
    .toSorted(oldestFirst);

/** Inserts rows as they are. @returns for each, in order, whether it was inserted. */
export const importSessions = async (
  database: Database,
  records: readonly SessionRecord[],
): Promise<readonly boolean[]> => {
  const locks = [takeLocks([importLock]), ...statements.selectSessions(records.map(({ id }) => id))];
  return database.transact(locks, ([, ...answers]) => {
    const taken = new Set<SessionId>(recordsById(answers).keys());
    const isFree = records.map(({ id }) => !taken.has(id) && taken.add(id).has(id));
    return { writes: statements.insertSessions(records.filter((_, index) => isFree[index])), result: () => isFree };
  });
};
