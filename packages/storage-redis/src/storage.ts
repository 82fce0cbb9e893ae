import { setImmediate } from "node:timers";
import type { RevocationPage, Storage } from "@pawl/storage";
import { readHistoryPage, wakingStorage } from "@pawl/storage/adapter";
import * as endings from "./sessions/endings.js";
import { appendEvents, deleteEvents, listEvents } from "./events.js";
import { listSessionReferences, listSessions, readHistory } from "./sessions/listing.js";
import { pingMasters } from "./connection/server-check.js";
import { applyMigrations } from "./migrations.js";
import type { RevocationWatch } from "./revocation-watch.js";
import { deleteRevocations, readRevocations } from "./revocations.js";
import type { Store } from "./store.js";
import * as sessions from "./sessions/sessions.js";
import * as facts from "./store-facts.js";

/** Sessions in Redis: each method is one script, or one for each tag that it concerns (README, "Steps"). */
export const redisStorage = (store: Store, { listeners }: RevocationWatch): Storage => {
  /** Readings of the feed that this turn of the event loop has asked for: many readers mostly stand at one cursor. */
  const feedReads = new Map<string, Promise<RevocationPage>>();

  const claimMeta = (name: string, value?: string): Promise<string | undefined> => facts.claimMeta(store, name, value);

  const storage: Omit<Storage, "watchRevocations"> = {
    now: () => store.calls.now(),
    createSession: (record, limits) => sessions.createSession(store, record, limits?.maxPerUser),
    getSession: (id) => sessions.getSession(store, id),
    rotate: (attempt) => sessions.rotate(store, attempt),
    applyRotation: (expected, change) => sessions.applyRotation(store, expected, change),
    reportUses: (notes, policy) => sessions.reportUses(store, notes, policy),
    revokeSessions: (selector, cause) => endings.revokeSessions(store, selector, cause),
    eraseUser: (user) => endings.eraseUser(store, user),
    importSessions: (records) => sessions.importSessions(store, records),
    listSessions: (selector, page) => listSessions(store, selector, page),
    listSessionReferences: (selector, page) => listSessionReferences(store, selector, page),
    listSessionHistory: (user, page) =>
      readHistoryPage(page, (part, from) => readHistory(store, user, { part, ...from })),
    updateSessionData: (id, value) => sessions.update(store, id, { field: "d", value }),
    updatePayload: (id, value) => sessions.update(store, id, { field: "p", value }),
    deleteExpired: (before, limit) => endings.deleteExpired(store, before, limit),
    getSigningKeys: () => facts.getSigningKeys(store),
    addSigningKey: (record, ifNewestIs) => facts.addSigningKey(store, record, ifNewestIs),
    deleteSigningKeys: (kids) => facts.deleteSigningKeys(store, kids),
    resealSigningKey: (kid, from, to) => facts.replaceField(store, { hash: "sealed", field: kid }, { from, to }),
    claimMeta: claimMeta as Storage["claimMeta"],
    replaceMeta: (name, from, to) => facts.replaceField(store, { hash: "meta", field: name }, { from, to }),
    listMeta: (prefix, page) => facts.listMeta(store, prefix, page),
    revocationsSince: (from) => {
      const key = "at" in from ? String(from.at) : `=${from.cursor}`;
      let reading = feedReads.get(key);
      if (reading === undefined) {
        reading = new Promise((resolve) => {
          // Begun after all of this turn have asked: one that joins later could miss what it has to see.
          setImmediate(() => {
            feedReads.delete(key);
            resolve(readRevocations(store, from));
          });
        });
        feedReads.set(key, reading);
      }
      return reading;
    },
    deleteRevocations: (before, limit) => deleteRevocations(store, before, limit),
    appendEvents: (events) => appendEvents(store, events),
    listEvents: (selector, page) => listEvents(store, selector, page),
    deleteEvents: (before, limit) => deleteEvents(store, before, limit),
    migrate: () => applyMigrations(store),
    ping: () => pingMasters(store),
    close: async () => {
      listeners.close();
      await store.calls.servers.close();
    },
  };
  return wakingStorage(storage, listeners);
};
