import { type Storage, StorageError } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, attemptOf, openTestStore, type OpenStore, sessionRecord, signingKey, usePolicy } from "./store.js";

/** `ping`, `migrate` and `close`. */
export const testClosing = (open: OpenStore): void => {
  describe("closing", () => {
    it("leaves no call that still works", async () => {
      const { storage, clock } = await openTestStore(open);
      const record = sessionRecord(clock);
      await storage.ping();
      await storage.close();
      const calls: Readonly<Record<Exclude<keyof Storage, "now" | "close" | "watchFeeds">, () => Promise<unknown>>> = {
        createSession: () => storage.createSession(record),
        getSession: () => storage.getSession(record.id),
        rotate: () => storage.rotate(attemptOf(record)),
        applyRotation: () => storage.applyRotation(record, { kind: "end", reason: "token_reuse", events: [] }),
        reportUses: () => storage.reportUses([], usePolicy),
        revokeSessions: () => storage.revokeSessions({ kind: "ids", ids: [] }, { reason: "logout" }),
        eraseUser: () => storage.eraseUser(record),
        importSessions: () => storage.importSessions([]),
        listSessions: () => storage.listSessions({}, { limit: 1 }),
        listSessionReferences: () => storage.listSessionReferences({}, { limit: 1 }),
        listSessionHistory: () => storage.listSessionHistory(record, { limit: 1 }),
        changeSession: () => storage.changeSession(record.id, {}),
        liveOf: () => storage.liveOf([]),
        deleteExpired: () => storage.deleteExpired(clock.now(), 1),
        getSigningKeys: () => storage.getSigningKeys(),
        addSigningKey: () => storage.addSigningKey(signingKey(clock), undefined),
        deleteSigningKeys: () => storage.deleteSigningKeys([]),
        resealSigningKey: () => storage.resealSigningKey("kid", "from", "to"),
        claimMeta: () => storage.claimMeta("name"),
        replaceMeta: () => storage.replaceMeta("name", "from", "to"),
        listMeta: () => storage.listMeta("name", { limit: 1 }),
        revocationsSince: () => storage.revocationsSince({ at: clock.now() }),
        deleteRevocations: () => storage.deleteRevocations(clock.now(), 1),
        changesSince: () => storage.changesSince({ at: clock.now() }),
        deleteChanges: () => storage.deleteChanges(clock.now(), 1),
        appendEvents: () => storage.appendEvents([]),
        listEvents: () => storage.listEvents({}, { limit: 1 }),
        deleteEvents: () => storage.deleteEvents(clock.now(), 1),
        takeOutbox: () => storage.takeOutbox(1, clock.now()),
        settleOutbox: () => storage.settleOutbox({ key: "key", destination: "a" }, { kind: "delivered" }),
        listOutbox: () => storage.listOutbox({ dead: false }, { limit: 1 }),
        deleteDeadOutbox: () => storage.deleteDeadOutbox(clock.now(), 1),
        addCounts: () => storage.addCounts([]),
        listCounts: () => storage.listCounts({ from: clock.now(), to: clock.now() }, { limit: 1 }),
        deleteCounts: () => storage.deleteCounts(clock.now(), 1),
        migrate: () => storage.migrate(),
        ping: () => storage.ping(),
      };
      for (const [name, call] of Object.entries(calls)) {
        const error: unknown = await call().catch((thrown: unknown) => thrown);
        expect(error, name).toBeInstanceOf(StorageError);
        expect(error, name).toMatchObject({ code: "closed" });
      }
      expect(() => storage.watchFeeds(() => undefined)).toThrow(StorageError);
      expect(storage.now()).toBe(clock.now());
      await storage.close();
    });

    it("finishes what was accepted", async () => {
      const { storage, clock } = await openTestStore(open);
      const accepted = atOnce(50, () => storage.createSession(sessionRecord(clock)));
      const reading = storage.listSessions({}, { limit: 100 });
      const closed = storage.close();
      expect(await accepted).toHaveLength(50);
      expect(await reading).toBeDefined();
      await Promise.all([closed, storage.close()]);
    });
  });

  describe("migrate", () => {
    it("may run again and again, and at once", async () => {
      const { storage, clock } = await openTestStore(open);
      const record = sessionRecord(clock);
      await storage.createSession(record);
      await atOnce(5, () => storage.migrate());
      expect(await storage.getSession(record.id)).toStrictEqual(record);
    });
  });
};
