import { setImmediate } from "node:timers";
import type { FeedPage, FeedStart, Storage } from "@pawl/storage";
import { readHistoryPage, wakingStorage } from "@pawl/storage/adapter";
import { pingMasters } from "./connection/server-check.js";
import { addCounts, deleteCounts, listCounts } from "./counts.js";
import { appendEvents, deleteEvents, listEvents } from "./events/events.js";
import * as outbox from "./events/outbox.js";
import type { FeedWatch } from "./feeds/feed-watch.js";
import { changes, deleteFromFeed, type Feed, readFeed, revocations, type Told } from "./feeds/feeds.js";
import { applyMigrations } from "./migrations.js";
import * as endings from "./sessions/endings.js";
import { listSessionReferences, listSessions, readHistory } from "./sessions/listing.js";
import { changeSession, liveOf } from "./sessions/session-change.js";
import * as sessions from "./sessions/sessions.js";
import type { Store } from "./store.js";
import * as facts from "./store-facts.js";

/** Sessions in Redis: each method is one script, or one for each tag that it concerns (README, "Steps"). */
export const redisStorage = (store: Store, { listeners }: FeedWatch): Storage => {
  const revocationsSince = sharedReadings(store, revocations);
  const changesSince = sharedReadings(store, changes);

  const claimMeta = (name: string, value?: string): Promise<string | undefined> => facts.claimMeta(store, name, value);

  const storage: Omit<Storage, "watchFeeds"> = {
    now: () => store.calls.now(),
    createSession: (record, limits) => sessions.createSession(store, record, limits?.maxPerUser),
    getSession: (id) => sessions.getSession(store, id),
    rotate: (attempt) => sessions.rotate(store, attempt),
    applyRotation: (expected, change) => sessions.applyRotation(store, expected, change),
    reportUses: (notes, policy) => sessions.reportUses(store, notes, policy),
    revokeSessions: (selector, cause, limit) => endings.revokeSessions(store, selector, { cause, limit }),
    eraseUser: (user, limit) => endings.eraseUser(store, user, limit),
    importSessions: (records) => sessions.importSessions(store, records),
    listSessions: (selector, page) => listSessions(store, selector, page),
    listSessionReferences: (selector, page) => listSessionReferences(store, selector, page),
    listSessionHistory: (user, page) =>
      readHistoryPage(page, (part, from) => readHistory(store, user, { part, ...from })),
    changeSession: (id, change) => changeSession(store, id, change),
    liveOf: (ids) => liveOf(store, ids),
    deleteExpired: (before, limit, onEnded) => endings.deleteExpired(store, { before, limit }, onEnded),
    getSigningKeys: () => facts.getSigningKeys(store),
    addSigningKey: (record, ifNewestIs) => facts.addSigningKey(store, record, ifNewestIs),
    deleteSigningKeys: (kids) => facts.deleteSigningKeys(store, kids),
    resealSigningKey: (kid, from, to) => facts.replaceField(store, { hash: "sealed", field: kid }, { from, to }),
    claimMeta: claimMeta as Storage["claimMeta"],
    replaceMeta: (name, from, to) => facts.replaceField(store, { hash: "meta", field: name }, { from, to }),
    listMeta: (prefix, page) => facts.listMeta(store, prefix, page),
    revocationsSince,
    deleteRevocations: (before, limit) => deleteFromFeed(store, revocations, { before, limit }),
    changesSince,
    deleteChanges: (before, limit) => deleteFromFeed(store, changes, { before, limit }),
    appendEvents: (events) => appendEvents(store, events),
    listEvents: (selector, page) => listEvents(store, selector, page),
    deleteEvents: (before, limit) => deleteEvents(store, before, limit),
    takeOutbox: (limit, until) => outbox.takeOutbox(store, limit, until),
    settleOutbox: (entry, settlement) => outbox.settleOutbox(store, entry, settlement),
    listOutbox: (selector, page) => outbox.listOutbox(store, selector, page),
    deleteDeadOutbox: (before, limit) => outbox.deleteDeadOutbox(store, before, limit),
    addCounts: (counts) => addCounts(store, counts),
    listCounts: (selector, page) => listCounts(store, selector, page),
    deleteCounts: (before, limit) => deleteCounts(store, before, limit),
    migrate: () => applyMigrations(store),
    ping: () => pingMasters(store),
    close: async () => {
      listeners.close();
      await store.calls.servers.close();
    },
  };
  return wakingStorage(storage, listeners);
};

/** Readings of a feed: those of one turn of the event loop from the same place are one, as many readers mostly stand there. */
const sharedReadings = <Line extends Told>(
  store: Store,
  feed: Feed<Line>,
): ((from: FeedStart) => Promise<FeedPage<Line>>) => {
  const readings = new Map<string, Promise<FeedPage<Line>>>();
  return (from) => {
    const key = "at" in from ? String(from.at) : `=${from.cursor}`;
    let reading = readings.get(key);
    if (reading === undefined) {
      reading = new Promise((resolve) => {
        // Begun after all of this turn have asked: one that joins later could miss what it has to see.
        setImmediate(() => {
          readings.delete(key);
          resolve(readFeed(store, feed, from));
        });
      });
      readings.set(key, reading);
    }
    return reading;
  };
};
