import { describe, expect, it } from "vitest";
import { createSession, openTestStore, type OpenStore, sessionId } from "./store.js";

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

/** `updateSessionData` and `updatePayload`. */
export const testData = (open: OpenStore): void => {
  describe("payload and data", () => {
    it("come back to the letter", async () => {
      const store = await openTestStore(open);
      for (const text of texts) {
        const created = await createSession(store, { payload: text, data: text });
        expect(await store.storage.getSession(created.id)).toStrictEqual(created);
        const updated = await createSession(store);
        expect(await store.storage.updatePayload(updated.id, text)).toBe(true);
        expect(await store.storage.updateSessionData(updated.id, text)).toBe(true);
        expect(await store.storage.getSession(updated.id)).toStrictEqual({ ...updated, payload: text, data: text });
      }
    });

    it("hold a megabyte", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const data = JSON.stringify({ blob: "ä\u{1F512}".repeat(175_000) });
      expect(Buffer.byteLength(data)).toBeGreaterThan(1024 * 1024);
      expect(await store.storage.updateSessionData(id, data)).toBe(true);
      expect((await store.storage.getSession(id))?.data).toBe(data);
    });

    it("CVE-2026-90997: count as written when the value is the one that was there", async () => {
      const store = await openTestStore(open);
      const { id, payload, data } = await createSession(store);
      expect(await store.storage.updatePayload(id, payload)).toBe(true);
      expect(await store.storage.updateSessionData(id, data)).toBe(true);
    });

    it("are not written where there is no live session", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const dead = [
        await createSession(store, { expiresAt: now }),
        await createSession(store, { idleExpiresAt: now }),
        await createSession(store, { endedAt: now, endReason: "logout" }),
      ];
      for (const record of dead) {
        expect(await store.storage.updatePayload(record.id, '{"a":1}')).toBe(false);
        expect(await store.storage.updateSessionData(record.id, '{"a":1}')).toBe(false);
        expect(await store.storage.getSession(record.id)).toStrictEqual(record);
      }
      expect(await store.storage.updatePayload(sessionId(), "{}")).toBe(false);
      expect(await store.storage.updateSessionData(sessionId(), "{}")).toBe(false);
    });

    it("keep the last of many values written at once, whole", async () => {
      const store = await openTestStore(open);
      const { id } = await createSession(store);
      const values = Array.from({ length: 20 }, (_, index) => JSON.stringify({ value: String(index).repeat(1000) }));
      await Promise.all(values.map((value) => store.storage.updateSessionData(id, value)));
      expect(values).toContain((await store.storage.getSession(id))?.data);
    });
  });
};
