import type { Clock, PageRequest, SessionId, SessionSelector, Storage } from "@pawl/storage";
import {
  metaPage,
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
import { appendEvents, listEvents } from "./events.js";
import { whenUnlocked } from "./connection/lock-wait.js";
import { applyMigrations } from "./migrations.js";
import { pollForRevocations } from "./revocation-watch.js";
import { newestRevocation, readRevocations } from "./revocations.js";
import * as sessions from "./sessions/sessions.js";
import { addSigningKey, deleteSigningKeys } from "./signing-keys.js";
import * as statements from "./statements.js";
import { WriteGroup } from "./connection/write-group.js";

/** What a storage is put together from. */
interface Parts {
  readonly database: Database;
  readonly checkpoint: Checkpoint;
  readonly lockTimeout: number;
  readonly clock: Clock;
  /** Undefined for a database in memory. */
  readonly file: DatabaseFile | undefined;
}

/** The contract on SQLite: a call is done as a read at once or as a write in the next group. */
export const sqliteStorage = ({ database, checkpoint, lockTimeout, clock, file }: Parts): Storage => {
  const writes = new WriteGroup(database, {
    lockTimeout,
    beforeBegin: () => file?.check(),
    onCommit: () => checkpoint.afterCommit(),
  });
  const watch = pollForRevocations(() => newestRevocation(database));

  const read = <T>(work: () => T): Promise<T> =>
    whenUnlocked(work, { timeout: lockTimeout, onFailure: () => database.reset() });

  const write = <T>(work: (transaction: sessions.Transaction) => T): Promise<T> =>
    writes.run(() => work({ database, now: clock.now() }));

  const changes = (statement: string, parameters: Parameters): Promise<boolean> =>
    write(() => database.run(statement, parameters) > 0);

  const update = (statement: string, id: SessionId, value: string): Promise<boolean> =>
    write(({ now }) => database.run(statement, { id, value, now }) > 0);

  const selection = ({ tenantId, userId }: SessionSelector, { limit, after }: PageRequest) => {
    const parameters: Record<string, Value> = { now: clock.now(), limit: limit + 1 };
    if (tenantId !== undefined) parameters["tenantId"] = tenantId;
    if (userId !== undefined) parameters["userId"] = userId;
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

  const storage: Omit<Storage, "watchRevocations"> = {
    now: () => clock.now(),
    createSession: (record, limits) =>
      write((transaction) => sessions.createSession(transaction, record, limits?.maxPerUser)),
    getSession: (id) => read(() => sessions.getSession(database, id)),
    rotate: (attempt) => write((transaction) => sessions.rotate(transaction, attempt)),
    applyRotation: (expected, change) => write((transaction) => sessions.applyRotation(transaction, expected, change)),
    reportUses: (notes, policy) =>
      write((transaction) => notes.map((note) => sessions.reportUse(transaction, note, policy))),
    revokeSessions: (selector, cause) => write((transaction) => sessions.revokeSessions(transaction, selector, cause)),
    eraseUser: (user) => write((transaction) => sessions.eraseUser(transaction, user)),
    importSessions: (records) => write((transaction) => sessions.importSessions(transaction, records)),
    listSessions: (selector, page) => {
      const statement = statements.listSessions({ ...selector, after: page.after });
      const parameters = selection(selector, page);
      return read(() => sessionPage(database.all(statement, parameters).map(recordOf), page.limit));
    },
    listSessionReferences: (selector, page) => {
      const statement = statements.listReferences({ ...selector, after: page.after });
      const parameters = selection(selector, page);
      return read(() => sessionPage(database.all(statement, parameters).map(referenceOf), page.limit));
    },
    listSessionHistory: (user, page) =>
      readHistoryPage(page, (part, from) => read(() => sessions.selectHistory(database, user, { part, ...from }))),
    updateSessionData: (id, data) => update(statements.updateData, id, data),
    updatePayload: (id, payload) => update(statements.updatePayload, id, payload),
    deleteExpired: (before, limit) =>
      sweepAll(limit, (wanted) => write(() => sessions.sweep(database, before, wanted))),
    getSigningKeys: () => read(() => database.all(statements.selectSigningKeys).map(signingKeyOf)),
    addSigningKey: (record, ifNewestIs) => write(() => addSigningKey(database, record, ifNewestIs)),
    deleteSigningKeys: (kids) => write(() => deleteSigningKeys(database, kids)),
    resealSigningKey: (kid, from, to) => changes(statements.resealSigningKey, { kid, from, to }),
    claimMeta: claimMeta as Storage["claimMeta"],
    replaceMeta: (name, from, to) => changes(statements.replaceMeta, { name, from, to }),
    listMeta: (prefix, { limit, after = "" }) =>
      read(() => {
        const found = database.all(statements.listMeta, { prefix, after, limit: limit + 1 });
        return metaPage(
          found.map(({ name, value }) => ({ name, value })),
          limit,
        );
      }),
    revocationsSince: (from) => read(() => readRevocations(database, from)),
    deleteRevocations: (before, limit) => write(() => database.run(statements.deleteRevocations, { before, limit })),
    appendEvents: (events) => write(() => appendEvents(database, events)),
    listEvents: (selector, page) => read(() => listEvents(database, selector, page)),
    deleteEvents: (before, limit) => write(() => database.run(statements.deleteEvents, { before, limit })),
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
