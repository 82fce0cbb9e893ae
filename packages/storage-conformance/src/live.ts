import { millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, createSession, openTestStore, type OpenStore, sessionId, tenantId, userId } from "./store.js";

/** `liveOf`. */
export const testLive = (open: OpenStore): void => {
  describe("liveOf", () => {
    it("tells of each id in its order whether its session is live, and how it stands", async () => {
      const store = await openTestStore(open);
      const now = store.clock.now();
      const live = [
        await createSession(store, { payloadVersion: 3, idleExpiresAt: millis(now + 1) }),
        await createSession(store, { userId: userId("bob"), expiresAt: millis(now + 1) }),
        await createSession(store, { tenantId: tenantId("customer-1") }),
      ];
      const dead = [
        await createSession(store, { expiresAt: now }),
        await createSession(store, { idleExpiresAt: now }),
        await createSession(store, { endedAt: now, endReason: "logout" }),
      ];
      const [one, two, three] = live.map((record) => ({
        tenantId: record.tenantId,
        payloadVersion: record.payloadVersion,
        expiresAt: record.expiresAt,
        idleExpiresAt: record.idleExpiresAt,
      }));
      const ids = [live[2]!, dead[0]!, live[0]!, dead[1]!, dead[2]!, live[1]!, live[0]!].map(({ id }) => id);
      expect(await store.storage.liveOf([...ids, sessionId()])).toStrictEqual([
        three,
        undefined,
        one,
        undefined,
        undefined,
        two,
        one,
        undefined,
      ]);
      expect(await store.storage.liveOf([])).toStrictEqual([]);
    });

    it("moves nothing", async () => {
      const store = await openTestStore(open);
      const record = await createSession(store);
      store.clock.advance(86_400_000);
      await store.storage.liveOf([record.id]);
      expect(await store.storage.getSession(record.id)).toStrictEqual(record);
    });

    it("sees a change and an end at once, for hundreds of sessions", async () => {
      const store = await openTestStore(open);
      const records = await atOnce(500, (index) => createSession(store, { userId: userId(`user-${index % 50}`) }));
      const ids = records.map(({ id }) => id);
      await store.storage.changeSession(ids[1]!, { announced: true });
      await store.storage.revokeSessions({ kind: "ids", ids: ids.slice(2, 4) }, { reason: "logout" });
      const found = await store.storage.liveOf(ids);
      expect(found.slice(0, 5).map((row) => row?.payloadVersion)).toStrictEqual([0, 1, undefined, undefined, 0]);
      expect(found.filter((row) => row !== undefined)).toHaveLength(498);
    });
  });
};
