import { type EventRecord, millis, PUBLIC_TENANT } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, createSession, idsOf, openTestStore, type OpenStore, tenantId, userId } from "./store.js";

/** `eraseUser`. */
export const testErasure = (open: OpenStore): void => {
  describe("eraseUser", () => {
    const alice = { tenantId: PUBLIC_TENANT, userId: userId("alice") };

    it("leaves nothing of the user, and everything of others", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const live = await atOnce(3, () => createSession(store));
      const over = [
        await createSession(store, { expiresAt: clock.now() }),
        await createSession(store, { idleExpiresAt: clock.now() }),
        await createSession(store, { endedAt: clock.now(), endReason: "logout" }),
      ];
      const loggedOut = await createSession(store);
      const others = [
        await createSession(store, { userId: userId("Alice") }),
        await createSession(store, { tenantId: tenantId("customer-1") }),
        await createSession(store, { userId: userId("bob"), endedAt: clock.now(), endReason: "logout" }),
      ];
      await storage.revokeSessions({ kind: "ids", ids: [loggedOut.id] }, { reason: "logout" });
      const event = (key: string, parts: Partial<EventRecord>): EventRecord => ({
        key,
        at: clock.now(),
        type: "token_reuse",
        count: 1,
        ...parts,
      });
      const kept = [
        event("another tenant", { ...alice, tenantId: tenantId("customer-1") }),
        event("another user", { ...alice, userId: userId("Alice") }),
        event("nobody", { type: "admin" }),
        event("the tenant", { tenantId: PUBLIC_TENANT }),
      ];
      await storage.appendEvents([...kept, event("the user", { ...alice, sessionId: live[0]!.id })]);

      const { ended, rows, events } = await storage.eraseUser(alice);
      expect(idsOf(ended)).toStrictEqual(idsOf(live));
      expect(ended[0]).toStrictEqual({ id: ended[0]!.id, ...alice });
      expect({ rows, events }).toStrictEqual({ rows: 7, events: 2 });
      for (const { id } of [...live, ...over, loggedOut]) expect(await storage.getSession(id)).toBeUndefined();
      for (const record of others) expect(await storage.getSession(record.id)).toStrictEqual(record);
      expect((await storage.listEvents(alice, { limit: 10 })).items).toStrictEqual([]);
      const { items } = await storage.listEvents({}, { limit: 10 });
      expect(items.toSorted((left, right) => (left.key < right.key ? -1 : 1))).toStrictEqual(kept);
    });

    it("tells the feed which sessions ended, and why", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      await createSession(store, { expiresAt: store.clock.now() });
      await store.storage.changeSession(id, { announced: true });
      store.clock.advance(5);
      await store.storage.eraseUser(alice);
      expect(await store.storage.changesSince({ at: millis(0) })).toMatchObject({ items: [{ id, payloadVersion: 1 }] });
      expect(await store.storage.revocationsSince({ at: millis(0) })).toMatchObject({
        items: [{ id, ...alice, at: store.clock.now(), reason: "erased" }],
      });
    });

    it("finds nothing the second time, nor of a user that never was", async () => {
      const store = await openTestStore(open);
      await createSession(store);
      await store.storage.eraseUser(alice);
      const nothing = { ended: [], rows: 0, events: 0 };
      expect(await store.storage.eraseUser(alice)).toStrictEqual(nothing);
      expect(await store.storage.eraseUser({ ...alice, userId: userId("nobody") })).toStrictEqual(nothing);
      expect(await store.storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [{}] });
    });

    it("deletes so many of each kind where it is told how many, and the rest when it is repeated", async () => {
      const store = await openTestStore(open);
      const { storage, clock } = store;
      const live = await atOnce(7, () => createSession(store));
      await atOnce(4, () => createSession(store, { endedAt: clock.now(), endReason: "logout" }));
      const bob = await createSession(store, { userId: userId("bob") });
      const named = (index: number, user: typeof alice): EventRecord => ({
        key: `${user.userId} ${index}`,
        at: clock.now(),
        type: "token_reuse",
        ...user,
        count: 1,
      });
      const events = Array.from({ length: 13 }, (_, index) => named(index, alice));
      await storage.appendEvents([...events, named(0, { ...alice, userId: bob.userId })]);
      const steps = [];
      for (let step = 0; step < 4; step += 1) steps.push(await storage.eraseUser(alice, 5));
      expect(steps.map((step) => step.rows)).toStrictEqual([5, 5, 1, 0]);
      expect(steps.map((step) => step.events)).toStrictEqual([5, 5, 3, 0]);
      expect(idsOf(steps.flatMap(({ ended }) => ended))).toStrictEqual(idsOf(live));
      const page = await storage.revocationsSince({ at: millis(0) });
      expect(idsOf(page.kind === "page" ? page.items : [])).toStrictEqual(idsOf(live));
      expect(await storage.getSession(bob.id)).toStrictEqual(bob);
      expect((await storage.listEvents({}, { limit: 10 })).items).toMatchObject([{ userId: "bob" }]);
    });

    it("tells each session to one of twenty callers", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(10, () => createSession(store));
      const ended = await atOnce(20, async (index) =>
        index % 2 === 0
          ? (await store.storage.eraseUser(alice)).ended
          : store.storage.revokeSessions({ kind: "ids", ids: [records[index >> 1]!.id] }, { reason: "logout" }),
      );
      await store.storage.eraseUser(alice);
      expect(idsOf(ended.flat())).toStrictEqual(idsOf(records));
      expect((await store.storage.listEvents(alice, { limit: 10 })).items).toStrictEqual([]);
    });
  });
};
