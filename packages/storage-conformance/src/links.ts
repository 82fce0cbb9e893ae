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

const text = '["https://issuer.example","08a5019c-17e1-4977-8f42-65a12843ea02"]';

const findAll = async ({ storage }: TestStore, selector: SessionSelector) =>
  idsOf((await storage.listSessions(selector, { limit: 100 })).items);

/** Sessions by the login at an identity provider that they came from, and by the user who logged in there. */
export const testLinks = (open: OpenStore): void => {
  describe.each(["link", "subject"] as const)("logins at an identity provider, by %s", (name) => {
    /** What sessions hold, and are looked for by. */
    const by = (value: string) => ({ [name]: value });
    const linked = by(text);

    it("find the live sessions of every user and tenant that have them, and no others", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const other = tenantId("customer-1");
      const found = [
        await createSession(store, linked),
        await createSession(store, linked),
        await createSession(store, { ...linked, userId: userId("bob") }),
        await createSession(store, { ...linked, tenantId: other }),
      ];
      await createSession(store);
      await createSession(store, by(`${text} `));
      await createSession(store, by(text.toUpperCase()));
      await createSession(store, { ...linked, expiresAt: now });
      await createSession(store, { ...linked, idleExpiresAt: now });
      await createSession(store, { ...linked, endedAt: now, endReason: "logout" });
      const selectors: readonly SessionSelector[] = [
        linked,
        { ...linked, tenantId: PUBLIC_TENANT },
        { ...linked, tenantId: other },
        { ...linked, userId: userId("alice") },
        { ...linked, userId: userId("bob"), tenantId: PUBLIC_TENANT },
        { ...linked, userId: userId("bob"), tenantId: other },
      ];
      for (const selector of selectors) {
        const expected = found.filter(
          (record) =>
            (selector.tenantId ?? record.tenantId) === record.tenantId &&
            (selector.userId ?? record.userId) === record.userId,
        );
        expect(await findAll(store, selector), JSON.stringify(selector)).toStrictEqual(idsOf(expected));
      }
      expect(await findAll(store, by("another"))).toStrictEqual([]);
    });

    it("find every session once, in pages of any size, whole or as references", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(20, (index) =>
        createSession(store, { ...linked, userId: userId(`user-${index % 7}`) }),
      );
      await atOnce(20, () => createSession(store));
      for (const limit of [1, 3, 19, 20, 21]) {
        const found: (typeof records)[number][] = [];
        let after: string | undefined;
        do {
          const page = await store.storage.listSessions(linked, { limit, after });
          const references = await store.storage.listSessionReferences(linked, { limit, after });
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
      const records = await Promise.all(texts.map((text) => createSession(store, by(text))));
      for (const [index, text] of texts.entries())
        expect(await findAll(store, by(text))).toStrictEqual([records[index]!.id]);
    });

    it("stay with a session that rotates and changes, and in the row of one that has ended", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { ...linked, bound: "key", facts: '{"a":1}' });
      await store.storage.rotate(attemptOf(record, { proof: "key" }));
      await store.storage.changeSession(record.id, { facts: "{}", bound: "another" });
      expect((await store.storage.listSessions(linked, { limit: 5 })).items).toMatchObject([{ ...linked, next: 1 }]);
      await store.storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
      expect(await findAll(store, linked)).toStrictEqual([]);
      expect(await store.storage.getSession(record.id)).toMatchObject({ ...linked, bound: "another", facts: "{}" });
    });

    it("find imported sessions, and none that were swept or erased", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const [imported, erased] = [
        sessionRecord(clock, linked),
        sessionRecord(clock, { ...linked, userId: userId("bob") }),
      ];
      const swept = sessionRecord(clock, { ...linked, expiresAt: clock.now() });
      await storage.importSessions([imported, erased, swept]);
      await storage.deleteExpired(clock.now(), 10);
      await storage.eraseUser(erased);
      expect(await findAll(store, linked)).toStrictEqual([imported.id]);
      await storage.importSessions([{ ...swept, ...by("another"), expiresAt: imported.expiresAt }]);
      expect(await findAll(store, linked)).toStrictEqual([imported.id]);
      expect(await findAll(store, by("another"))).toStrictEqual([swept.id]);
    });
  });

  it("tells a login from a user who is called the same, and finds by both together", async () => {
    const store = await openTestStore(open);
    const first = await createSession(store, { link: "one", subject: "two" });
    const second = await createSession(store, { link: "two", subject: "one" });
    const third = await createSession(store, { subject: "two" });
    expect(await findAll(store, { link: "one" })).toStrictEqual([first.id]);
    expect(await findAll(store, { link: "two" })).toStrictEqual([second.id]);
    expect(await findAll(store, { subject: "one" })).toStrictEqual([second.id]);
    expect(await findAll(store, { subject: "two" })).toStrictEqual(idsOf([first, third]));
    expect(await findAll(store, { link: "one", subject: "two" })).toStrictEqual([first.id]);
    expect(await findAll(store, { link: "one", subject: "one" })).toStrictEqual([]);
    for (const record of [first, second, third])
      expect(await store.storage.getSession(record.id)).toStrictEqual(record);
  });
};
