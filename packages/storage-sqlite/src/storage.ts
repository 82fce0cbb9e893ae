import type { Clock, Millis, PageRequest, SessionSelector, Storage } from "@pawl/storage";
import {
  metaPage,
  type OutboxTypes,
  readHistoryPage,
  recordOf,
  referenceOf,
  sessionPage,
  signingKeyOf,
  sweepAll,
  wakingStorage,
} from "@pawl/storage/adapter";
import type { Checkpoint } from "./connection/checkpoint.js";
import type { Database, Parameters } from "./connection/database.js";
import type { DatabaseFile } from "./connection/database-file.js";
import type { Value } from "./connection/driver.js";
import { whenUnlocked } from "./connection/lock-wait.js";
import { WriteGroup } from "./connection/write-group.js";
import { addCounts, listCounts } from "./counts.js";
import { appendEvents, listEvents } from "./events.js";
import { pollFeeds } from "./feed-watch.js";
import { feedGrowth, readChanges, readRevocations } from "./feeds.js";
import { applyMigrations } from "./migrations.js";
import { listOutbox, settleOutbox, takeOutbox } from "./outbox.js";
import * as rotation from "./sessions/rotation.js";
import * as sessions from "./sessions/sessions.js";
import { listReferences, listSessions } from "./sessions/statements.js";
import { addSigningKey, deleteSigningKeys } from "./signing-keys.js";
import * as statements from "./statements.js";
import type { Transaction } from "./transaction.js";

/** What a storage is put together from. */
interface Parts {
  readonly database: Database;
  readonly checkpoint: Checkpoint;
  readonly lockTimeout: number;
  readonly clock: Clock;
  readonly outbox: OutboxTypes;
  /** Undefined for a database in memory. */
  readonly file: DatabaseFile | undefined;
}

