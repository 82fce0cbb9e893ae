import { type Page, type PageRequest, PUBLIC_TENANT, type SessionId, type SessionSelector } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  tenantId,
  type TestStore,
  userId,
} from "./store.js";

type Row = { readonly id: SessionId };

/** Reads all pages; `between` runs after each but the last. */
const readPages = async (
  list: (page: PageRequest) => Promise<Page<Row>>,
  limit: number,
  between: (page: readonly Row[]) => Promise<void> = async () => {},
): Promise<readonly SessionId[]> => {
  const ids: SessionId[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await list(after === undefined ? { limit } : { limit, after });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map(({ id }) => id));
    if (page.next === undefined) return ids;
    expect(page.items).toHaveLength(limit);
    await between(page.items);
    after = page.next;
  }
};

/** `listSessions`, `listSessionReferences` and `listSessionHistory`. */
export const testListing = (open: OpenStore): void => {
  describe("listSessions", () => {
    it("CVE-2023-6563: gives every session once, in pages of any size", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(30, (index) => createSession(store, { userId: userId(`user-${index % 3}`) }));
      for (const limit of [1, 7, 10, 29, 30, 31]) {
        const all = await readPages((page) => store.storage.listSessions({}, page), limit);
        expect(all).toHaveLength(30);
        expect(idsOf(all.map((id) => ({ id })))).toStrictEqual(idsOf(records));
        const ofUser = await readPages((page) => store.storage.listSessions({ userId: userId("user-1") }, page), limit);
        expect(idsOf(ofUser.map((id) => ({ id })))).toStrictEqual(
          idsOf(records.filter(({ userId: user }) => user === "user-1")),
        );
        expect(await readPages((page) => store.storage.listSessionReferences({}, page), limit)).toStrictEqual(all);
      }
    });

    it("finds the user whose id is empty, and nobody else", async () => {
      const store = await openTestStore(open);
      const [nobody] = [await createSession(store, { userId: userId("") }), await createSession(store)];
      expect(await store.storage.listSessions({ userId: userId("") }, { limit: 5 })).toStrictEqual({ items: [nobody] });
      const { tenantId: tenant, id, userId: user } = nobody;
      const ended = await store.storage.revokeSessions(
        { kind: "user", tenantId: tenant, userId: user },
        { reason: "logout" },
      );
      expect(ended).toStrictEqual([{ id, tenantId: tenant, userId: user }]);
      expect((await store.storage.listSessions({}, { limit: 5 })).items).toHaveLength(1);
    });

    it("gives records whole, and references with what names them", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { device: "phone" });
      const { id, tenantId: tenant, userId: user } = record;
      expect(await store.storage.listSessions({}, { limit: 5 })).toStrictEqual({ items: [record] });
      expect(await store.storage.listSessionReferences({}, { limit: 5 })).toStrictEqual({
        items: [{ id, tenantId: tenant, userId: user }],
      });
      expect(await store.storage.listSessions({ userId: userId("nobody") }, { limit: 5 })).toStrictEqual({ items: [] });
    });

    it("selects by user, by tenant, and by both", async () => {
      const store = await openTestStore(open);
      const tenants = [PUBLIC_TENANT, tenantId("customer-1"), tenantId("customer-2")];
      const users = [userId("alice"), userId("bob")];
      const records = await Promise.all(
        tenants.flatMap((tenant) =>
          users.flatMap((user) => [1, 2].map(() => createSession(store, { tenantId: tenant, userId: user }))),
        ),
      );
      const selectors: readonly SessionSelector[] = [
        ...tenants.map((tenant) => ({ tenantId: tenant })),
        ...users.map((user) => ({ userId: user })),
        ...tenants.flatMap((tenant) => users.map((user) => ({ tenantId: tenant, userId: user }))),
      ];
      for (const selector of selectors) {
        const expected = records.filter(
          (record) =>
            (selector.tenantId ?? record.tenantId) === record.tenantId &&
            (selector.userId ?? record.userId) === record.userId,
        );
        const found = await readPages((page) => store.storage.listSessions(selector, page), 3);
        expect(idsOf(found.map((id) => ({ id }))), JSON.stringify(selector)).toStrictEqual(idsOf(expected));
      }
    });

    it("leaves out what is not live", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      await createSession(store, { expiresAt: now });
      await createSession(store, { idleExpiresAt: now });
      await createSession(store, { endedAt: now, endReason: "logout" });
      const live = await createSession(store);
      for (const selector of [{}, { userId: live.userId }, { tenantId: live.tenantId }])
        expect(idsOf((await store.storage.listSessions(selector, { limit: 9 })).items)).toStrictEqual([live.id]);
    });

    it("gives what was there throughout exactly once, though rows come and go between the pages", async () => {
      const store = await openTestStore(open);
      const stay = await atOnce(20, () => createSession(store));
      const go = await atOnce(20, () => createSession(store, { userId: userId("leaving") }));
      const left = new Set<SessionId>();
      const change = async (page: readonly Row[]): Promise<void> => {
        const gone = [...page, ...go].filter(({ id }) => go.some((row) => row.id === id) && !left.has(id)).slice(0, 2);
        for (const { id } of gone) left.add(id);
        await store.storage.revokeSessions({ kind: "ids", ids: gone.map(({ id }) => id) }, { reason: "logout" });
        await createSession(store, { userId: userId("arriving") });
      };
      const seen = await readPages((page) => store.storage.listSessions({}, page), 4, change);
      expect(new Set(seen).size).toBe(seen.length);
      const stayed = new Set(stay.map(({ id }) => id));
      expect(seen.filter((id) => stayed.has(id))).toHaveLength(20);
    });

    it("goes on after a row that is gone", async () => {
      const store: TestStore = await openTestStore(open);
      await atOnce(6, () => createSession(store, { expiresAt: store.clock.now() }));
      const records = await atOnce(6, () => createSession(store));
      const first = await store.storage.listSessions({}, { limit: 3 });
      await store.storage.revokeSessions({ kind: "ids", ids: first.items.map(({ id }) => id) }, { reason: "logout" });
      await store.storage.deleteExpired(store.clock.now(), 100);
      const second = await store.storage.listSessions({}, { limit: 3, after: first.next! });
      expect(idsOf([...first.items, ...second.items])).toStrictEqual(idsOf(records));
      expect(second.next).toBeUndefined();
    });
  });

  describe("listSessionHistory", () => {
    it("gives all rows of a user, live or not, also while some end between the pages", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const alice = { tenantId: PUBLIC_TENANT, userId: userId("alice") };
      const records = [
        ...(await atOnce(5, () => createSession(store))),
        ...(await atOnce(3, () => createSession(store, { expiresAt: clock.now() }))),
        ...(await atOnce(5, () =>
          createSession(store, { endedAt: clock.now(), endReason: "logout", device: "phone" }),
        )),
      ];
      await createSession(store, { userId: userId("Alice") });
      await createSession(store, { tenantId: tenantId("customer-1"), endedAt: clock.now(), endReason: "logout" });
      const { items, next } = await storage.listSessionHistory(alice, { limit: 100 });
      expect(next).toBeUndefined();
      const byId = (left: Row, right: Row): number => (left.id < right.id ? -1 : 1);
      expect(items.toSorted(byId)).toStrictEqual(records.toSorted(byId));
      for (const limit of [1, 3, 5, 8, 13]) {
        const seen = await readPages((page) => storage.listSessionHistory(alice, page), limit);
        expect(seen.toSorted(), `limit ${limit}`).toStrictEqual(idsOf(records));
      }
      const seen = await readPages(
        (page) => storage.listSessionHistory(alice, page),
        2,
        async () => {
          const live = await storage.listSessionReferences(alice, { limit: 1 });
          await storage.revokeSessions({ kind: "ids", ids: live.items.map(({ id }) => id) }, { reason: "logout" });
        },
      );
      expect([...new Set(seen)].toSorted()).toStrictEqual(idsOf(records));
    });
  });
};
