import {
  type FeedCursor,
  type FeedPage,
  type FeedStart,
  type Millis,
  millis,
  type SessionId,
  type SessionReference,
  type Storage,
} from "@pawl/storage";
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

/** Reads a feed to its end, as a reader does. */
export const readFeed = async <Line>(
  read: (from: FeedStart) => Promise<FeedPage<Line>>,
  from: FeedStart,
): Promise<{ readonly items: readonly Line[]; readonly cursor: FeedCursor }> => {
  const items: Line[] = [];
  let next = from;
  for (;;) {
    const page = await read(next);
    if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
    items.push(...page.items);
    if (!page.more) return { items, cursor: page.cursor };
    next = { cursor: page.cursor };
  }
};

interface TestedFeed {
  /** Appends a line, and names its session. */
  readonly append: (store: TestStore) => Promise<SessionId>;
  readonly since: (storage: Storage, from: FeedStart) => Promise<FeedPage<SessionReference & { readonly at: Millis }>>;
  readonly deleteBefore: (storage: Storage, before: Millis, limit: number) => Promise<number>;
}

const feeds: Readonly<Record<string, TestedFeed>> = {
  "the revocation feed": {
    append: async (store) => {
      const { id } = await createSession(store);
      await store.storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
      return id;
    },
    since: (storage, from) => storage.revocationsSince(from),
    deleteBefore: (storage, before, limit) => storage.deleteRevocations(before, limit),
  },
  "the feed of changes": {
    append: async (store) => {
      const { id } = await createSession(store);
      await store.storage.changeSession(id, { announced: true });
      return id;
    },
    since: (storage, from) => storage.changesSince(from),
    deleteBefore: (storage, before, limit) => storage.deleteChanges(before, limit),
  },
};

/** Counts how often it was woken, until it is stopped. */
const countWakes = (storage: Storage) => {
  const counted = { wakes: 0, stop: storage.watchFeeds(() => (counted.wakes += 1)) };
  return counted;
};

/** Resolves at the next wake. */
export const woken = (storage: Storage): Promise<void> =>
  new Promise((resolve) => {
    const stop = storage.watchFeeds(() => {
      stop();
      resolve();
    });
  });

