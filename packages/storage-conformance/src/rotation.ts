import { decideRotation, type Millis, millis, NEVER, type RotationAttempt, type SessionRecord } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  attemptOf,
  createSession,
  day,
  lifetimes,
  openTestStore,
  type OpenStore,
  sessionId,
  sessionRecord,
} from "./store.js";

/** `rotate`, and that its guard is the mint of `decideRotation`. */
export const testRotation = (open: OpenStore): void => {
  describe("rotate", () => {
    it("mints a successor and touches nothing else", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, {
        device: "phone",
        address: "192.0.2.1",
        facts: '{"auth":{}}',
        factsVersion: 2,
        payloadVersion: 3,
        link: "login",
        subject: "user",
      });
      store.clock.advance(day);
      const now = store.clock.now();
      const expected = { ...record, next: 1, issuedAt: now, expiresAt: millis(now + 100 * day), idleExpiresAt: NEVER };
      expect(await store.storage.rotate(attemptOf(record))).toStrictEqual({ minted: true, record: expected, now });
      expect(await store.storage.getSession(record.id)).toStrictEqual(expected);
    });

    it("bounds the new life by the absolute timeout and starts the idle time again", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { idleExpiresAt: millis(store.clock.now() + day) });
      store.clock.advance(day / 2);
      const bounds = { ...lifetimes, idleTimeout: millis(day), absoluteTimeout: millis(40 * day) };
      const { record: after, now } = await store.storage.rotate(attemptOf(record, { lifetimes: bounds }));
      expect(after?.expiresAt).toBe(record.createdAt + 40 * day);
      expect(after?.idleExpiresAt).toBe(now + day);
    });

    it("mints for a bound session only where its key proved the attempt, whatever the token", async () => {
      const store = await openTestStore(open);
      const bound = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
      const record = await createSession(store, { bound });
      for (const proof of [undefined, "", ` ${bound}`, bound.toLowerCase(), "another"])
        for (const seq of [0, 1, 7])
          expect(await store.storage.rotate(attemptOf(record, { proof, seq }))).toStrictEqual({
            minted: false,
            record,
            now: store.clock.now(),
          });
      expect(await store.storage.rotate(attemptOf(record, { proof: bound }))).toMatchObject({
        minted: true,
        record: { next: 1, bound },
      });
      const free = await createSession(store);
      for (const [next, proof] of [undefined, "", bound].entries()) {
        const { record: row } = await store.storage.rotate(attemptOf({ ...free, next }, { proof }));
        expect(row).toMatchObject({ next: next + 1, bound: "" });
        store.clock.advance(day);
      }
    });

    it("changes the kind of signing key in the same step, and only when it mints", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const keyKind = "static";
      const { record: after } = await store.storage.rotate(attemptOf(record, { keyKind }));
      expect(after).toMatchObject({ keyKind, next: 1 });
      expect(await store.storage.getSession(record.id)).toStrictEqual(after);
      const repeated = await store.storage.rotate(attemptOf(record, { keyKind: "dynamic" }));
      expect(repeated).toMatchObject({ minted: false, record: { keyKind } });
      store.clock.advance(60_000);
      const kept = await store.storage.rotate(attemptOf(after!));
      expect(kept).toMatchObject({ minted: true, record: { keyKind, next: 2 } });
      expect(await store.storage.getSession(record.id)).toStrictEqual(kept.record);
    });

    it("answers for a session that is not there", async () => {
      const { storage, clock } = await openTestStore(open);
      const attempt = attemptOf(sessionRecord(clock, { id: sessionId() }));
      expect(await storage.rotate(attempt)).toStrictEqual({ minted: false, now: clock.now() });
    });

    it("turns on and on", async () => {
      const store = await openTestStore(open);
      let record = await createSession(store);
      for (let turn = 1; turn <= 30; turn += 1) {
        store.clock.advance(60_000);
        const result = await store.storage.rotate(attemptOf(record));
        expect(result).toMatchObject({ minted: true, record: { current: turn - 1, next: turn } });
        record = result.record!;
      }
    });

    it("CVE-2026-1035: mints once when the same token arrives twenty times at once", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const results = await atOnce(20, () => store.storage.rotate(attemptOf(record)));
      expect(results.filter(({ minted }) => minted)).toHaveLength(1);
      for (const result of results) expect(result.record).toMatchObject({ id: record.id, current: 0, next: 1 });
    });

    it("redis-py, March 2023: answers each of fifty callers with its own session", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(50, () => createSession(store));
      const results = await Promise.all(records.map((record) => store.storage.rotate(attemptOf(record))));
      expect(results.map(({ record }) => record?.id)).toStrictEqual(records.map(({ id }) => id));
    });
  });

  describe("the guard of rotate", () => {
    const window = millis(30_000);
    const far = 10 * day;

    interface Case {
      readonly row: Partial<SessionRecord>;
      readonly attempt: Partial<RotationAttempt>;
    }

    /** Every combination of place, ages around the window's edges, and window. */
    const cases = (now: Millis): readonly Case[] => {
      const found: Case[] = [];
      const ages = [0, 1, window - 1, window, window + 1, far];
      for (const current of [0, 3])
        for (const ahead of [0, 1, 2, 3])
          for (let seq = Math.max(0, current - 1); seq <= current + ahead + 1; seq += 1)
            for (const issuedAgo of [...ages, now])
              for (const sealedBefore of [0 - window, 0, window, window + 1, far])
                for (const reuse of [millis(0), window])
                  found.push({
                    row: { current, next: current + ahead, issuedAt: millis(now - issuedAgo) },
                    attempt: { seq, iat: millis(now - issuedAgo - sealedBefore), window: reuse },
                  });
      for (const iatAgo of ages)
        for (const reuse of [millis(0), window])
          found.push({
            row: { current: 1, next: 2, issuedAt: millis(now - far) },
            attempt: { seq: 2, iat: millis(now - iatAgo), window: reuse },
          });
      const mint = { seq: 0, iat: millis(0), window };
      for (const row of [
        { expiresAt: now },
        { expiresAt: millis(now + 1) },
        { idleExpiresAt: now },
        { idleExpiresAt: millis(now + 1) },
        { endedAt: now, endReason: "logout" },
        { secretHash: "another" },
      ] satisfies Partial<SessionRecord>[])
        found.push({ row, attempt: { ...mint, secretHash: sessionRecord({ now: () => now }).secretHash } });
      for (const bound of ["", "one", "two"])
        for (const proof of [undefined, "", "one"])
          for (const seq of [0, 1, 2, 3])
            found.push({ row: { bound, current: 1, next: 2 }, attempt: { ...mint, seq, proof } });
      return found;
    };

    it("is the mint of decideRotation, over the whole table", async () => {
      const { storage, clock } = await openTestStore(open);
      const now = clock.now();
      const tried = cases(now).map(({ row, attempt }) => {
        const record = sessionRecord(clock, row);
        return { record, attempt: attemptOf(record, attempt) };
      });
      await Promise.all(tried.map(({ record }) => storage.createSession(record)));
      const results = await Promise.all(tried.map(({ attempt }) => storage.rotate(attempt)));
      const expected = tried.map(({ record, attempt }) => {
        const { kind } = decideRotation(record, attempt, now);
        if (kind !== "mint") return { minted: false, record, now };
        const { seq } = attempt;
        const expiresAt = millis(now + lifetimes.refreshValidity);
        const issued = { current: seq, next: record.next + 1, issuedAt: now, expiresAt, idleExpiresAt: NEVER };
        return { minted: true, record: { ...record, ...issued }, now };
      });
      expect(expected.filter(({ minted }) => minted).length).toBeGreaterThan(100);
      expect(expected.filter(({ minted }) => !minted).length).toBeGreaterThan(100);
      for (const [index, result] of results.entries())
        expect(result, JSON.stringify(tried[index])).toStrictEqual(expected[index]);
    });
  });
};
