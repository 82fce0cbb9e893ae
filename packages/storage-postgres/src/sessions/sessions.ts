import {
  bucketOfUser,
  type ErasedUser,
  isExpected,
  isLive,
  MOST_ENDED_FOR_LIMIT,
  type LiveSession,
  type Millis,
  type Page,
  type PageRequest,
  type RevocationCause,
  type RevocationSelector,
  type SessionChange,
  type SessionChangeResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type SessionSelector,
  StorageError,
  type TenantId,
  type UserId,
  type EndedByTime,
  type OnEndedByTime,
} from "@pawl/storage";
import { liveSessionOf, recordOf, type ReferenceRow, referenceOf, sessionPage, sweepAll } from "@pawl/storage/adapter";
import type { Database, Statement, Transaction, Value } from "../connection/database.js";
import { lockNumber } from "../connection/lock-number.js";
import { eventArrays } from "../events.js";
import { deleteEventsOfUser, deleteOutboxOfUser, lock, lockQueuesOfUser } from "../statements.js";
import { arraysOf, bucketColumn, byBucketAndId, insertColumns } from "./session-row.js";
import * as statements from "./statements.js";

/** What is asked of the database, and its time: null for its own, a number in tests. */
export interface Context {
  readonly database: Database;
  readonly time: Millis | null;
  /** The time to tell where no row brings it. */
  readonly now: () => Millis;
}

type User = { readonly tenantId: TenantId; readonly userId: UserId };

/** The parameters of `userAt`. */
const userValues = (user: User): readonly Value[] => [bucketOfUser(user), user.userId, user.tenantId];

/** A row and the time at which it was read. */
export interface TimedRecord {
  readonly record?: SessionRecord;
  readonly now: Millis;
}

/** Reads rows by their ids. @throws StorageError `read_only` from a standby. */
const readByIds = async <Row extends { readonly standby: boolean }>(
  within: Transaction,
  statement: Statement<Row>,
  { time, ids }: { readonly time: Millis | null; readonly ids: readonly SessionId[] },
): Promise<readonly Row[]> => {
  const distinct = [...new Set(ids)].map((id) => ({ id }));
  const rows = await within.query(statement, [
    time,
    ...arraysOf(distinct, [({ id }) => bucketColumn(id), ({ id }) => id]),
  ]);
  if (rows.some(({ standby }) => standby))
    throw new StorageError("read_only", "the server has become a standby, whose answers may be old");
  return rows;
};

/** Reads rows, live or not, in the order of the ids. */
export const readSessions = async (
  { database, time, now }: Context,
  ids: readonly SessionId[],
  within: Transaction = database,
): Promise<readonly TimedRecord[]> => {
  const rows = await readByIds(within, statements.selectSessions, { time, ids });
  const found = new Map(rows.map((row) => [row.id, { record: recordOf(row), now: row.now }]));
  return ids.map((id) => found.get(id) ?? { now: now() });
};

/** How sessions stand that are live, in the order of the ids. */
export const readLive = async (
  { database, time }: Context,
  ids: readonly SessionId[],
): Promise<readonly (LiveSession | undefined)[]> => {
  const rows = await readByIds(database, statements.selectLive, { time, ids });
  const found = new Map(rows.map((row) => [row.id, liveSessionOf(row)]));
  return ids.map((id) => found.get(id));
};

/** Inserts what is not there. @returns for each, in order, whether it was inserted. */
export const insertSessions = async (
  within: Transaction,
  records: readonly SessionRecord[],
): Promise<readonly boolean[]> => {
  const ordered = records.toSorted(byBucketAndId);
  const rows = await within.query(statements.insertSessions, arraysOf(ordered, insertColumns));
  const inserted = new Set(rows.map(({ id }) => id));
  // Of several records with one id only the first can have been inserted.
  return records.map(({ id }) => inserted.delete(id));
};

export const taken = (): StorageError => new StorageError("invalid_record", "the session id is taken");

/** Inserts a session and ends those of its user beyond the limit. @returns these. */
export const createLimited = (
  { database, time }: Context,
  record: SessionRecord,
  maxPerUser: number,
): Promise<readonly SessionReference[]> =>
  database.transaction(async ({ query }) => {
    const { tenantId, userId } = record;
    // All of it is sent at once; the second statement sees what was committed while the first waited.
    const [, ended, [inserted]] = await Promise.all([
      query(lock, [lockNumber("user", database.schema, tenantId, userId)]),
      query(statements.endSurplus, [
        time,
        "session_limit",
        null,
        null,
        ...userValues(record),
        maxPerUser - 1,
        MOST_ENDED_FOR_LIMIT,
      ]),
      insertSessions({ query }, [record]),
    ]);
    if (inserted !== true) throw taken();
    return ended.map(referenceOf);
  });

