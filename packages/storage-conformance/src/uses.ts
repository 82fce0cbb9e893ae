import { decideUse, millis, NEVER, type SessionRecord, type UseNote } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  createSession,
  day,
  openTestStore,
  type OpenStore,
  reuseWindow as window,
  sessionId,
  sessionRecord,
  usePolicy,
} from "./store.js";

const minute = 60_000;

/** `reportUses`: confirms and activity, and nothing else. */
export const testUses = (open: OpenStore): void => {
  describe("reportUses", () => {
    it("confirms exactly where decideUse does, over the whole table", async () => {
      const { storage, clock } = await openTestStore(open);
      const now = clock.now();
      const confirmations = { newest: 0, bypassed: 0 };
      for (const reuse of [window, millis(0)]) {
        const tried: { readonly record: SessionRecord; readonly note: UseNote }[] = [];
        const lives: readonly Partial<SessionRecord>[] = [
          {},
          { expiresAt: now },
          { idleExpiresAt: now },
          { endedAt: now, endReason: "logout" },
        ];
        for (const life of lives)
          for (const [current, next] of [
            [0, 0],
            [0, 1],
            [2, 5],
          ] as const)
            for (let seq = 0; seq <= next + 1; seq += 1)
              for (const age of [-1, 0, 1, window - 1, window, window + 1, day])
                for (const displacedAfter of [0, window, window + 1]) {
                  const issuedAt = millis(now - age + displacedAfter);
                  const record = sessionRecord(clock, { current, next, issuedAt, ...life });
                  tried.push({ record, note: { id: record.id, seq, iat: millis(now - age) } });
                }
        await Promise.all(tried.map(({ record }) => storage.createSession(record)));
        const rows = await storage.reportUses(
          tried.map(({ note }) => note),
          { ...usePolicy, window: reuse },
        );
        for (const [index, { record, note }] of tried.entries()) {
          const live = record.endedAt === undefined && now < record.expiresAt && now < record.idleExpiresAt;
          const confirmed = decideUse(record, { ...note, window: reuse }, now) === "confirm";
          if (confirmed) confirmations[note.seq === record.next ? "newest" : "bypassed"] += 1;
          const after = confirmed ? { ...record, current: record.next } : record;
          expect(rows[index], JSON.stringify(note)).toStrictEqual(live ? after : undefined);
          expect(await storage.getSession(record.id)).toStrictEqual(after);
        }
      }
      expect(confirmations.newest).toBeGreaterThan(10);
      expect(confirmations.bypassed).toBeGreaterThan(1);
    });

    it.each([minute, 1000])(
      "moves the last activity once in %d ms at most, and the idle end with it",
      async (interval) => {
        const store = await openTestStore(open);
        const idleTimeout = millis(30 * minute);
        const record = await createSession(store, { idleExpiresAt: millis(store.clock.now() + idleTimeout) });
        const use = async (): Promise<SessionRecord> => {
          const note = { id: record.id, seq: 0, iat: store.clock.now() };
          const [row] = await store.storage.reportUses([note], {
            window,
            idleTimeout,
            activityInterval: millis(interval),
          });
          expect(await store.storage.getSession(record.id)).toStrictEqual(row);
          return row!;
        };
        store.clock.advance(interval - 1);
        expect(await use()).toStrictEqual(record);
        store.clock.advance(1);
        const moved = await use();
        const now = store.clock.now();
        expect(moved).toStrictEqual({ ...record, lastActiveAt: now, idleExpiresAt: now + idleTimeout });
        store.clock.advance(interval - 1);
        expect(await use()).toStrictEqual(moved);
      },
    );

    it("ends no session by idleness without an idle timeout", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { idleExpiresAt: millis(store.clock.now() + day) });
      store.clock.advance(minute);
      const note = { id: record.id, seq: 0, iat: store.clock.now() };
      const [row] = await store.storage.reportUses([note], usePolicy);
      expect(row).toStrictEqual({ ...record, lastActiveAt: store.clock.now(), idleExpiresAt: NEVER });
    });

    it("answers each note in its order, of several sessions and of one", async () => {
      const store = await openTestStore(open);
      const [first, second] = [
        await createSession(store, { next: 1 }),
        await createSession(store, { current: 1, next: 2 }),
      ];
      store.clock.advance(day);
      const note = (record: SessionRecord, seq: number): UseNote => ({ id: record.id, seq, iat: record.createdAt });
      const rows = await store.storage.reportUses(
        [note(second, 1), note(sessionRecord(store.clock, { id: sessionId() }), 0), note(first, 1), note(second, 2)],
        usePolicy,
      );
      expect(rows.map((row) => row && [row.id, row.current])).toStrictEqual([
        [second.id, 1],
        undefined,
        [first.id, 1],
        [second.id, 2],
      ]);
      expect(await store.storage.reportUses([], usePolicy)).toStrictEqual([]);
    });
  });
};
