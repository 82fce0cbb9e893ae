import { afterChange, type EventRecord, millis, type SessionChange, type SessionRecord } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import {
  atOnce,
  attemptOf,
  createSession,
  openTestStore,
  type OpenStore,
  sessionId,
  type TestStore,
  userId,
} from "./store.js";

/** JSON that comes back changed from anything that reads it. */
const texts = [
  "{}",
  '{ "b" : 1,\n\t"a":2 }',
  '{"n":1e400,"m":-0,"k":0.10,"l":12345678901234567890}',
  '{"same":1,"same":2}',
  '{"__proto__":{"admin":true},"constructor":1}',
  String.raw`{"escaped":"\u0000\ud800\u00e9\/"}`,
  '{"é":"e\u0301","rtl":"\u202Eabc","astral":"\u{1F512}"}',
  `{"long":"${"x".repeat(70_000)}"}`,
];

const thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

const eventOf = ({ clock }: TestStore, { tenantId, userId, id }: SessionRecord, key: string): EventRecord => ({
  key,
  at: clock.now(),
  type: "admin",
  tenantId,
  userId,
  sessionId: id,
  detail: '{"did":"change"}',
  count: 1,
});

/** Sessions that have ended, each in its own way. */
const createDead = async (store: TestStore): Promise<readonly SessionRecord[]> => {
  const now = store.clock.now();
  return [
    await createSession(store, { expiresAt: now }),
    await createSession(store, { idleExpiresAt: now }),
    await createSession(store, { endedAt: now, endReason: "logout" }),
  ];
};

/** Payload, data and facts to the letter. */
const testTexts = (open: OpenStore): void => {
  describe("payload, data and facts", () => {
    it("come back to the letter", async () => {
      const store = await openTestStore(open);
      for (const text of texts) {
        const values = { payload: text, data: text, facts: text };
        const created = await createSession(store, values);
        expect(await store.storage.getSession(created.id)).toStrictEqual(created);
        const { id } = await createSession(store);
        const changed = await store.storage.changeSession(id, values);
        expect(changed).toMatchObject({ kind: "changed", record: values });
        expect(await store.storage.getSession(id)).toMatchObject(values);
      }
    });

    it("hold a megabyte", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const data = JSON.stringify({ blob: "ä\u{1F512}".repeat(175_000) });
      expect(Buffer.byteLength(data)).toBeGreaterThan(1024 * 1024);
      expect(await store.storage.changeSession(id, { data })).toMatchObject({ kind: "changed" });
      expect((await store.storage.getSession(id))?.data).toBe(data);
    });

    it("keep the last of many values written at once, whole", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const values = Array.from({ length: 20 }, (_, index) => JSON.stringify({ value: String(index).repeat(1000) }));
      await Promise.all(values.map((data) => store.storage.changeSession(id, { data })));
      expect(values).toContain((await store.storage.getSession(id))?.data);
    });
  });
};