/** @returns the sessions that were live. */
export const revokeSessions = async (
  { database, time }: Context,
  {
    selector,
    cause,
    limit,
  }: {
    readonly selector: RevocationSelector;
    readonly cause: RevocationCause;
    readonly limit: number | undefined;
  },
): Promise<readonly SessionReference[]> => {
  const [statement, values] = revocationOf(selector);
  const by = cause.detail === undefined ? null : JSON.stringify({ by: cause.detail });
  return (await database.query(statement, [time, cause.reason, by, limit ?? null, ...values])).map(referenceOf);
};

const revocationOf = (selector: RevocationSelector): readonly [Statement<ReferenceRow>, readonly Value[]] => {
  switch (selector.kind) {
    case "ids": {
      const named = [...new Set(selector.ids)].map((id) => ({ id }));
      const arrays = arraysOf(named, [({ id }) => bucketColumn(id), ({ id }) => id]);
      return [statements.endSessions, [...arrays, selector.tenantId ?? null]];
    }
    case "user":
      return [statements.endSessionsOfUser, [...userValues(selector), selector.exceptId ?? null]];
    case "tenant":
      return [statements.endSessionsOfTenant(selector.tenantId), [selector.tenantId]];
  }
};

export const eraseUser = ({ database, time }: Context, user: User, limit?: number): Promise<ErasedUser> =>
  database.transaction(async ({ query }) => {
    const most = limit ?? null;
    // The later statements also see the events of a call that ended a session while the first waited for its row.
    const [sessions, [events]] = await Promise.all([
      query(statements.eraseSessions, [time, ...userValues(user), most]),
      query(deleteEventsOfUser, [user.userId, user.tenantId, most]),
      query(lockQueuesOfUser, [user.userId, user.tenantId]),
      query(deleteOutboxOfUser, [time, user.userId, user.tenantId, most]),
    ]);
    return {
      ended: sessions.filter(({ id }) => id !== null).map(referenceOf),
      rows: sessions[0]?.rows ?? 0,
      events: events?.count ?? 0,
    };
  });

type PageOf = SessionSelector & PageRequest;

export const listSessions = async (context: Context, page: PageOf): Promise<Page<SessionRecord>> => {
  const { statement, values } = statements.listSessions(listingOf(context, page));
  return sessionPage((await context.database.query(statement, values)).map(recordOf), page.limit);
};

export const listReferences = async (context: Context, page: PageOf): Promise<Page<SessionReference>> => {
  const { statement, values } = statements.listReferences(listingOf(context, page));
  return sessionPage((await context.database.query(statement, values)).map(referenceOf), page.limit);
};

/** All rows of a user, live or not. */
export const listHistory = async (
  { database }: Context,
  user: User,
  { after = "", limit }: PageRequest,
): Promise<Page<SessionRecord>> => {
  const values = [...userValues(user), after === "" ? -1 : bucketColumn(after), after, limit + 1];
  return sessionPage((await database.query(statements.listHistory, values)).map(recordOf), limit);
};

const listingOf = ({ time }: Context, { tenantId, userId, link, subject, after, limit }: PageOf) => ({
  tenantId,
  userId,
  link,
  subject,
  after: after === undefined ? undefined : { bucket: bucketColumn(after), id: after },
  limit: limit + 1,
  now: time,
});

/** The parameters of a change: null for what stays, and for a number that may be any. */
const valuesOf = ({ payload, data, facts, bound, announced = false, expected, events = [] }: SessionChange) => [
  payload ?? null,
  data ?? null,
  facts ?? null,
  bound ?? null,
  payload !== undefined || announced,
  announced,
  expected?.factsVersion ?? null,
  expected?.payloadVersion ?? null,
  expected?.next ?? null,
  ...eventArrays(events),
];

export const changeSession = async (
  context: Context,
  id: SessionId,
  change: SessionChange,
): Promise<SessionChangeResult> => {
  const values = [context.time, bucketColumn(id), id, ...valuesOf(change)];
  const [row] = await context.database.query(statements.changeSession, values);
  if (row === undefined) return { kind: "absent" };
  const { changed, now } = row;
  const record = recordOf(row);
  if (changed) return { kind: "changed", record, now };
  if (!isExpected(record, change)) return { kind: "conflict", record, now };
  // It was changed or ended by another call meanwhile: what came back is the row before that.
  const [{ record: fresh, now: then } = { now }] = await readSessions(context, [id]);
  return fresh !== undefined && isLive(fresh, then)
    ? { kind: "conflict", record: fresh, now: then }
    : { kind: "absent" };
};

/** Deletes what expired, at most `limit`. */
export const deleteExpired = (
  { database }: Context,
  { before, limit }: { readonly before: Millis; readonly limit: number },
  onEnded: OnEndedByTime | undefined,
): Promise<number> =>
  sweepAll(
    limit,
    async (wanted) => {
      const [swept] = await database.query(statements.sweep, [before, wanted]);
      const ended = JSON.parse(swept?.ended ?? "[]") as readonly EndedByTime[];
      return { seen: 0, deleted: 0, ...swept, ended };
    },
    { onEnded },
  );
