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
import { RevocationWatch } from "./revocation-watch.js";
import { deleteRevocations, readFeedState, readRevocations } from "./revocations.js";
import { rotateAll } from "./sessions/rotation.js";
import * as sessions from "./sessions/sessions.js";
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
  const watch = new RevocationWatch((from) => readFeedState(database, from));

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
  const creations = new CallBatch<sessions.Creation, readonly SessionReference[]>({
    ...common,
    keyOf: ({ record }) => JSON.stringify([record.tenantId, record.userId]),
    weigh: ({ record }) => record.payload.length + record.data.length + (record.device?.length ?? 0),
    run: (creations) => sessions.createSessions(database, creations),
  });

  const inTime = <T>(work: Promise<T>): Promise<T> => withinTime(work, timeout, noAnswerWithin(timeout));

  const select = async <Row>(statement: Sql): Promise<readonly Row[]> =>
    rowsOf<Row>((await inTime(database.send(statement)))[0]);

  const update = async (column: "payload" | "data", id: SessionId, value: string): Promise<boolean> => {
    const statement = statements.updateText(column, id, value, database.time);
    const [answer] = await inTime(database.send(statement));
    return (answer?.affected ?? 0) > 0;
  };

  const storage: Omit<Storage, "watchRevocations"> = {
    now: () => database.clock.now(),
    createSession: (record, limits) => inTime(creations.add({ record, ...limits })),
    getSession: (id) => inTime(reads.add(id)),
    rotate: (attempt) => inTime(rotations.add(attempt)),
    applyRotation: (expected, change) => inTime(sessions.applyRotation(database, expected, change)),
    reportUses: async (notes, policy) =>
      notes.length === 0 ? [] : inTime(sessions.reportUses(database, notes, policy)),
    revokeSessions: (selector, cause) => sessions.revokeSessions(database, selector, cause),
    eraseUser: (user) => sessions.eraseUser(database, user),
    importSessions: async (records) => (records.length === 0 ? [] : sessions.importSessions(database, records)),
    listSessions: async (selector, { limit, after }) => {
      const range = { now: database.time, after, limit: limit + 1 };
      const rows = await select<SessionRow>(statements.listSessions(selector, range));
      return sessionPage(rows.map(recordOf), limit);
    },
    listSessionReferences: async (selector, { limit, after }) => {
      const range = { now: database.time, after, limit: limit + 1 };
      const rows = await select<ReferenceRow>(statements.listReferences(selector, range));
      return sessionPage(rows.map(referenceOf), limit);
    },
    listSessionHistory: (user, page) =>
      readHistoryPage(page, async (part, from) =>
        (await select<SessionRow>(statements.selectHistory(part, user, from))).map(recordOf),
      ),
    updateSessionData: (id, data) => update("data", id, data),
    updatePayload: (id, payload) => update("payload", id, payload),
    deleteExpired: (before, limit) => sweepAll(limit, (wanted) => sessions.sweep(database, before, wanted), sweepLimit),
    getSigningKeys: () => inTime(getSigningKeys(database)),
    addSigningKey: (record, ifNewestIs) => inTime(addSigningKey(database, record, ifNewestIs)),
    deleteSigningKeys: (kids) => inTime(deleteSigningKeys(database, kids)),
    resealSigningKey: (kid, from, to) => inTime(resealSigningKey(database, kid, { from, to })),
    claimMeta: ((name: string, value?: string) => inTime(claimMeta(database, name, value))) as Storage["claimMeta"],
    replaceMeta: (name, from, to) => inTime(replaceMeta(database, name, { from, to })),
    listMeta: (prefix, page) => inTime(listMeta(database, prefix, page)),
    revocationsSince: (from) => inTime(readRevocations(database, from)),
    deleteRevocations: (before, limit) => deleteRevocations(database, before, limit),
    appendEvents: async (events) => {
      if (events.length > 0)
        await inTime(database.transact([], () => ({ writes: insertEvents(events), result: () => undefined })));
    },
    listEvents: (selector, page) => inTime(listEvents(database, selector, page)),
    deleteEvents: async (before, limit) => {
      const [answer] = await database.send(statements.deleteEvents(before, limit));
      return answer?.affected ?? 0;
    },
    migrate: () => database.use(applyMigrations),
    ping: async () => void (await inTime(database.send(statements.touchSchema))),
    close: async () => {
      watch.listeners.close();
      pool.close();
    },
  };
  return wakingStorage(storage, watch.listeners);
};
