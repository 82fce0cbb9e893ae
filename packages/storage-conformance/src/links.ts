import { PUBLIC_TENANT, type SessionSelector } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  attemptOf,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  sessionRecord,
  tenantId,
  type TestStore,
  userId,
} from "./store.js";

const link = '["https://issuer.example","08a5019c-17e1-4977-8f42-65a12843ea02"]';

const findAll = async ({ storage }: TestStore, selector: SessionSelector) =>
  idsOf((await storage.listSessions(selector, { limit: 100 })).items);

/** Sessions by the login at an identity provider that they came from. */
export const testLinks = (open: OpenStore): void => {
  describe("links", () => {
    it("find the live sessions of every user and tenant that have them, and no others", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const other = tenantId("customer-1");
      const linked = [
        await createSession(store, { link }),
        await createSession(store, { link }),
        await createSession(store, { link, userId: userId("bob") }),
        await createSession(store, { link, tenantId: other }),
      ];
      await createSession(store);
      await createSession(store, { link: `${link} ` });
      await createSession(store, { link: link.toUpperCase() });
      await createSession(store, { link, expiresAt: now });
      await createSession(store, { link, idleExpiresAt: now });
      await createSession(store, { link, endedAt: now, endReason: "logout" });
      const selectors: readonly SessionSelector[] = [
        { link },
        { link, tenantId: PUBLIC_TENANT },
        { link, tenantId: other },
        { link, userId: userId("alice") },
        { link, userId: userId("bob"), tenantId: PUBLIC_TENANT },
        { link, userId: userId("bob"), tenantId: other },
      ];
      for (const selector of selectors) {
        const expected = linked.filter(
          (record) =>
            (selector.tenantId ?? record.tenantId) === record.tenantId &&
            (selector.userId ?? record.userId) === record.userId,
        );
        expect(await findAll(store, selector), JSON.stringify(selector)).toStrictEqual(idsOf(expected));
      }
      expect(await findAll(store, { link: "another" })).toStrictEqual([]);
    });

    it("find every session once, in pages of any size, whole or as references", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(20, (index) => createSession(store, { link, userId: userId(`user-${index % 7}`) }));
      await atOnce(20, () => createSession(store));
      for (const limit of [1, 3, 19, 20, 21]) {
        const found: (typeof records)[number][] = [];
        let after: string | undefined;
        do {
          const page = await store.storage.listSessions({ link }, { limit, after });
          const references = await store.storage.listSessionReferences({ link }, { limit, after });
          expect(references).toStrictEqual({
            ...page,
            items: page.items.map(({ id, tenantId: tenant, userId: user }) => ({
              id,
              tenantId: tenant,
              userId: user,
            })),
          });
          found.push(...page.items);
          after = page.next;
        } while (after !== undefined);
        const byId = (left: { readonly id: string }, right: { readonly id: string }): number =>
          left.id < right.id ? -1 : 1;
        expect(found.toSorted(byId)).toStrictEqual(records.toSorted(byId));
      }
    });

    it("are told by the bytes of their text, however long", async () => {
      const store = await openTestStore(open);
      const texts = ["", " ", "a\u0301", "\u00e1", "Link", "link", "x".repeat(100_000), `${"x".repeat(99_999)}y`];
      const records = await Promise.all(texts.map((text) => createSession(store, { link: text })));
      for (const [index, text] of texts.entries())
        expect(await findAll(store, { link: text })).toStrictEqual([records[index]!.id]);
    });

    it("stay with a session that rotates and changes, and in the row of one that has ended", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { link, bound: "key", facts: '{"a":1}' });
      await store.storage.rotate(attemptOf(record, { proof: "key" }));
      await store.storage.changeSession(record.id, { facts: "{}", bound: "another" });
      expect((await store.storage.listSessions({ link }, { limit: 5 })).items).toMatchObject([{ link, next: 1 }]);
      await store.storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
      expect(await findAll(store, { link })).toStrictEqual([]);
      expect(await store.storage.getSession(record.id)).toMatchObject({ link, bound: "another", facts: "{}" });
    });

    it("find imported sessions, and none that were swept or erased", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const [imported, erased] = [
        sessionRecord(clock, { link }),
        sessionRecord(clock, { link, userId: userId("bob") }),
      ];
      const swept = sessionRecord(clock, { link, expiresAt: clock.now() });
      await storage.importSessions([imported, erased, swept]);
      await storage.deleteExpired(clock.now(), 10);
      await storage.eraseUser(erased);
      expect(await findAll(store, { link })).toStrictEqual([imported.id]);
      await storage.importSessions([{ ...swept, link: "another", expiresAt: imported.expiresAt }]);
      expect(await findAll(store, { link })).toStrictEqual([imported.id]);
      expect(await findAll(store, { link: "another" })).toStrictEqual([swept.id]);
    });
  });
};