/** `changeSession`: a compare-and-set on what the change expects. */
export const testSessionChange = (open: OpenStore): void => {
  testTexts(open);

  describe("changeSession", () => {
    it("changes what is given, raises the versions that go with it, and keeps the rest", async () => {
      const store = await openTestStore(open);
      const changes: readonly SessionChange[] = [
        {},
        { payload: '{"role":"admin"}' },
        { data: '{"cart":[1]}' },
        { facts: '{"auth":{"at":1}}' },
        { bound: thumbprint },
        { announced: true },
        { announced: false },
        { payload: '{"role":"admin"}', announced: true },
        { facts: '{"act":{}}', announced: true },
        { payload: "{}", data: "{}", facts: "{}", bound: thumbprint, announced: true },
        { payload: undefined, data: undefined, facts: undefined, bound: undefined, announced: undefined, expected: {} },
      ];
      for (const change of changes) {
        const record = await createSession(store, {
          current: 3,
          next: 4,
          factsVersion: 5,
          payloadVersion: 6,
          facts: '{"auth":{"at":0}}',
          link: "issuer sid",
          subject: "issuer sub",
          device: "phone",
          address: "192.0.2.1",
        });
        store.clock.advance(1000);
        const result = await store.storage.changeSession(record.id, change);
        const after = afterChange(record, change);
        expect(result, JSON.stringify(change)).toStrictEqual({
          kind: "changed",
          record: after,
          now: store.clock.now(),
        });
        expect(await store.storage.getSession(record.id)).toStrictEqual(after);
      }
    });

    it("CVE-2026-90997: counts as a change when the values are the ones that were there", async () => {
      const store = await openTestStore(open);
      const { id, payload, data, facts } = await createSession(store);
      const values = { payload, data, facts, bound: "" };
      expect(await store.storage.changeSession(id, values)).toMatchObject({
        kind: "changed",
        record: { ...values, factsVersion: 1, payloadVersion: 1 },
      });
      expect(await store.storage.changeSession(id, { data })).toMatchObject({ kind: "changed" });
      expect(await store.storage.changeSession(id, {})).toMatchObject({ kind: "changed", record: { factsVersion: 1 } });
    });

    it("changes nothing unless the row has the expected numbers, and then gives the row", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store, { current: 1, next: 2, factsVersion: 3, payloadVersion: 4 });
      const numbers = { next: 2, factsVersion: 3, payloadVersion: 4 };
      const change = { payload: "{}", data: "{}", facts: "{}", bound: thumbprint, announced: true };
      const events = [eventOf(store, record, "conflict")];
      for (const name of ["next", "factsVersion", "payloadVersion"] as const)
        for (const off of [-1, 1]) {
          const expected = { ...numbers, [name]: numbers[name] + off };
          for (const wrong of [expected, { [name]: expected[name] }])
            expect(await store.storage.changeSession(record.id, { ...change, events, expected: wrong })).toStrictEqual({
              kind: "conflict",
              record,
              now: store.clock.now(),
            });
        }
      expect(await store.storage.getSession(record.id)).toStrictEqual(record);
      expect((await store.storage.listEvents({}, { limit: 5 })).items).toStrictEqual([]);
      expect(await store.storage.changesSince({ at: millis(0) })).toMatchObject({ items: [] });
      const again = { ...change, expected: numbers };
      expect(await store.storage.changeSession(record.id, again)).toMatchObject({ kind: "changed" });
      expect(await store.storage.changeSession(record.id, again)).toMatchObject({ kind: "conflict" });
      for (const expected of [{ next: 2 }, { factsVersion: 4 }, { payloadVersion: 5 }, { next: undefined }])
        expect(await store.storage.changeSession(record.id, { expected })).toMatchObject({ kind: "changed" });
    });

    it("changes no session that is not live", async () => {
      const store = await openTestStore(open);
      const dead = await createDead(store);
      const change = { payload: '{"a":1}', data: '{"a":1}', facts: '{"a":1}', bound: thumbprint, announced: true };
      for (const record of dead) {
        const events = [eventOf(store, record, "absent")];
        for (const expected of [undefined, { next: 7 }])
          expect(await store.storage.changeSession(record.id, { ...change, events, expected })).toStrictEqual({
            kind: "absent",
          });
        expect(await store.storage.getSession(record.id)).toStrictEqual(record);
      }
      expect(await store.storage.changeSession(sessionId(), change)).toStrictEqual({ kind: "absent" });
      expect((await store.storage.listEvents({}, { limit: 5 })).items).toStrictEqual([]);
      expect(await store.storage.changesSince({ at: millis(0) })).toMatchObject({ items: [] });
    });

    it("appends events of another user where that user's are looked for", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      for (const name of ["bob", "carol", "dave"]) {
        const event = { ...eventOf(store, record, name), userId: userId(name) };
        await store.storage.changeSession(record.id, { facts: "{}", events: [event] });
        const { tenantId } = record;
        const { items } = await store.storage.listEvents({ tenantId, userId: userId(name) }, { limit: 5 });
        expect(items).toStrictEqual([event]);
      }
    });

    it("appends its events, and a line of the feed only where it is announced", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const { id, tenantId, userId } = record;
      const events = ["one", "two"].map((key) => eventOf(store, record, key));
      await store.storage.changeSession(id, { payload: '{"a":1}', facts: '{"a":1}', announced: false, events });
      expect(await store.storage.changesSince({ at: millis(0) })).toMatchObject({ items: [] });
      expect((await store.storage.listEvents({}, { limit: 5 })).items).toStrictEqual(events.toReversed());
      store.clock.advance(5);
      await store.storage.changeSession(id, { announced: true });
      await store.storage.changeSession(id, { payload: "{}", announced: true });
      const at = store.clock.now();
      const page = await store.storage.changesSince({ at });
      expect(page.kind === "page" && page.items).toStrictEqual(
        [2, 3].map((payloadVersion) => ({ id, tenantId, userId, at, payloadVersion })),
      );
      expect(await store.storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [] });
    });

    it("has exactly one winner of twenty that expect the same facts", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const results = await atOnce(20, (index) =>
        store.storage.changeSession(id, { facts: `{"by":${index}}`, expected: { factsVersion: 0 }, announced: true }),
      );
      const won = results.flatMap((result) => (result.kind === "changed" ? [result.record] : []));
      expect(won).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === "conflict")).toHaveLength(19);
      expect(await store.storage.getSession(id)).toStrictEqual(won[0]);
      expect(await store.storage.changesSince({ at: millis(0) })).toMatchObject({ items: [{ payloadVersion: 1 }] });
    });

    it("loses no count of twenty that expect nothing, and tells each its own", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const results = await atOnce(20, (index) =>
        store.storage.changeSession(id, { payload: `{"by":${index}}`, announced: true }),
      );
      const versions = results.map((result) => (result.kind === "changed" ? result.record.payloadVersion : 0));
      const all = Array.from({ length: 20 }, (_, index) => index + 1);
      expect(versions.toSorted((left, right) => left - right)).toStrictEqual(all);
      const page = await store.storage.changesSince({ at: millis(0) });
      const told = page.kind === "page" ? page.items.map(({ payloadVersion }) => payloadVersion) : [];
      expect(told.toSorted((left, right) => left - right)).toStrictEqual(all);
      const last = results.find((result) => result.kind === "changed" && result.record.payloadVersion === 20);
      expect(await store.storage.getSession(id)).toStrictEqual(last?.kind === "changed" ? last.record : undefined);
    });

    it("loses nothing against a refresh at the same time, and neither does the refresh", async () => {
      const store = await openTestStore(open);
      for (let round = 0; round < 10; round += 1) {
        const record = await createSession(store);
        const [rotated, changed] = await Promise.all([
          store.storage.rotate(attemptOf(record)),
          store.storage.changeSession(record.id, { facts: `{"round":${round}}`, announced: true }),
        ]);
        expect([rotated.minted, changed.kind]).toStrictEqual([true, "changed"]);
        expect(await store.storage.getSession(record.id)).toMatchObject({
          next: 1,
          issuedAt: store.clock.now(),
          facts: `{"round":${round}}`,
          factsVersion: 1,
          payloadVersion: 1,
        });
      }
    });

    it("expects no rotation that has not been, nor one too many", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      const [rotated, changed] = await Promise.all([
        store.storage.rotate(attemptOf(record)),
        store.storage.changeSession(record.id, { bound: thumbprint, expected: { next: 0 } }),
      ]);
      const row = await store.storage.getSession(record.id);
      // Bound first, the session refuses the refresh, which proves nothing; refreshed first, it is not bound.
      expect(rotated.minted).toBe(changed.kind === "conflict");
      expect([row?.bound, row?.next]).toStrictEqual(changed.kind === "conflict" ? ["", 1] : [thumbprint, 0]);
    });
  });
};
