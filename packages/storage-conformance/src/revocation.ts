import {
  millis,
  PUBLIC_TENANT,
  type RevocationSelector,
  type SessionRecord,
  type SessionReference,
} from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  revokedIds,
  sessionId,
  tenantId,
  type TestStore,
  userId,
  usePolicy,
} from "./store.js";

/** Four of alice, one of them over; one of bob; two of alice in another tenant. */
const population = async (store: TestStore) => {
  const other = tenantId("customer-1");
  return {
    alice: await atOnce(3, () => createSession(store)),
    over: await createSession(store, { expiresAt: store.clock.now() }),
    bob: await createSession(store, { userId: userId("bob") }),
    elsewhere: await atOnce(2, () => createSession(store, { tenantId: other })),
    other,
  };
};

/** `revokeSessions`. */
export const testRevocation = (open: OpenStore): void => {
  describe("revokeSessions", () => {
    const ended = async (store: TestStore, records: readonly SessionRecord[]): Promise<readonly string[]> => {
      const rows = await Promise.all(records.map(({ id }) => store.storage.getSession(id)));
      return idsOf(rows.flatMap((row) => (row?.endedAt === undefined ? [] : [row])));
    };

    it("ends what its selector names, live, and nothing else", async () => {
      type Population = Awaited<ReturnType<typeof population>>;
      const selections: readonly ((from: Population) => readonly [RevocationSelector, readonly SessionRecord[]])[] = [
        ({ alice, bob, over }) => [
          { kind: "ids", ids: [alice[0]!.id, bob.id, over.id, sessionId(), bob.id] },
          [alice[0]!, bob],
        ],
        ({ alice, elsewhere, other }) => [
          { kind: "ids", ids: [alice[0]!.id, elsewhere[0]!.id], tenantId: other },
          [elsewhere[0]!],
        ],
        () => [{ kind: "ids", ids: [] }, []],
        ({ alice }) => [{ kind: "user", tenantId: PUBLIC_TENANT, userId: userId("alice") }, alice],
        ({ alice }) => [
          { kind: "user", tenantId: PUBLIC_TENANT, userId: userId("alice"), exceptId: alice[1]!.id },
          [alice[0]!, alice[2]!],
        ],
        () => [{ kind: "user", tenantId: PUBLIC_TENANT, userId: userId("Alice") }, []],
        ({ elsewhere, other }) => [{ kind: "tenant", tenantId: other }, elsewhere],
        ({ alice, bob }) => [{ kind: "tenant", tenantId: PUBLIC_TENANT }, [...alice, bob]],
        () => [{ kind: "tenant", tenantId: tenantId("CUSTOMER-1") }, []],
      ];
      for (const select of selections) {
        const store = await openTestStore(open);
        const people = await population(store);
        const [selector, expected] = select(people);
        const revoked = await store.storage.revokeSessions(selector, { reason: "logout" });
        expect(idsOf(revoked), JSON.stringify(selector)).toStrictEqual(idsOf(expected));
        const all = [...people.alice, people.over, people.bob, ...people.elsewhere];
        expect(await ended(store, all)).toStrictEqual(idsOf(expected));
        for (const { id, tenantId: tenant, userId: user } of expected)
          expect(revoked).toContainEqual({ id, tenantId: tenant, userId: user });
      }
    });

    it("ends at most so many of the selected, each once, until there are none", async () => {
      const store = await openTestStore(open);
      const { alice, bob, elsewhere, other } = await population(store);
      const selectors: readonly (readonly [RevocationSelector, readonly SessionRecord[]])[] = [
        [{ kind: "user", tenantId: PUBLIC_TENANT, userId: userId("alice"), exceptId: alice[0]!.id }, alice.slice(1)],
        [{ kind: "ids", ids: [alice[0]!.id, sessionId(), bob.id, alice[1]!.id, bob.id] }, [alice[0]!, bob]],
        [{ kind: "tenant", tenantId: other }, elsewhere],
      ];
      for (const [selector, expected] of selectors) {
        const batches: (readonly SessionReference[])[] = [];
        do batches.push(await store.storage.revokeSessions(selector, { reason: "revoked" }, 1));
        while (batches.at(-1)!.length > 0);
        expect(batches.map((batch) => batch.length)).toStrictEqual([1, 1, 0]);
        expect(idsOf(batches.flat())).toStrictEqual(idsOf(expected));
        expect(await ended(store, expected)).toStrictEqual(idsOf(expected));
      }
      const { items } = await store.storage.listEvents({ types: ["session_ended"] }, { limit: 10 });
      expect(items.map(({ count }) => count)).toStrictEqual([1, 1, 1, 1, 1, 1]);
      expect(new Set(await revokedIds(store.storage))).toStrictEqual(
        new Set([...alice, bob, ...elsewhere].map(({ id }) => id)),
      );
    });

    it("ends a tenant in batches, each session once, though several work at it", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(100, (index) => createSession(store, { userId: userId(`user-${index}`) }));
      const selector = { kind: "tenant", tenantId: PUBLIC_TENANT } as const;
      const endAll = async (): Promise<readonly SessionReference[]> => {
        const found: SessionReference[] = [];
        for (;;) {
          const batch = await store.storage.revokeSessions(selector, { reason: "erased" }, 7);
          expect(batch.length).toBeLessThanOrEqual(7);
          if (batch.length === 0) return found;
          found.push(...batch);
        }
      };
      const batches = await Promise.all([endAll(), endAll(), endAll()]);
      expect(idsOf(batches.flat())).toStrictEqual(idsOf(records));
      expect((await store.storage.listSessions({}, { limit: 5 })).items).toStrictEqual([]);
    });

    it("refuses a batch of nothing", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const selector = { kind: "ids", ids: [record.id] } as const;
      for (const limit of [0, -1, 0.5])
        await expect(store.storage.revokeSessions(selector, { reason: "logout" }, limit)).rejects.toMatchObject({
          code: "invalid_record",
        });
      expect(await store.storage.getSession(record.id)).toStrictEqual(record);
    });

    it("drops payload, data and facts, and says when, why and by whom", async () => {
      const store = await openTestStore(open);
      const versions = { factsVersion: 2, payloadVersion: 3 };
      const kept = { device: "phone", bound: "key", link: "login", subject: "user", ...versions };
      const record = await createSession(store, { ...kept, facts: '{"auth":{}}' });
      store.clock.advance(5);
      const at = store.clock.now();
      const cause = { reason: "revoked_by_admin", detail: 'support: "Åse" <a@b>' } as const;
      await store.storage.revokeSessions({ kind: "ids", ids: [record.id] }, cause);
      expect(await store.storage.getSession(record.id)).toStrictEqual({
        ...record,
        payload: "{}",
        data: "{}",
        facts: "{}",
        endedAt: at,
        endReason: "revoked_by_admin",
      });
      const reference = { tenantId: record.tenantId, userId: record.userId };
      const { items } = await store.storage.listEvents({ sessionId: record.id }, { limit: 10 });
      expect(items).toStrictEqual([
        {
          key: `session_ended:${record.id}`,
          at,
          type: "session_ended",
          ...reference,
          sessionId: record.id,
          reason: "revoked_by_admin",
          detail: JSON.stringify({ by: cause.detail }),
          count: 1,
        },
      ]);
      expect(await store.storage.revocationsSince({ at })).toMatchObject({
        items: [{ id: record.id, ...reference, at, reason: "revoked_by_admin" }],
      });
    });

    it("CVE-2024-31999: does nothing to a session that has ended, and nothing revives it", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const selector = { kind: "ids", ids: [record.id] } as const;
      await store.storage.revokeSessions(selector, { reason: "logout" });
      const first = await store.storage.getSession(record.id);
      store.clock.advance(1000);
      expect(await store.storage.revokeSessions(selector, { reason: "revoked" })).toStrictEqual([]);
      const change = { payload: '{"role":"admin"}', data: "{}", facts: '{"a":1}', announced: true };
      expect(await store.storage.changeSession(record.id, change)).toStrictEqual({ kind: "absent" });
      await store.storage.reportUses([{ id: record.id, seq: 0, iat: millis(0) }], usePolicy);
      expect(await store.storage.getSession(record.id)).toStrictEqual(first);
      expect((await store.storage.listEvents({}, { limit: 10 })).items).toHaveLength(1);
    });

    it("tells each ended session to exactly one of twenty callers", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(10, () => createSession(store));
      const user = { kind: "user", tenantId: PUBLIC_TENANT, userId: userId("alice") } as const;
      const revoked = await atOnce(20, (index) =>
        store.storage.revokeSessions(
          index % 2 === 0 ? user : { kind: "ids", ids: records.slice(0, index % 10).map(({ id }) => id) },
          { reason: "logout" },
        ),
      );
      expect(idsOf(revoked.flat())).toStrictEqual(idsOf(records));
    });
  });
};
