import { millis, type RevocationCursor, type RevocationRecord, type SessionId, type Storage } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  createSession,
  openTestStore,
  type OpenStore,
  sessionRecord,
  tenantId,
  type TestStore,
  userId,
} from "./store.js";

type From = Parameters<Storage["revocationsSince"]>[0];

/** Reads the feed to its end, as a reader does. */
export const readFeed = async (
  storage: Storage,
  from: From,
): Promise<{ readonly revocations: readonly RevocationRecord[]; readonly cursor: RevocationCursor }> => {
  const revocations: RevocationRecord[] = [];
  let next = from;
  for (;;) {
    const page = await storage.revocationsSince(next);
    if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
    revocations.push(...page.revocations);
    if (!page.more) return { revocations, cursor: page.cursor };
    next = { cursor: page.cursor };
  }
};

const revoke = async (store: TestStore): Promise<SessionId> => {
  const { id } = await createSession(store);
  await store.storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
  return id;
};

/** The revocation feed: `revocationsSince`, `watchRevocations`, `deleteRevocations`. */
export const testFeed = (open: OpenStore): void => {
  describe("the revocation feed", () => {
    it("loses nothing from any cursor", async () => {
      const store = await openTestStore(open);
      const cursors = [(await readFeed(store.storage, { at: millis(0) })).cursor];
      const ids: SessionId[] = [];
      for (let round = 0; round < 20; round += 1) {
        ids.push(await revoke(store));
        cursors.push((await readFeed(store.storage, { cursor: cursors.at(-1)! })).cursor);
      }
      for (const [index, cursor] of cursors.entries()) {
        const read = new Set((await readFeed(store.storage, { cursor })).revocations.map(({ id }) => id));
        expect(ids.slice(index).filter((id) => !read.has(id))).toStrictEqual([]);
      }
    });

    it("loses nothing while twenty writers append", async () => {
      const store = await openTestStore(open);
      const read = new Set<SessionId>();
      let { cursor } = await readFeed(store.storage, { at: millis(0) });
      const follow = async (): Promise<void> => {
        const page = await readFeed(store.storage, { cursor });
        for (const { id } of page.revocations) read.add(id);
        cursor = page.cursor;
      };
      const revoked = await atOnce(20, async () => {
        const ids: SessionId[] = [];
        for (let round = 0; round < 5; round += 1) {
          ids.push(await revoke(store));
          await follow();
        }
        return ids;
      });
      await follow();
      expect([...read].toSorted()).toStrictEqual(revoked.flat().toSorted());
    });

    it("gives everything at and after a time, oldest first", async () => {
      const store = await openTestStore(open);
      const revoked: { readonly id: SessionId; readonly at: number }[] = [];
      for (let round = 0; round < 6; round += 1) {
        store.clock.advance(1000);
        revoked.push({ at: store.clock.now(), id: await revoke(store) });
      }
      for (const [index, { at }] of revoked.entries()) {
        const { revocations } = await readFeed(store.storage, { at: millis(at) });
        expect(revocations.map(({ id }) => id)).toStrictEqual(revoked.slice(index).map(({ id }) => id));
      }
      const after = await readFeed(store.storage, { at: millis(store.clock.now() + 1) });
      expect(after.revocations).toStrictEqual([]);
      const next = await revoke(store);
      expect((await readFeed(store.storage, { cursor: after.cursor })).revocations.map(({ id }) => id)).toContain(next);
    });

    it("does not know the cursor of another store, nor one it never gave", async () => {
      const [here, elsewhere] = [await openTestStore(open), await openTestStore(open)];
      await revoke(here);
      await revoke(elsewhere);
      const { cursor } = await readFeed(elsewhere.storage, { at: millis(0) });
      const future = (await readFeed(here.storage, { at: millis(0) })).cursor.replace(/\d+/gu, "999999999999");
      for (const unknown of [cursor, future, "", ".", "0", "x".repeat(5000), "'; --", "\u{1F512}.1"])
        expect(await here.storage.revocationsSince({ cursor: unknown }), unknown).toStrictEqual({
          kind: "unknown_cursor",
        });
    });

    it("holds the end of a tenant with ten thousand sessions", async () => {
      const store = await openTestStore(open);
      const tenant = tenantId("customer-1");
      const count = 10_500;
      await atOnce(count, (index) => createSession(store, { tenantId: tenant, userId: userId(`user-${index}`) }));
      const revoked = await store.storage.revokeSessions({ kind: "tenant", tenantId: tenant }, { reason: "erased" });
      expect(revoked).toHaveLength(count);
      const { revocations } = await readFeed(store.storage, { at: millis(0) });
      expect(new Set(revocations.map(({ id }) => id)).size).toBe(count);
    });

    it("deletes what is older than a time, at most so many, and keeps cursors valid", async () => {
      const store = await openTestStore(open);
      const start = (await readFeed(store.storage, { at: millis(0) })).cursor;
      const ids: SessionId[] = [];
      for (let round = 0; round < 5; round += 1) {
        store.clock.advance(1000);
        ids.push(await revoke(store));
      }
      const { cursor } = await readFeed(store.storage, { at: millis(0) });
      const before = store.clock.now();
      expect(await store.storage.deleteRevocations(before, 3)).toBe(3);
      expect(await store.storage.deleteRevocations(before, 3)).toBe(1);
      expect(await store.storage.deleteRevocations(before, 3)).toBe(0);
      const kept = (await readFeed(store.storage, { at: millis(0) })).revocations.map(({ id }) => id);
      expect(kept).toStrictEqual(ids.slice(4));
      expect(await store.storage.deleteRevocations(millis(before + 1), 3)).toBe(1);
      const next = await revoke(store);
      for (const from of [start, cursor])
        expect((await readFeed(store.storage, { cursor: from })).revocations.map(({ id }) => id)).toStrictEqual([next]);
    });

    it("wakes whoever watches after a revocation, a limit and an end, until it is stopped", async () => {
      const store = await openTestStore(open);
      const { storage } = store;
      let wakes = 0;
      const stopCounting = storage.watchRevocations(() => {
        wakes += 1;
      });
      const woken = (): Promise<void> =>
        new Promise((resolve) => {
          const stop = storage.watchRevocations(() => {
            stop();
            resolve();
          });
        });
      const [first, second] = [woken(), woken()];
      const { id, current, next } = await createSession(store);
      const other = await createSession(store, { userId: userId("bob") });
      await storage.revokeSessions({ kind: "ids", ids: [other.id] }, { reason: "logout" });
      await Promise.all([first, second]);

      const third = woken();
      const end = { kind: "end", scope: "session", reason: "token_reuse", events: [] } as const;
      await storage.applyRotation({ id, current, next }, end);
      await third;

      const carol = { userId: userId("carol") };
      await createSession(store, carol);
      const fourth = woken();
      await storage.createSession(sessionRecord(store.clock, carol), { maxPerUser: 1 });
      await fourth;
      expect(wakes).toBeGreaterThanOrEqual(3);

      stopCounting();
      const counted = wakes;
      const fifth = woken();
      await revoke(store);
      await fifth;
      expect(wakes).toBe(counted);
    });
  });
};
