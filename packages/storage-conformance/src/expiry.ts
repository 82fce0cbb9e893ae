import { type EndedByTime, millis, NEVER } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, attemptOf, createSession, day, openTestStore, type OpenStore, tenantId, userId } from "./store.js";

/** `deleteExpired`. */
export const testExpiry = (open: OpenStore): void => {
  describe("deleteExpired", () => {
    it("tells of those that had not ended, of which tenant they were, and how they ended", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const now = clock.now();
      await createSession(store, { expiresAt: now });
      await createSession(store, { tenantId: tenantId("customer-1"), expiresAt: now, idleExpiresAt: millis(now - 1) });
      await createSession(store, { userId: userId("bob"), expiresAt: now, idleExpiresAt: millis(now - 1) });
      const ended = await createSession(store, { userId: userId("carol"), expiresAt: millis(now + 1) });
      await storage.revokeSessions({ kind: "ids", ids: [ended.id] }, { reason: "logout" });
      clock.advance(1);
      const told: EndedByTime[] = [];
      expect(await storage.deleteExpired(clock.now(), 10, (some) => told.push(...some))).toBe(4);
      const order = ({ tenantId: tenant, reason }: EndedByTime): string => `${tenant} ${reason}`;
      expect(told.map(order).toSorted()).toEqual(["customer-1 idle", "public expired", "public idle"]);
      await storage.deleteExpired(clock.now(), 10, (some) => told.push(...some));
      expect(told).toHaveLength(3);
    });

    it("deletes exactly the rows that end at or before the time", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const gone = [
        await createSession(store, { expiresAt: now }),
        await createSession(store, { expiresAt: millis(now - 1) }),
        await createSession(store, { expiresAt: now, endedAt: now, endReason: "logout" }),
      ];
      const kept = [
        await createSession(store, { expiresAt: millis(now + 1) }),
        await createSession(store, { idleExpiresAt: millis(now - day) }),
        await createSession(store, { endedAt: now, endReason: "logout" }),
      ];
      expect(await store.storage.deleteExpired(now, 100)).toBe(3);
      for (const { id } of gone) expect(await store.storage.getSession(id)).toBeUndefined();
      for (const record of kept) expect(await store.storage.getSession(record.id)).toStrictEqual(record);
      expect(await store.storage.deleteExpired(now, 100)).toBe(0);
    });

    it("tells of each session that had not ended how and when it did", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const expired = await createSession(store, { expiresAt: millis(now - 5), idleExpiresAt: NEVER });
      const idle = await createSession(store, { expiresAt: millis(now - 5), idleExpiresAt: millis(now - 9) });
      const out = await createSession(store);
      await store.storage.revokeSessions({ kind: "ids", ids: [out.id] }, { reason: "logout" });
      store.clock.advance(200 * day);
      expect(await store.storage.deleteExpired(store.clock.now(), 100)).toBe(3);
      const { items } = await store.storage.listEvents({}, { limit: 10 });
      expect(items.map(({ sessionId, reason, at, count }) => ({ sessionId, reason, at, count }))).toStrictEqual([
        { sessionId: out.id, reason: "logout", at: now, count: 1 },
        { sessionId: expired.id, reason: "expired", at: now - 5, count: 1 },
        { sessionId: idle.id, reason: "idle", at: now - 9, count: 1 },
      ]);
    });

    it("works in batches", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      await atOnce(250, (index) => createSession(store, { expiresAt: millis(now - index) }));
      const live = await createSession(store);
      const batches: number[] = [];
      do batches.push(await store.storage.deleteExpired(now, 100));
      while (batches.at(-1) !== 0);
      expect(batches).toStrictEqual([100, 100, 50, 0]);
      expect(await store.storage.getSession(live.id)).toStrictEqual(live);
    });

    it("follows an expiry that rotations have moved, forth and back", async () => {
      const store = await openTestStore(open);
      const start = store.clock.now();
      const records = await atOnce(30, () => createSession(store, { expiresAt: millis(start + day) }));
      const [longer, shorter] = [records.slice(0, 20), records.slice(20)];
      const rotate = (days: number) => (record: (typeof records)[number]) =>
        store.storage.rotate(attemptOf(record, { lifetimes: { refreshValidity: millis(days * day) } }));
      await Promise.all(longer.map(rotate(10)));
      await Promise.all(shorter.map(rotate(0.5)));
      expect(await store.storage.deleteExpired(millis(start + 0.5 * day - 1), 100)).toBe(0);
      expect(await store.storage.deleteExpired(millis(start + 0.5 * day), 100)).toBe(10);
      const stays = longer[0]!;
      const one = await createSession(store, { expiresAt: millis(start + 2 * day) });
      expect(await store.storage.deleteExpired(millis(start + 3 * day), 5)).toBe(1);
      expect(await store.storage.getSession(one.id)).toBeUndefined();
      expect(await store.storage.getSession(stays.id)).toBeDefined();
      expect(await store.storage.deleteExpired(millis(start + 10 * day), 100)).toBe(20);
    });

    it("is safe to run on many nodes at once", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      await atOnce(60, () => createSession(store, { expiresAt: now }));
      const deleted = await atOnce(8, () => store.storage.deleteExpired(now, 10));
      expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(60);
      expect((await store.storage.listEvents({}, { limit: 100 })).items.map(({ count }) => count)).toStrictEqual(
        Array.from({ length: 60 }, () => 1),
      );
    });

    it("refuses a batch of nothing", async () => {
      const { storage, clock } = await openTestStore(open);
      for (const limit of [0, -1, 0.5])
        await expect(storage.deleteExpired(clock.now(), limit)).rejects.toMatchObject({ code: "invalid_record" });
    });
  });
};
