import { millis, type SessionId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { readFeed } from "./feed.js";
import {
  atOnce,
  attemptOf,
  createSession,
  idsOf,
  openTestStore,
  type OpenStore,
  sessionRecord,
  signingKey,
  TestClock,
  type TestStore,
} from "./store.js";

/** Two nodes on one store, and a node that comes back to it. Only for stores that outlive one opening. */
export const testNodes = (open: OpenStore): void => {
  const openTwo = async (): Promise<readonly [TestStore, TestStore]> => {
    const first = await openTestStore(open);
    return [first, await openTestStore(open, first)];
  };

  describe("two nodes on one store", () => {
    it("see each other's writes", async () => {
      const [one, two] = await openTwo();
      const record = await createSession(one);
      expect(await two.storage.getSession(record.id)).toStrictEqual(record);
      await two.storage.updateSessionData(record.id, '{"by":"two"}');
      expect((await one.storage.getSession(record.id))?.data).toBe('{"by":"two"}');
    });

    it("CVE-2026-1035: mint once between them", async () => {
      const nodes = await openTwo();
      for (let round = 0; round < 10; round += 1) {
        const record = await createSession(nodes[round % 2]!);
        const results = await atOnce(20, (index) => nodes[index % 2]!.storage.rotate(attemptOf(record)));
        expect(results.filter(({ minted }) => minted)).toHaveLength(1);
      }
    });

    it("keep the session limit between them", async () => {
      const nodes = await openTwo();
      await atOnce(20, (index) =>
        nodes[index % 2]!.storage.createSession(sessionRecord(nodes[0].clock), { maxPerUser: 3 }),
      );
      expect((await nodes[0].storage.listSessions({}, { limit: 100 })).items).toHaveLength(3);
    });

    it("agree on the first signing key and on every claimed fact", async () => {
      const nodes = await openTwo();
      const added = await atOnce(10, (index) =>
        nodes[index % 2]!.storage.addSigningKey(signingKey(nodes[0].clock, { kid: `d-${index}` }), undefined),
      );
      expect(added.filter(Boolean)).toHaveLength(1);
      const claimed = await atOnce(10, (index) => nodes[index % 2]!.storage.claimMeta("owner", `node-${index}`));
      expect(new Set(claimed).size).toBe(1);
    });

    it("seal a key anew, replace a fact and import a row once between them", async () => {
      const nodes = await openTwo();
      const key = signingKey(nodes[0].clock);
      await nodes[0].storage.addSigningKey(key, undefined);
      await nodes[1].storage.claimMeta("state", "one");
      const { kid, sealedPrivateKey } = key;
      const record = sessionRecord(nodes[0].clock);
      const results = await atOnce(10, async (index) => {
        const { storage } = nodes[index % 2]!;
        const resealed = await storage.resealSigningKey(kid, sealedPrivateKey, `node-${index}`);
        const replaced = await storage.replaceMeta("state", "one", `node-${index}`);
        const [imported] = await storage.importSessions([record]);
        return [resealed, replaced, imported];
      });
      for (const step of [0, 1, 2])
        expect(
          results.filter((result) => result[step]),
          `step ${step}`,
        ).toHaveLength(1);
    });

    it("erase a user for each other", async () => {
      const [one, two] = await openTwo();
      const record = await createSession(one);
      const { cursor } = await readFeed(two.storage, { at: millis(0) });
      expect(await two.storage.eraseUser(record)).toMatchObject({ ended: [{ id: record.id }], rows: 1 });
      expect(await one.storage.getSession(record.id)).toBeUndefined();
      expect(idsOf((await readFeed(one.storage, { cursor })).revocations)).toStrictEqual([record.id]);
    });

    it("sweep side by side without counting a row twice", async () => {
      const nodes = await openTwo();
      await atOnce(40, () => createSession(nodes[0], { expiresAt: nodes[0].clock.now() }));
      const deleted = await atOnce(8, (index) => nodes[index % 2]!.storage.deleteExpired(nodes[0].clock.now(), 10));
      expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(40);
    });

    it("make the tables of an empty store once, however many start together", async () => {
      const at = { clock: new TestClock(), location: crypto.randomUUID() };
      const nodes = await atOnce(6, () => openTestStore(open, at));
      const record = await createSession(nodes[0]!);
      for (const { storage } of nodes) expect(await storage.getSession(record.id)).toStrictEqual(record);
      await atOnce(6, (index) => nodes[index]!.storage.migrate());
      for (const { storage } of nodes) await storage.ping();
    });

    it("hear of each other's revocations", async () => {
      const [one, two] = await openTwo();
      const { cursor } = await readFeed(two.storage, { at: millis(0) });
      const { id } = await createSession(one);
      const woken = new Promise<void>((resolve) => {
        two.storage.watchRevocations(resolve);
      });
      await one.storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
      await woken;
      expect(idsOf((await readFeed(two.storage, { cursor })).revocations)).toStrictEqual([id]);
    });
  });

  describe("a node that comes back", () => {
    it("CVE-2026-9802: finds everything that was acknowledged, and the dead dead", async () => {
      const first = await openTestStore(open);
      const [live, dead] = [await createSession(first), await createSession(first)];
      await first.storage.revokeSessions({ kind: "ids", ids: [dead.id] }, { reason: "logout" });
      const { record: rotated } = await first.storage.rotate(attemptOf(live));
      const key = signingKey(first.clock);
      await first.storage.addSigningKey(key, undefined);
      const { cursor } = await readFeed(first.storage, { at: millis(0) });
      await first.storage.close();
      const second = await openTestStore(open, first);
      expect(await second.storage.getSession(live.id)).toStrictEqual(rotated);
      expect(await second.storage.getSession(dead.id)).toMatchObject({ endReason: "logout", payload: "{}" });
      expect(await second.storage.rotate(attemptOf(dead))).toMatchObject({ minted: false });
      expect(await second.storage.getSigningKeys()).toStrictEqual([key]);
      expect((await second.storage.listEvents({}, { limit: 10 })).items).toHaveLength(1);
      const ids: SessionId[] = [live.id];
      await second.storage.revokeSessions({ kind: "ids", ids }, { reason: "logout" });
      expect(idsOf((await readFeed(second.storage, { cursor })).revocations)).toStrictEqual(ids);
    });
  });
};
