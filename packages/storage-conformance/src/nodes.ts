import { type FeedStart, millis, NEVER, type SessionId, type SessionRecord } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { readFeed, woken } from "./feed.js";
import { eventOf, keyOfEntry, listAll, minute, outbox, settle, take, twoDestinations } from "./outbox/outbox-store.js";
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
  userId,
} from "./store.js";

const readRevocations = ({ storage }: TestStore, from: FeedStart) =>
  readFeed((start) => storage.revocationsSince(start), from);

const readChanges = ({ storage }: TestStore, from: FeedStart) => readFeed((start) => storage.changesSince(start), from);

/** Two nodes on one store, and a node that comes back to it. Only for stores that outlive one opening. */
export const testNodes = (open: OpenStore): void => {
  const openTwo = async (at: Pick<TestStore, "outbox"> = {}): Promise<readonly [TestStore, TestStore]> => {
    const first = await openTestStore(open, at);
    return [first, await openTestStore(open, first)];
  };

  describe("two nodes on one store", () => {
    it("see each other's writes", async () => {
      const [one, two] = await openTwo();
      const record = await createSession(one);
      expect(await two.storage.getSession(record.id)).toStrictEqual(record);
      await two.storage.changeSession(record.id, { data: '{"by":"two"}' });
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
      const { cursor } = await readRevocations(two, { at: millis(0) });
      expect(await two.storage.eraseUser(record)).toMatchObject({ ended: [{ id: record.id }], rows: 1 });
      expect(await one.storage.getSession(record.id)).toBeUndefined();
      expect(idsOf((await readRevocations(one, { cursor })).items)).toStrictEqual([record.id]);
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
      const { cursor } = await readRevocations(two, { at: millis(0) });
      const { id } = await createSession(one);
      const hears = woken(two.storage);
      await one.storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
      await hears;
      expect(idsOf((await readRevocations(two, { cursor })).items)).toStrictEqual([id]);
    });

    it("hear of each other's announced changes", async () => {
      const [one, two] = await openTwo();
      const { cursor } = await readChanges(two, { at: millis(0) });
      const { id } = await createSession(one);
      const hears = woken(two.storage);
      await one.storage.changeSession(id, { announced: true });
      await hears;
      expect((await readChanges(two, { cursor })).items).toMatchObject([{ id, payloadVersion: 1 }]);
      expect(await two.storage.liveOf([id])).toMatchObject([{ payloadVersion: 1 }]);
    });

    it("change the facts of a session once between them, and count and link for each other", async () => {
      const nodes = await openTwo();
      const { id } = await createSession(nodes[0], { link: "login" });
      const hour = millis(500_000 * 3_600_000);
      const results = await atOnce(20, async (index) => {
        const { storage } = nodes[index % 2]!;
        await storage.addCounts([{ hour, name: "login", count: 2 }]);
        return storage.changeSession(id, { facts: `{"by":${index}}`, expected: { factsVersion: 0 } });
      });
      expect(results.filter(({ kind }) => kind === "changed")).toHaveLength(1);
      for (const { storage } of nodes) {
        expect(await storage.listCounts({ from: hour, to: millis(hour + 1) }, { limit: 5 })).toStrictEqual({
          items: [{ hour, name: "login", count: 40 }],
        });
        expect(idsOf((await storage.listSessions({ link: "login" }, { limit: 5 })).items)).toStrictEqual([id]);
      }
    });

    it("share an outbox: each entry is taken by one of them, and each queue goes in its order", async () => {
      const nodes = await openTwo({ outbox: twoDestinations });
      const sessions = await atOnce(4, (index) => createSession(nodes[0], { userId: userId(`user-${index}`) }));
      const keyOf = ({ id }: SessionRecord, index: number): string => `${id}:${index}`;
      for (let index = 0; index < 5; index += 1)
        await Promise.all(
          sessions.map((session, queue) => {
            const node = nodes[(index + queue) % 2]!;
            return node.storage.appendEvents([eventOf(node, session, { key: keyOf(session, index) })]);
          }),
        );
      const seen: string[] = [];
      for (let round = 0; round < 5; round += 1) {
        const taken = (await atOnce(8, (index) => take(nodes[index % 2]!, 2))).flat();
        const rest = await take(nodes[0]);
        const named = [...taken, ...rest].map(keyOfEntry);
        const names = named.map(({ key, destination }) => `${destination} ${key}`);
        expect(names.toSorted()).toStrictEqual(
          twoDestinations.flatMap(({ id }) => sessions.map((session) => `${id} ${keyOf(session, round)}`)).toSorted(),
        );
        seen.push(...names);
        for (const [index, entry] of named.entries())
          expect(await nodes[index % 2]!.storage.settleOutbox(entry, { kind: "delivered" })).toBe(true);
      }
      expect(new Set(seen).size).toBe(40);
    });

    it("take and settle what is for a destination that only one of them knows", async () => {
      const one = await openTestStore(open, { outbox });
      const two = await openTestStore(open, { ...one, outbox: [] });
      await one.storage.appendEvents([eventOf(one, undefined, { key: "1" })]);
      await two.storage.appendEvents([eventOf(two, undefined, { key: "2" })]);
      const taken = await take(two);
      expect(taken).toMatchObject([{ destination: outbox[0]!.id, event: { key: "1" } }]);
      expect(await two.storage.settleOutbox(keyOfEntry(taken[0]!), { kind: "dead", state: "{}" })).toBe(true);
      expect(await listAll(one, true)).toHaveLength(1);
    });

    it("count, append, deliver and erase at once, in any order, and lose nothing", async () => {
      const nodes = await openTwo({ outbox: twoDestinations });
      const records = await atOnce(12, (index) => createSession(nodes[0], { userId: userId(`user-${index}`) }));
      const counts = Array.from({ length: 20 }, (_, index) => ({ hour: millis(0), name: `count-${index}`, count: 1 }));
      /** Half of them are appended by both nodes. */
      const eventsOf = (round: number, node: number) =>
        records.map((record, index) =>
          eventOf(nodes[0], record, { key: `${round} ${record.id}${index % 2 === 0 ? "" : ` ${node}`}` }),
        );
      const deliver = async (node: TestStore): Promise<number> => {
        const taken = await take(node);
        for (const entry of taken) await node.storage.settleOutbox(keyOfEntry(entry), { kind: "delivered" });
        return taken.length;
      };
      for (let round = 0; round < 10; round += 1)
        await Promise.all(
          nodes.flatMap((node, index) => {
            const events = eventsOf(round, index);
            return [
              node.storage.addCounts(index === 0 ? counts : counts.toReversed()),
              node.storage.appendEvents(index === 0 ? events : events.toReversed()),
              deliver(node),
              node.storage.eraseUser(records[(round + index) % 12]!),
            ];
          }),
        );
      const { items } = await nodes[0].storage.listCounts({ from: millis(0), to: millis(1) }, { limit: 20 });
      expect(items.map(({ count }) => count)).toStrictEqual(counts.map(() => 20));
      // Nothing is left behind that nobody would take.
      while ((await deliver(nodes[0])) > 0);
      expect(await listAll(nodes[0], false)).toStrictEqual([]);
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
      const { cursor } = await readRevocations(first, { at: millis(0) });
      await first.storage.close();
      const second = await openTestStore(open, first);
      expect(await second.storage.getSession(live.id)).toStrictEqual(rotated);
      expect(await second.storage.getSession(dead.id)).toMatchObject({ endReason: "logout", payload: "{}" });
      expect(await second.storage.rotate(attemptOf(dead))).toMatchObject({ minted: false });
      expect(await second.storage.getSigningKeys()).toStrictEqual([key]);
      expect((await second.storage.listEvents({}, { limit: 10 })).items).toHaveLength(1);
      const ids: SessionId[] = [live.id];
      await second.storage.revokeSessions({ kind: "ids", ids }, { reason: "logout" });
      expect(idsOf((await readRevocations(second, { cursor })).items)).toStrictEqual(ids);
    });

    it("finds what it had changed, counted and not yet delivered, and is given again what it had only taken", async () => {
      const first = await openTestStore(open, { outbox });
      const record = await createSession(first, { link: "login" });
      const [before, after, events] = [
        await readChanges(first, { at: millis(0) }),
        { facts: '{"a":1}', bound: "key", announced: true },
        [eventOf(first, record), eventOf(first, record), eventOf(first, record)],
      ];
      const changed = await first.storage.changeSession(record.id, { ...after, events });
      const count = { hour: millis(500_000 * 3_600_000), name: "login", count: 3 };
      await first.storage.addCounts([count]);
      const [head] = await take(first);
      await settle(first, head!.event.key, { kind: "dead", state: '{"status":410}' });
      expect(await take(first)).toMatchObject([{ event: events[1] }]);
      await first.storage.close();

      const second = await openTestStore(open, first);
      const row = await second.storage.getSession(record.id);
      expect(changed).toStrictEqual({ kind: "changed", record: row, now: first.clock.now() });
      expect(await second.storage.rotate(attemptOf(row!))).toMatchObject({ minted: false });
      expect(await second.storage.rotate(attemptOf(row!, { proof: "key" }))).toMatchObject({ minted: true });
      expect((await readChanges(second, { cursor: before.cursor })).items).toMatchObject([{ id: record.id }]);
      expect(idsOf((await second.storage.listSessions({ link: "login" }, { limit: 5 })).items)).toStrictEqual([
        record.id,
      ]);
      expect((await second.storage.listCounts({ from: millis(0), to: NEVER }, { limit: 5 })).items).toStrictEqual([
        count,
      ]);
      expect(await listAll(second, true)).toMatchObject([{ event: events[0], state: '{"status":410}' }]);
      expect(await take(second)).toStrictEqual([]);
      second.clock.advance(minute);
      expect(await take(second)).toMatchObject([{ event: events[1], state: "{}" }]);
      await settle(second, events[1]!.key, { kind: "delivered" });
      expect(await take(second)).toMatchObject([{ event: events[2] }]);
    });
  });
};