/** The contract on SQLite: a call is done as a read at once or as a write in the next group. */
export const sqliteStorage = ({ database, checkpoint, lockTimeout, clock, outbox, file }: Parts): Storage => {
  const writes = new WriteGroup(database, {
    lockTimeout,
    beforeBegin: () => file?.check(),
    checkpoint,
  });
  const watch = pollFeeds(() => feedGrowth(database));

  const read = <T>(work: () => T): Promise<T> =>
    whenUnlocked(work, { timeout: lockTimeout, onFailure: () => database.reset() });

  const write = <T>(work: (transaction: Transaction) => T): Promise<T> =>
    writes.run(() => work({ database, now: clock.now(), outbox }));

  const change = (statement: string, parameters: Parameters): Promise<boolean> =>
    write(() => database.run(statement, parameters) > 0);

  const remove = (statement: string, before: Millis, limit: number): Promise<number> =>
    write(() => database.run(statement, { before, limit }));

  const selection = ({ tenantId, userId, link, subject }: SessionSelector, { limit, after }: PageRequest) => {
    const parameters: Record<string, Value> = { now: clock.now(), limit: limit + 1 };
    if (tenantId !== undefined) parameters["tenantId"] = tenantId;
    if (userId !== undefined) parameters["userId"] = userId;
    if (link !== undefined) parameters["link"] = link;
    if (subject !== undefined) parameters["subject"] = subject;
    if (after !== undefined) parameters["after"] = after;
    return parameters;
  };

  const fact = (name: string): string | undefined => database.get(statements.selectMeta, { name })?.value;

  const claimMeta = (name: string, value?: string): Promise<string | undefined> => {
    if (value === undefined) return read(() => fact(name));
    return write(() => {
      database.run(statements.insertMeta, { name, value });
      return fact(name);
    });
  };

  const storage: Omit<Storage, "watchFeeds"> = {
    now: () => clock.now(),
    createSession: (record, limits) =>
      write((transaction) => sessions.createSession(transaction, record, limits?.maxPerUser)),
    getSession: (id) => read(() => sessions.getSession(database, id)),
    rotate: (attempt) => write((transaction) => rotation.rotate(transaction, attempt)),
    applyRotation: (expected, change) => write((transaction) => rotation.applyRotation(transaction, expected, change)),
    reportUses: (notes, policy) =>
      write((transaction) => notes.map((note) => rotation.reportUse(transaction, note, policy))),
    revokeSessions: (selector, cause, limit) =>
      write((transaction) => sessions.revokeSessions(transaction, selector, cause, limit)),
    eraseUser: (user, limit) => write((transaction) => sessions.eraseUser(transaction, user, limit)),
    importSessions: (records) => write((transaction) => sessions.importSessions(transaction, records)),
    listSessions: (selector, page) => {
      const statement = listSessions({ ...selector, after: page.after });
      const parameters = selection(selector, page);
      return read(() => sessionPage(database.all(statement, parameters).map(recordOf), page.limit));
    },
    listSessionReferences: (selector, page) => {
      const statement = listReferences({ ...selector, after: page.after });
      const parameters = selection(selector, page);
      return read(() => sessionPage(database.all(statement, parameters).map(referenceOf), page.limit));
    },
    listSessionHistory: (user, page) =>
      readHistoryPage(page, (part, from) => read(() => sessions.selectHistory(database, user, { part, ...from }))),
    changeSession: (id, changed) => write((transaction) => sessions.changeSession(transaction, id, changed)),
    liveOf: (ids) => read(() => sessions.liveOf(database, ids, clock.now())),
    deleteExpired: (before, limit, onEnded) =>
      sweepAll(limit, (wanted) => write((transaction) => sessions.sweep(transaction, before, wanted)), { onEnded }),
    getSigningKeys: () => read(() => database.all(statements.selectSigningKeys).map(signingKeyOf)),
    addSigningKey: (record, ifNewestIs) => write(() => addSigningKey(database, record, ifNewestIs)),
    deleteSigningKeys: (kids) => write(() => deleteSigningKeys(database, kids)),
    resealSigningKey: (kid, from, to) => change(statements.resealSigningKey, { kid, from, to }),
    claimMeta: claimMeta as Storage["claimMeta"],
    replaceMeta: (name, from, to) => change(statements.replaceMeta, { name, from, to }),
    listMeta: (prefix, { limit, after = "" }) =>
      read(() => {
        const found = database.all(statements.listMeta, { prefix, after, limit: limit + 1 });
        return metaPage(
          found.map(({ name, value }) => ({ name, value })),
          limit,
        );
      }),
    revocationsSince: (from) => read(() => readRevocations(database, from)),
    deleteRevocations: (before, limit) => remove(statements.revocations.deleteOlder, before, limit),
    changesSince: (from) => read(() => readChanges(database, from)),
    deleteChanges: (before, limit) => remove(statements.changes.deleteOlder, before, limit),
    appendEvents: (events) => write((transaction) => appendEvents(transaction, events)),
    listEvents: (selector, page) => read(() => listEvents(database, selector, page)),
    deleteEvents: (before, limit) => remove(statements.deleteEvents, before, limit),
    takeOutbox: (limit, until) => write((transaction) => takeOutbox(transaction, limit, until)),
    settleOutbox: (entry, settlement) => write((transaction) => settleOutbox(transaction, entry, settlement)),
    listOutbox: ({ dead }, page) => read(() => listOutbox(database, dead, page)),
    deleteDeadOutbox: (before, limit) => remove(statements.deleteDeadOutbox, before, limit),
    addCounts: (counts) => write(() => addCounts(database, counts)),
    listCounts: (selector, page) => read(() => listCounts(database, selector, page)),
    deleteCounts: (before, limit) => remove(statements.deleteCounts, before, limit),
    migrate: () => write(({ now }) => applyMigrations(database, now)),
    ping: async () => void (await write(() => database.run(statements.touchSchema))),
    close: async () => {
      watch.close();
      checkpoint.run();
      checkpoint.close();
      database.close();
    },
  };
  return wakingStorage(storage, watch);
};
