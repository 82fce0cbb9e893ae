import { millis, MOST_ENDED_FOR_LIMIT, type SessionRecord, type SessionReference } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  attemptOf,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  sessionId,
  sessionRecord,
  tenantId,
  type TestStore,
  userId,
} from "./store.js";

const liveIds = async ({ storage }: TestStore) => idsOf((await storage.listSessions({}, { limit: 100 })).items);

/** `createSession` and the session limit. */
export const testCreate = (open: OpenStore): void => {
  describe("createSession", () => {
    it("keeps every column", async () => {
      const { storage, clock } = await openTestStore(open);
      const full = sessionRecord(clock, {
        tenantId: tenantId("customer-1"),
        current: 3,
        next: 5,
        issuedAt: millis(clock.now() - 1),
        keyKind: "static",
        facts: '{ "auth": {"at":1.0} }',
        factsVersion: 7,
        payloadVersion: 2 ** 40,
        bound: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        link: '["https://issuer.example","sid"]',
        subject: '["https://issuer.example","sub"]',
        device: "Mozilla/5.0 (X11; Linux x86_64)",
        address: "2001:db8::1",
        lastActiveAt: millis(clock.now() - 2),
        idleExpiresAt: millis(clock.now() + 3),
      });
      const plain = sessionRecord(clock);
      expect(await storage.createSession(full)).toStrictEqual([]);
      expect(await storage.createSession(plain)).toStrictEqual([]);
      expect(await storage.getSession(full.id)).toStrictEqual(full);
      expect(await storage.getSession(plain.id)).toStrictEqual(plain);
    });

    it("knows no session that was not created", async () => {
      const { storage } = await openTestStore(open);
      expect(await storage.getSession(sessionId())).toBeUndefined();
    });

    it("refuses an id that is taken, and leaves its session as it was", async () => {
      const store = await openTestStore(open);
      const first = await createSession(store);
      const second = sessionRecord(store.clock, { id: first.id, userId: userId("mallory") });
      await expect(store.storage.createSession(second)).rejects.toMatchObject({ code: "invalid_record" });
      expect(await store.storage.getSession(first.id)).toStrictEqual(first);
    });

    it("lets one that fails take no other with it", async () => {
      const store = await openTestStore(open);
      const taken = await createSession(store);
      const records = Array.from({ length: 20 }, (_, index) =>
        sessionRecord(store.clock, index === 7 ? { id: taken.id } : {}),
      );
      const outcomes = await Promise.allSettled(records.map((record) => store.storage.createSession(record)));
      expect(outcomes.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toStrictEqual([7]);
      expect(await liveIds(store)).toStrictEqual(idsOf([...records]));
    });
  });

  describe("the session limit", () => {
    const at = (store: TestStore, parts: Partial<SessionRecord> = {}): SessionRecord => {
      store.clock.advance(1000);
      return sessionRecord(store.clock, parts);
    };

    it("ends the least recently refreshed session, says so, and says why", async () => {
      const store = await openTestStore(open);
      const [first, second, third] = [at(store), at(store), at(store)];
      for (const record of [first, second]) await store.storage.createSession(record, { maxPerUser: 2 });
      store.clock.advance(1000);
      await store.storage.rotate(attemptOf(first));
      const ended = await store.storage.createSession(third, { maxPerUser: 2 });
      const { id, tenantId: tenant, userId: user } = second;
      expect(ended).toStrictEqual([{ id, tenantId: tenant, userId: user }]);
      expect(await store.storage.getSession(id)).toStrictEqual({
        ...second,
        payload: "{}",
        data: "{}",
        endedAt: store.clock.now(),
        endReason: "session_limit",
      });
      expect(await liveIds(store)).toStrictEqual(idsOf([first, third]));
      expect(await store.storage.revocationsSince({ at: store.clock.now() })).toMatchObject({
        items: [{ id, tenantId: tenant, userId: user, at: store.clock.now(), reason: "session_limit" }],
      });
      expect((await store.storage.listEvents({ sessionId: id }, { limit: 10 })).items).toMatchObject([
        { type: "session_ended", reason: "session_limit", count: 1 },
      ]);
    });

    it("ends several, oldest first, when it was lowered", async () => {
      const store = await openTestStore(open);
      const records = Array.from({ length: 6 }, () => at(store));
      for (const record of records) await store.storage.createSession(record);
      const ended = await store.storage.createSession(at(store), { maxPerUser: 3 });
      expect(ended.map(({ id }) => id)).toStrictEqual(records.slice(0, 4).map(({ id }) => id));
    });

    it("ends so many at most, oldest first, and the next login ends more", async () => {
      const store = await openTestStore(open);
      const records = Array.from({ length: MOST_ENDED_FOR_LIMIT + 12 }, () => at(store));
      await store.storage.importSessions(records);
      const first = await store.storage.createSession(at(store), { maxPerUser: 3 });
      const oldest = records.map(({ id }) => id);
      expect(first.map(({ id }) => id).toSorted()).toStrictEqual(oldest.slice(0, MOST_ENDED_FOR_LIMIT).toSorted());
      const second = await store.storage.createSession(at(store), { maxPerUser: 3 });
      expect(second.map(({ id }) => id).toSorted()).toStrictEqual(oldest.slice(MOST_ENDED_FOR_LIMIT, -1).toSorted());
    });

    it("counts live sessions of the same user and tenant only", async () => {
      const store = await openTestStore(open);
      const others = [
        at(store, { userId: userId("bob") }),
        at(store, { userId: userId("Alice") }),
        at(store, { tenantId: tenantId("customer-1") }),
        at(store, { expiresAt: millis(store.clock.now() + 5000) }),
        at(store, { idleExpiresAt: millis(store.clock.now() + 5000) }),
        at(store),
      ];
      for (const record of others) await store.storage.createSession(record);
      await store.storage.revokeSessions({ kind: "ids", ids: [others[5]!.id] }, { reason: "logout" });
      store.clock.advance(10_000);
      expect(await store.storage.createSession(at(store), { maxPerUser: 2 })).toStrictEqual([]);
      expect(await store.storage.createSession(at(store), { maxPerUser: 2 })).toStrictEqual([]);
      expect(await store.storage.createSession(at(store), { maxPerUser: 2 })).toHaveLength(1);
    });

    it("is exact when twenty log in at once", async () => {
      const store = await openTestStore(open);
      const ended: SessionReference[] = [];
      const created = await atOnce(20, async () => {
        const record = sessionRecord(store.clock);
        ended.push(...(await store.storage.createSession(record, { maxPerUser: 5 })));
        return record;
      });
      const live = await liveIds(store);
      expect(live).toHaveLength(5);
      expect(ended).toHaveLength(15);
      expect(idsOf([...ended, ...live.map((id) => ({ id }))])).toStrictEqual(idsOf(created));
    });

    it("ends nothing when the new session cannot be created", async () => {
      const store = await openTestStore(open);
      const first = await createSession(store);
      const same = sessionRecord(store.clock, { id: first.id });
      await expect(store.storage.createSession(same, { maxPerUser: 1 })).rejects.toMatchObject({
        code: "invalid_record",
      });
      expect(await store.storage.getSession(first.id)).toStrictEqual(first);
      expect(await store.storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [] });
    });

    it("refuses a limit below one", async () => {
      const { storage, clock } = await openTestStore(open);
      for (const maxPerUser of [0, -1, 1.5, Number.NaN])
        await expect(storage.createSession(sessionRecord(clock), { maxPerUser })).rejects.toMatchObject({
          code: "invalid_record",
        });
    });
  });
};
