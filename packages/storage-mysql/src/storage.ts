import {
  type RotationAttempt,
  type RotationResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type Storage,
} from "@pawl/storage";
import {
  CallBatch,
  readHistoryPage,
  recordOf,
  type ReferenceRow,
  referenceOf,
  sessionPage,
  type SessionRow,
  sweepAll,
  wakingStorage,
  withinTime,
} from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { ConnectionPool } from "./connection/connection-pool.js";
import type { Database } from "./connection/database.js";
import { isOfOneCall, noAnswerWithin } from "./connection/failure.js";
import type { Sql } from "./connection/sql.js";
import { insertEvents, listEvents } from "./events.js";
import { claimMeta, listMeta, replaceMeta } from "./meta.js";
import { applyMigrations } from "./migrations.js";
import { addCounts, listCounts } from "./counts.js";
import { FeedWatch } from "./feed-watch.js";
import { changes, deleteLines, readFeed, readFeedStates, revocations } from "./feeds.js";
import * as outbox from "./outbox.js";
import * as creation from "./sessions/creation.js";
import { eraseUser, revokeSessions, sweep } from "./sessions/ending.js";
import { rotateAll } from "./sessions/rotation.js";
import * as sessions from "./sessions/sessions.js";
import * as sessionStatements from "./sessions/statements.js";
import { addSigningKey, deleteSigningKeys, getSigningKeys, resealSigningKey } from "./signing-keys.js";
import * as statements from "./statements.js";

/** How many batches of one kind are on their way at once. */
const lanes = 2;

/** How many calls make a batch at most. */
const batchLimit = 256;

/** How many rows are deleted in one transaction at most, so that none is locked for long. */
const sweepLimit = 1000;

/** The contract on MySQL and MariaDB: a call is done alone or in a batch with others. */
export const mysqlStorage = (pool: ConnectionPool, database: Database, timeout: number): Storage => {
  const watch = new FeedWatch((from) => readFeedStates(database, from));

  const common = { lanes, limit: batchLimit, timeout, isOfOneCall };
  const rotations = new CallBatch<RotationAttempt, RotationResult>({
    ...common,
    keyOf: ({ id }) => id,
    run: (attempts) => rotateAll(database, attempts),
  });
  const reads = new CallBatch<SessionId, SessionRecord | undefined>({
    ...common,
    keyOf: (id) => id,
    run: (ids) => sessions.getSessions(database, ids),
  });
  const creations = new CallBatch<creation.Creation, readonly SessionReference[]>({
    ...common,
    keyOf: ({ record }) => JSON.stringify([record.tenantId, record.userId]),
    weigh: ({ record: { payload, data, facts, device = "" } }) =>
      payload.length + data.length + facts.length + device.length,
    run: (creations) => creation.createSessions(database, creations),
  });

  const inTime = <T>(work: Promise<T>): Promise<T> => withinTime(work, timeout, noAnswerWithin(timeout));

  const select = async <Row>(statement: Sql): Promise<readonly Row[]> =>
    rowsOf<Row>((await inTime(database.send(statement)))[0]);

  const remove = async (statement: Sql): Promise<number> => (await database.send(statement))[0]?.affected ?? 0;

  const storage: Omit<Storage, "watchFeeds"> = {
    now: () => database.clock.now(),
    createSession: (record, limits) => inTime(creations.add({ record, ...limits })),
    getSession: (id) => inTime(reads.add(id)),
    rotate: (attempt) => inTime(rotations.add(attempt)),
    applyRotation: (expected, change) => inTime(sessions.applyRotation(database, expected, change)),
    reportUses: async (notes, policy) =>
      notes.length === 0 ? [] : inTime(sessions.reportUses(database, notes, policy)),
    revokeSessions: (selector, cause, limit) => revokeSessions(database, { selector, cause, limit }),
    eraseUser: (user, limit) => eraseUser(database, user, limit),
    importSessions: async (records) => (records.length === 0 ? [] : creation.importSessions(database, records)),
    listSessions: async (selector, { limit, after }) => {
      const range = { now: database.time, after, limit: limit + 1 };
      const rows = await select<SessionRow>(sessionStatements.listSessions(selector, range));
      return sessionPage(rows.map(recordOf), limit);
    },
    listSessionReferences: async (selector, { limit, after }) => {
      const range = { now: database.time, after, limit: limit + 1 };
      const rows = await select<ReferenceRow>(sessionStatements.listReferences(selector, range));
      return sessionPage(rows.map(referenceOf), limit);
    },
    listSessionHistory: (user, page) =>
      readHistoryPage(page, async (part, from) =>
        (await select<SessionRow>(sessionStatements.selectHistory(part, user, from))).map(recordOf),
      ),
    changeSession: (id, change) => inTime(sessions.changeSession(database, id, change)),
    liveOf: async (ids) => (ids.length === 0 ? [] : inTime(sessions.getLive(database, ids))),
    deleteExpired: (before, limit, onEnded) =>
      sweepAll(limit, (wanted) => sweep(database, before, wanted), { most: sweepLimit, onEnded }),
    getSigningKeys: () => inTime(getSigningKeys(database)),
    addSigningKey: (record, ifNewestIs) => inTime(addSigningKey(database, record, ifNewestIs)),
    deleteSigningKeys: (kids) => inTime(deleteSigningKeys(database, kids)),
    resealSigningKey: (kid, from, to) => inTime(resealSigningKey(database, kid, { from, to })),
    claimMeta: ((name: string, value?: string) => inTime(claimMeta(database, name, value))) as Storage["claimMeta"],
    replaceMeta: (name, from, to) => inTime(replaceMeta(database, name, { from, to })),
    listMeta: (prefix, page) => inTime(listMeta(database, prefix, page)),
    revocationsSince: (from) => inTime(readFeed(database, revocations, from)),
    deleteRevocations: (before, limit) => deleteLines(database, revocations, { before, limit }),
    changesSince: (from) => inTime(readFeed(database, changes, from)),
    deleteChanges: (before, limit) => deleteLines(database, changes, { before, limit }),
    appendEvents: async (events) => {
      if (events.length > 0)
        await inTime(
          database.transact([], () => ({ writes: insertEvents(database, events), result: () => undefined })),
        );
    },
    listEvents: (selector, page) => inTime(listEvents(database, selector, page)),
    deleteEvents: (before, limit) => remove(statements.deleteEvents(before, limit)),
    takeOutbox: (limit, until) => inTime(outbox.takeOutbox(database, limit, until)),
    settleOutbox: (entry, settlement) => inTime(outbox.settleOutbox(database, entry, settlement)),
    listOutbox: ({ dead }, page) => inTime(outbox.listOutbox(database, dead, page)),
    deleteDeadOutbox: (before, limit) => remove(statements.deleteDeadOutbox(before, limit)),
    addCounts: (counts) => inTime(addCounts(database, counts)),
    listCounts: (selector, page) => inTime(listCounts(database, selector, page)),
    deleteCounts: (before, limit) => remove(statements.deleteCounts(before, limit)),
    migrate: () => database.use(applyMigrations),
    ping: async () => void (await inTime(database.send(statements.touchSchema))),
    close: async () => {
      watch.listeners.close();
      pool.close();
    },
  };
  return wakingStorage(storage, watch.listeners);
};
