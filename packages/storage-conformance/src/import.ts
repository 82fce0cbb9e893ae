import { millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  attemptOf,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  sessionRecord,
  userId,
} from "./store.js";

/** `importSessions`. */
export const testImport = (open: OpenStore): void => {
  describe("importSessions", () => {
    it("inserts rows as they are, live or not, and tells nobody", async () => {
      const { storage, clock } = await openTestStore(open);
      const now = clock.now();
      const records = [
        sessionRecord(clock, {
          current: 3,
          next: 5,
          issuedAt: millis(now - 90_000),
          keyKind: "static",
          facts: '{"auth":{"at":1}}',
          factsVersion: 7,
          payloadVersion: 3,
          link: "login",
          subject: "user",
          device: "Mozilla/5.0",
          address: "2001:db8::1",
          lastActiveAt: millis(now - 1),
          idleExpiresAt: millis(now + 60_000),
        }),
        sessionRecord(clock, { expiresAt: millis(now - 1) }),
        sessionRecord(clock, { endedAt: now, endReason: "logout", payload: "{}", data: "{}", bound: "key" }),
      ];
      expect(await storage.importSessions(records)).toStrictEqual([true, true, true]);
      for (const record of records) expect(await storage.getSession(record.id)).toStrictEqual(record);
      expect(await storage.rotate(attemptOf(records[0]!))).toMatchObject({ minted: true, record: { next: 6 } });
      expect(await storage.listEvents({}, { limit: 5 })).toStrictEqual({ items: [] });
      expect(await storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [] });
      expect(await storage.deleteExpired(now, 10)).toBe(1);
      expect(await storage.importSessions([])).toStrictEqual([]);
    });

    it("leaves a row whose id is taken as it is", async () => {
      const store = await openTestStore(open);
      const present = await createSession(store);
      const [first, second] = [sessionRecord(store.clock), sessionRecord(store.clock)];
      const other = { device: "another" };
      const records = [first, { ...present, ...other }, { ...first, ...other }, second];
      expect(await store.storage.importSessions(records)).toStrictEqual([true, false, false, true]);
      expect(await store.storage.importSessions(records)).toStrictEqual([false, false, false, false]);
      for (const record of [present, first, second])
        expect(await store.storage.getSession(record.id)).toStrictEqual(record);
    });

    it("imports nothing when one row of the call cannot be stored", async () => {
      const { storage, clock } = await openTestStore(open);
      const records = [sessionRecord(clock), sessionRecord(clock, { userId: userId("a\0b") })];
      await expect(storage.importSessions(records)).rejects.toMatchObject({ code: "invalid_record" });
      expect(await storage.listSessions({}, { limit: 5 })).toStrictEqual({ items: [] });
    });

    it("takes hundreds at once, each from one of several importers", async () => {
      const { storage, clock } = await openTestStore(open);
      const records = Array.from({ length: 500 }, () => sessionRecord(clock));
      const imported = await atOnce(4, () => storage.importSessions(records));
      for (const index of records.keys()) expect(imported.filter((outcomes) => outcomes[index])).toHaveLength(1);
      const { items } = await storage.listSessions({}, { limit: 1000 });
      expect(idsOf(items)).toStrictEqual(idsOf(records));
    });
  });
};
