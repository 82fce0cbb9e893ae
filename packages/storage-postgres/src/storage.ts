import type { RotationAttempt, RotationResult, SessionId, SessionRecord, Storage } from "@pawl/storage";
import { CallBatch, metaPage, type ServerClock, signingKeyOf } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import { addCounts, listCounts } from "./counts.js";
import { eventArrays, listEvents } from "./events.js";
import { isOfOneCall } from "./connection/failure.js";
import { applyMigrations } from "./migrations.js";
import type { Address } from "./options.js";
import { FeedWatch } from "./feed-watch.js";
import { changes, readFeed, revocations } from "./feeds.js";
import * as outbox from "./outbox.js";
import * as rotation from "./sessions/rotation.js";
import * as sessions from "./sessions/sessions.js";
import { addSigningKey } from "./signing-keys.js";
import * as statements from "./statements.js";

/** What a storage is put together from. */
interface Parts {
  readonly database: Database;
  readonly clock: ServerClock;
  readonly listenAddress: Address | undefined;
  readonly partitions: number;
  /** For how many milliseconds a call waits. */
  readonly timeout: number;
}

/** How many batches of one kind are on their way at once: while they are, the next one gathers. */
const lanes = 2;

/** How many calls make a batch at most. */
const batchLimit = 128;

/** The contract on PostgreSQL: a call is asked for alone or together with others of its kind. */
export const postgresStorage = (parts: Parts): Storage => {
  const { database, clock, listenAddress, partitions, timeout } = parts;
  const watch = new FeedWatch(database, listenAddress);

  const context = (): sessions.Context => ({
    database,
    time: clock.injected?.now() ?? null,
    now: () => clock.now(),
  });

  const common = { lanes, limit: batchLimit, timeout, isOfOneCall };
  const rotations = new CallBatch<RotationAttempt, RotationResult>({
    ...common,
    keyOf: ({ id }) => id,
    run: (attempts) => rotation.rotateAll(context(), attempts),
  });
  const reads = new CallBatch<SessionId, sessions.TimedRecord>({
    ...common,
    run: (ids) => sessions.readSessions(context(), ids),
  });
  const creations = new CallBatch<SessionRecord, boolean>({
    ...common,
    run: (records) => sessions.insertSessions(database, records),
    weigh: ({ payload, data, facts, userId, device = "" }) =>
      payload.length + data.length + facts.length + userId.length + device.length,
  });

  const isDone = async (rows: Promise<readonly object[]>): Promise<boolean> => (await rows).length > 0;

  const count = async (rows: Promise<readonly { readonly count: number }[]>): Promise<number> =>
    (await rows)[0]?.count ?? 0;

  const claimMeta = async (name: string, value?: string): Promise<string | undefined> => {
    const [row] = await (value === undefined
      ? database.query(statements.selectMeta, [name])
      : database.query(statements.claimMeta, [name, value]));
    return row?.value;
  };

  return {
    now: () => clock.now(),
    createSession: async (record, limits) => {
      if (limits !== undefined) return sessions.createLimited(context(), record, limits.maxPerUser);
      if (!(await creations.add(record))) throw sessions.taken();
      return [];
    },
    getSession: async (id) => (await reads.add(id)).record,
    rotate: (attempt) => rotations.add(attempt),
    applyRotation: (expected, change) => rotation.applyRotation(context(), expected, change),
    reportUses: (notes, policy) => rotation.reportUses(context(), notes, policy),
    revokeSessions: (selector, cause, limit) => sessions.revokeSessions(context(), { selector, cause, limit }),
    eraseUser: (user, limit) => sessions.eraseUser(context(), user, limit),
    importSessions: (records) => sessions.insertSessions(database, records),
    listSessions: (selector, page) => sessions.listSessions(context(), { ...selector, ...page }),
    listSessionReferences: (selector, page) => sessions.listReferences(context(), { ...selector, ...page }),
    listSessionHistory: (user, page) => sessions.listHistory(context(), user, page),
    changeSession: (id, change) => sessions.changeSession(context(), id, change),
    liveOf: (ids) => sessions.readLive(context(), ids),
    deleteExpired: (before, limit, onEnded) => sessions.deleteExpired(context(), { before, limit }, onEnded),
    getSigningKeys: async () => (await database.query(statements.selectSigningKeys)).map(signingKeyOf),
    addSigningKey: (record, ifNewestIs) => addSigningKey(database, record, ifNewestIs),
    deleteSigningKeys: async (kids) => void (await database.query(statements.deleteSigningKeys, [kids])),
    resealSigningKey: (kid, from, to) => isDone(database.query(statements.resealSigningKey, [kid, from, to])),
    claimMeta: claimMeta as Storage["claimMeta"],
    replaceMeta: (name, from, to) => isDone(database.query(statements.replaceMeta, [name, from, to])),
    listMeta: async (prefix, { limit, after = "" }) =>
      metaPage(await database.query(statements.listMeta, [prefix, after, limit + 1]), limit),
    revocationsSince: (from) => readFeed(database, revocations, from),
    deleteRevocations: (before, limit) => count(database.query(statements.deleteRevocations, [before, limit])),
    changesSince: (from) => readFeed(database, changes, from),
    deleteChanges: (before, limit) => count(database.query(statements.deleteChanges, [before, limit])),
    watchFeeds: (wake) => watch.listeners.add(wake),
    appendEvents: async (events) => void (await database.query(statements.insertEvents, eventArrays(events))),
    listEvents: (selector, page) => listEvents(database, selector, page),
    deleteEvents: (before, limit) => count(database.query(statements.deleteEvents, [before, limit])),
    takeOutbox: (limit, until) => outbox.takeOutbox(context(), limit, until),
    settleOutbox: (entry, settlement) => outbox.settleOutbox(context(), entry, settlement),
    listOutbox: ({ dead }, page) => outbox.listOutbox(database, dead, page),
    deleteDeadOutbox: (before, limit) => count(database.query(statements.deleteDeadOutbox, [before, limit])),
    addCounts: (counts) => addCounts(database, counts),
    listCounts: (selector, page) => listCounts(database, selector, page),
    deleteCounts: (before, limit) => count(database.query(statements.deleteCounts, [before, limit])),
    migrate: () => applyMigrations(database, { now: clock.now(), partitions }),
    ping: async () => void (await database.query(statements.touchSchema)),
    close: async () => {
      watch.listeners.close();
      await database.close();
    },
  };
};