/** The two feeds, and `watchFeeds`. */
export const testFeed = (open: OpenStore): void => {
  describe.each(Object.entries(feeds))("%s", (_name, { append, since, deleteBefore }) => {
    const read = ({ storage }: TestStore, from: FeedStart) => readFeed((start) => since(storage, start), from);

    it("loses nothing from any cursor", async () => {
      const store = await openTestStore(open);
      const cursors = [(await read(store, { at: millis(0) })).cursor];
      const ids: SessionId[] = [];
      for (let round = 0; round < 20; round += 1) {
        ids.push(await append(store));
        cursors.push((await read(store, { cursor: cursors.at(-1)! })).cursor);
      }
      for (const [index, cursor] of cursors.entries()) {
        const found = new Set((await read(store, { cursor })).items.map(({ id }) => id));
        expect(ids.slice(index).filter((id) => !found.has(id))).toStrictEqual([]);
      }
    });

    it("loses nothing while twenty writers append", async () => {
      const store = await openTestStore(open);
      const found = new Set<SessionId>();
      let { cursor } = await read(store, { at: millis(0) });
      const follow = async (): Promise<void> => {
        const page = await read(store, { cursor });
        for (const { id } of page.items) found.add(id);
        cursor = page.cursor;
      };
      const appended = await atOnce(20, async () => {
        const ids: SessionId[] = [];
        for (let round = 0; round < 5; round += 1) {
          ids.push(await append(store));
          await follow();
        }
        return ids;
      });
      await follow();
      expect([...found].toSorted()).toStrictEqual(appended.flat().toSorted());
    });

    it("gives everything at and after a time, oldest first", async () => {
      const store = await openTestStore(open);
      const appended: { readonly id: SessionId; readonly at: number }[] = [];
      for (let round = 0; round < 6; round += 1) {
        store.clock.advance(1000);
        appended.push({ at: store.clock.now(), id: await append(store) });
      }
      for (const [index, { at }] of appended.entries()) {
        const { items } = await read(store, { at: millis(at) });
        expect(items.map(({ id }) => id)).toStrictEqual(appended.slice(index).map(({ id }) => id));
      }
      const after = await read(store, { at: millis(store.clock.now() + 1) });
      expect(after.items).toStrictEqual([]);
      const next = await append(store);
      expect((await read(store, { cursor: after.cursor })).items.map(({ id }) => id)).toContain(next);
    });

    it("does not know the cursor of another store, nor one it never gave", async () => {
      const [here, elsewhere] = [await openTestStore(open), await openTestStore(open)];
      await append(here);
      await append(elsewhere);
      const { cursor } = await read(elsewhere, { at: millis(0) });
      const future = (await read(here, { at: millis(0) })).cursor.replace(/\d+/gu, "999999999999");
      for (const unknown of [cursor, future, "", ".", "0", "x".repeat(5000), "'; --", "\u{1F512}.1"])
        expect(await since(here.storage, { cursor: unknown }), unknown).toStrictEqual({ kind: "unknown_cursor" });
    });

    it("deletes what is older than a time, at most so many, and keeps cursors valid", async () => {
      const store = await openTestStore(open);
      const start = (await read(store, { at: millis(0) })).cursor;
      const ids: SessionId[] = [];
      for (let round = 0; round < 5; round += 1) {
        store.clock.advance(1000);
        ids.push(await append(store));
      }
      const { cursor } = await read(store, { at: millis(0) });
      const before = store.clock.now();
      expect(await deleteBefore(store.storage, before, 3)).toBe(3);
      expect(await deleteBefore(store.storage, before, 3)).toBe(1);
      expect(await deleteBefore(store.storage, before, 3)).toBe(0);
      const kept = (await read(store, { at: millis(0) })).items.map(({ id }) => id);
      expect(kept).toStrictEqual(ids.slice(4));
      expect(await deleteBefore(store.storage, millis(before + 1), 3)).toBe(1);
      const next = await append(store);
      for (const from of [start, cursor])
        expect((await read(store, { cursor: from })).items.map(({ id }) => id)).toStrictEqual([next]);
    });
  });

  describe("the two feeds", () => {
    it("hold the end of a tenant with ten thousand sessions, page after page", async () => {
      const store = await openTestStore(open);
      const tenant = tenantId("customer-1");
      const count = 10_500;
      await atOnce(count, (index) => createSession(store, { tenantId: tenant, userId: userId(`user-${index}`) }));
      const revoked = await store.storage.revokeSessions({ kind: "tenant", tenantId: tenant }, { reason: "erased" });
      expect(revoked).toHaveLength(count);
      const { items } = await readFeed((from) => store.storage.revocationsSince(from), { at: millis(0) });
      expect(new Set(items.map(({ id }) => id)).size).toBe(count);
    });

    it("hold nothing of each other, and are swept apart", async () => {
      const { storage, clock } = await openTestStore(open);
      const at = clock.now();
      const [changed, revoked] = [sessionRecord(clock), sessionRecord(clock)];
      for (const record of [changed, revoked]) await storage.createSession(record);
      await storage.changeSession(changed.id, { announced: true });
      await storage.revokeSessions({ kind: "ids", ids: [revoked.id] }, { reason: "logout" });
      const from = { at: millis(0) };
      const reference = { tenantId: changed.tenantId, userId: changed.userId };
      const change = { id: changed.id, ...reference, at, payloadVersion: 1 };
      const revocation = { id: revoked.id, ...reference, at, reason: "logout" };
      expect((await readFeed((start) => storage.changesSince(start), from)).items).toStrictEqual([change]);
      expect((await readFeed((start) => storage.revocationsSince(start), from)).items).toStrictEqual([revocation]);
      expect(await storage.deleteChanges(millis(at + 1), 9)).toBe(1);
      expect((await readFeed((start) => storage.revocationsSince(start), from)).items).toStrictEqual([revocation]);
      expect(await storage.changesSince(from)).toMatchObject({ items: [] });
    });

    it("wake whoever watches after a revocation, a limit, an end and a change, until it is stopped", async () => {
      const store = await openTestStore(open);
      const { storage } = store;
      const counted = countWakes(storage);
      const [first, second] = [woken(storage), woken(storage)];
      const { id, current, next } = await createSession(store);
      const other = await createSession(store, { userId: userId("bob") });
      await storage.revokeSessions({ kind: "ids", ids: [other.id] }, { reason: "logout" });
      await Promise.all([first, second]);

      const end = { kind: "end", reason: "token_reuse", events: [] } as const;
      const third = woken(storage);
      await storage.applyRotation({ id, current, next }, end);
      await third;

      const carol = { userId: userId("carol") };
      const { id: changed } = await createSession(store, carol);
      const fourth = woken(storage);
      await storage.changeSession(changed, { announced: true });
      await fourth;

      const fifth = woken(storage);
      await storage.createSession(sessionRecord(store.clock, carol), { maxPerUser: 1 });
      await fifth;
      expect(counted.wakes).toBeGreaterThanOrEqual(4);

      counted.stop();
      const before = counted.wakes;
      const sixth = woken(storage);
      await storage.eraseUser(await createSession(store));
      await sixth;
      expect(counted.wakes).toBe(before);
    });
  });
};
