import {
  type EventRecord,
  type ExpectedRow,
  millis,
  type RotationChange,
  type RotationResult,
  type SessionRecord,
} from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, attemptOf, createSession, openTestStore, type OpenStore, sessionId, type TestStore } from "./store.js";

const expectedOf = ({ id, current, next }: SessionRecord): ExpectedRow => ({ id, current, next });

const alarm = (store: TestStore, record: SessionRecord): EventRecord => ({
  key: `token_reuse:${record.id}`,
  at: store.clock.now(),
  type: "token_reuse",
  tenantId: record.tenantId,
  userId: record.userId,
  sessionId: record.id,
  detail: '{"presented":1}',
  count: 1,
});

/** `applyRotation`: a compare-and-set on (current, next, live). */
export const testApply = (open: OpenStore): void => {
  describe("applyRotation", () => {
    const forks = { current: 2, next: 4 };

    it("fast-forwards, with its events", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, forks);
      const event: EventRecord = { ...alarm(store, record), key: "fast_forward:1", type: "fast_forward" };
      const issuedAt = millis(store.clock.now() - 1);
      const change: RotationChange = { kind: "fast_forward", seq: 9, current: 7, issuedAt, events: [event] };
      const result = await store.storage.applyRotation(expectedOf(record), change);
      const after = { ...record, current: 7, next: 9, issuedAt };
      expect(result).toStrictEqual({ kind: "applied", record: after, ended: [], now: store.clock.now() });
      expect(await store.storage.getSession(record.id)).toStrictEqual(after);
      expect((await store.storage.listEvents({}, { limit: 10 })).items).toStrictEqual([event]);
    });

    it("ends the session, in the same step as its events and revocation", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, {
        ...forks,
        facts: '{"auth":{}}',
        bound: "key",
        link: "login",
        subject: "user",
      });
      const bystander = await createSession(store);
      const now = store.clock.now();
      const event = alarm(store, record);
      const result = await store.storage.applyRotation(expectedOf(record), {
        kind: "end",
        reason: "token_reuse",
        events: [event],
      });
      const reference = { id: record.id, tenantId: record.tenantId, userId: record.userId };
      const after = { ...record, payload: "{}", data: "{}", facts: "{}", endedAt: now, endReason: "token_reuse" };
      expect(result).toStrictEqual({ kind: "applied", record: after, ended: [reference], now });
      expect(await store.storage.getSession(record.id)).toStrictEqual(after);
      expect(await store.storage.getSession(bystander.id)).toStrictEqual(bystander);
      const { items } = await store.storage.listEvents({ sessionId: record.id }, { limit: 10 });
      expect(items.map(({ type }) => type).toSorted()).toStrictEqual(["session_ended", "token_reuse"]);
      expect(items).toContainEqual(event);
      expect(await store.storage.revocationsSince({ at: now })).toMatchObject({
        items: [{ ...reference, at: now, reason: "token_reuse" }],
      });
    });

    it("conflicts when the row is not the expected one, and then leaves everything alone", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, forks);
      const { id, current, next } = record;
      const now = store.clock.now();
      const dead = [
        await createSession(store, { ...forks, expiresAt: now }),
        await createSession(store, { ...forks, idleExpiresAt: now }),
        await createSession(store, { ...forks, endedAt: now, endReason: "logout" }),
      ];
      const changes: readonly RotationChange[] = [
        { kind: "fast_forward", seq: 9, current: 4, issuedAt: millis(0), events: [alarm(store, record)] },
        { kind: "end", reason: "token_reuse", events: [alarm(store, record)] },
      ];
      const expectations: readonly ExpectedRow[] = [
        { id, current: current - 1, next },
        { id, current, next: next + 1 },
        { id: sessionId(), current, next },
        ...dead.map(expectedOf),
      ];
      for (const expected of expectations)
        for (const change of changes)
          expect(await store.storage.applyRotation(expected, change)).toStrictEqual({ kind: "conflict" });
      for (const row of [record, ...dead]) expect(await store.storage.getSession(row.id)).toStrictEqual(row);
      expect((await store.storage.listEvents({}, { limit: 10 })).items).toStrictEqual([]);
      expect(await store.storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [] });
    });

    it("has exactly one winner of twenty", async () => {
      const store = await openTestStore(open);
      const changes: readonly RotationChange[] = [
        { kind: "fast_forward", seq: 9, current: 4, issuedAt: millis(0), events: [] },
        { kind: "end", reason: "token_reuse", events: [] },
      ];
      for (const change of changes) {
        const record = await createSession(store, forks);
        const results = await atOnce(20, () => store.storage.applyRotation(expectedOf(record), change));
        expect(results.filter(({ kind }) => kind === "applied")).toHaveLength(1);
      }
    });

    it("either ends the session or loses against a refresh, never both", async () => {
      const store = await openTestStore(open);
      const change = { kind: "end", reason: "token_reuse", events: [] } as const;
      for (let round = 0; round < 10; round += 1) {
        const record = await createSession(store, forks);
        const refresh = (): Promise<RotationResult> => store.storage.rotate(attemptOf(record));
        const early = Array.from({ length: round % 3 }, refresh);
        const [applied, ...late] = await Promise.all([
          store.storage.applyRotation(expectedOf(record), change),
          ...Array.from({ length: 5 }, refresh),
        ]);
        const minted = [...(await Promise.all(early)), ...late].filter((result) => result.minted);
        expect(minted).toHaveLength(applied.kind === "applied" ? 0 : 1);
        const after = await store.storage.getSession(record.id);
        expect(after?.endReason).toBe(applied.kind === "applied" ? "token_reuse" : undefined);
      }
    });
  });
};
