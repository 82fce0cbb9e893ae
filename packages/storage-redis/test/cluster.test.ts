import {
  type FeedPage,
  type FeedStart,
  millis,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type Storage,
  type UserId,
} from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { findProgram } from "@pawl/test-servers";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, expect, it, vi } from "vitest";
import { openForTest, sharedCluster } from "./server.js";

const { server: cluster, urlOf } = sharedCluster({ "repl-diskless-sync-delay": "0" }, 1);

const patience = { timeout: 30_000, interval: 50 };

/** Runs `redis-cli --cluster` while the event loop goes on. */
const redisCluster = (...args: readonly string[]): Promise<unknown> =>
  promisify(execFile)(join(dirname(findProgram("redis-server")), "redis-cli"), ["--cluster", ...args]);

type Node = ReturnType<typeof cluster>["nodes"][number];

const masters = (): readonly Node[] => cluster().nodes.filter((node) => node.command("role").startsWith("master"));

/** The masters that the others can count on, as one that runs tells. */
const mastersBut = (gone: Node): readonly string[] => {
  const witness = cluster().nodes.find((node) => node !== gone)!;
  const lines = witness.command("cluster", "nodes").split("\n");
  return lines.filter((line) => / master /u.test(line.replace("myself,", "")) && !line.includes("fail"));
};

beforeEach(async () => {
  await vi.waitFor(() => expect(masters()).toHaveLength(3), patience);
});

/** Users who log in, refresh, look and log out until they are stopped; every answer is checked. */
const startLoad = (storage: Storage) => {
  const acknowledged = new Map<SessionId, SessionRecord>();
  const ended = new Set<SessionId>();
  const failures: unknown[] = [];
  const state = { isOver: false };
  let done = 0;
  const live = async (lane: number): Promise<void> => {
    for (let round = 0; !state.isOver; round += 1)
      try {
        const record = sessionRecord(storage, { userId: `user-${lane}-${round}` as UserId });
        await storage.createSession(record, { maxPerUser: 3 });
        acknowledged.set(record.id, record);
        const { record: rotated } = await storage.rotate(attemptOf(record));
        expect(rotated?.id).toBe(record.id);
        acknowledged.set(record.id, rotated!);
        expect((await storage.getSession(record.id))?.id).toBe(record.id);
        const expected = { factsVersion: 0, next: rotated!.next };
        const changed = await storage.changeSession(record.id, { expected, facts: '{"a":1}', announced: true });
        expect(changed).toMatchObject({ kind: "changed", record: { id: record.id, payloadVersion: 1 } });
        done += 1;
        if (round % 3 !== 0) continue;
        const revoked = await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        expect(revoked.map(({ id }) => id)).toStrictEqual([record.id]);
        ended.add(record.id);
      } catch (error) {
        failures.push(error);
      }
  };
  const lanes = Array.from({ length: 8 }, (_, lane) => live(lane));
  return {
    acknowledged,
    ended,
    failures,
    /** Resolves when so many lives more were led. */
    async goesOn(lives: number): Promise<void> {
      const start = done;
      await vi.waitFor(() => expect(done).toBeGreaterThan(start + lives), patience);
    },
    async stop(): Promise<void> {
      state.isOver = true;
      await Promise.all(lanes);
    },
  };
};

/** The sessions in a whole feed. */
const idsIn = async (
  read: (from: FeedStart) => Promise<FeedPage<SessionReference>>,
): Promise<ReadonlySet<SessionId>> => {
  const ids = new Set<SessionId>();
  for (let from: FeedStart | undefined = { at: millis(0) }; from !== undefined;) {
    const page: FeedPage<SessionReference> = await read(from);
    if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
    for (const { id } of page.items) ids.add(id);
    from = page.more ? { cursor: page.cursor } : undefined;
  }
  return ids;
};

it("fails no call and loses nothing while slots move to another node", async () => {
  const storage = await openForTest(urlOf("reshard"), {
    outbox: [{ id: "a", types: ["session_ended"] }],
  });
  await storage.migrate();
  const load = startLoad(storage);
  await load.goesOn(100);
  const [from, to] = masters();
  const [source, target] = [from!, to!].map((node) => node.command("cluster", "myid"));
  const where = `127.0.0.1:${from!.port}`;
  const how = ["--cluster-slots", "700", "--cluster-yes"];
  await redisCluster("reshard", where, "--cluster-from", source!, "--cluster-to", target!, ...how);
  await load.goesOn(100);
  await load.stop();
  expect(load.failures).toStrictEqual([]);
  for (const record of load.acknowledged.values()) {
    const row = await storage.getSession(record.id);
    expect(row).toMatchObject({ id: record.id, next: record.next, factsVersion: 1 });
    expect(row?.endReason).toBe(load.ended.has(record.id) ? "logout" : undefined);
  }
  const ended = [...load.ended].toSorted();
  expect([...(await idsIn((from) => storage.revocationsSince(from)))].toSorted()).toStrictEqual(ended);
  const changed = [...load.acknowledged.keys()].toSorted();
  expect([...(await idsIn((from) => storage.changesSince(from)))].toSorted()).toStrictEqual(changed);
  const taken = await storage.takeOutbox(10_000, millis(storage.now() + 60_000));
  expect(taken.map(({ event }) => String(event.sessionId)).toSorted()).toStrictEqual(ended);
});

it("does not wait for a row where its slot is half moved, and answers for those that need more than the row when it is done", async () => {
  const storage = await openForTest(urlOf("half"));
  await storage.migrate();
  const [here, there] = masters();
  const records = Array.from({ length: 60 }, (_, index) =>
    sessionRecord(storage, { userId: `user-${index}` as UserId }),
  );
  await storage.importSessions(records);
  const keyOf = ({ id }: SessionRecord): string => `half:{${id.slice(2, 4)}}:s:${id}`;
  const slotOf = (record: SessionRecord): string => here!.command("cluster", "keyslot", keyOf(record));
  const record = records.find((one) => here!.command("cluster", "countkeysinslot", slotOf(one)) !== "0")!;
  const slot = slotOf(record);
  const [source, target] = [here!, there!].map((node) => node.command("cluster", "myid"));
  there!.command("cluster", "setslot", slot, "importing", source!);
  here!.command("cluster", "setslot", slot, "migrating", target!);
  here!.command("migrate", "127.0.0.1", String(there!.port), keyOf(record), "0", "5000");
  expect(await storage.rotate(attemptOf(record))).toMatchObject({ minted: true, record: { id: record.id } });
  const revoked = storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
  expect(await storage.getSession(record.id)).toMatchObject({ next: 1 });
  const rest = here!.command("cluster", "getkeysinslot", slot, "100").split("\n");
  here!.command("migrate", "127.0.0.1", String(there!.port), "", "0", "5000", "KEYS", ...rest);
  for (const node of [there!, here!]) node.command("cluster", "setslot", slot, "node", target!);
  expect((await revoked).map(({ id }) => id)).toStrictEqual([record.id]);
  const { items } = await storage.listEvents({ sessionId: record.id }, { limit: 5 });
  expect(items).toMatchObject([{ count: 1, reason: "logout" }]);
});

it("goes on without a restart when a master is killed under load, and gives no wrong answer", async () => {
  const storage = await openForTest(urlOf("killed", "&timeout=10000"));
  await storage.migrate();
  const load = startLoad(storage);
  await load.goesOn(50);
  const [victim] = masters();
  await victim!.kill();
  await vi.waitFor(() => expect(mastersBut(victim!)).toHaveLength(3), patience);
  await vi.waitFor(() => storage.ping(), patience);
  await load.goesOn(100);
  await load.stop();
  for (const failure of load.failures) expect(failure).toMatchObject({ code: "unavailable" });
  // What was acknowledged and had not reached the replica is gone (docs/operate/redis.md); nothing is another's.
  for (const record of load.acknowledged.values()) {
    const row = await storage.getSession(record.id);
    if (row !== undefined) expect(row).toMatchObject({ id: record.id, userId: record.userId });
  }
  await victim!.start();
});

it("goes on without a restart when a master says nothing more", async () => {
  const storage = await openForTest(urlOf("frozen", "&timeout=1000"));
  await storage.migrate();
  const load = startLoad(storage);
  await load.goesOn(50);
  const [victim] = masters();
  victim!.freeze();
  await vi.waitFor(() => expect(mastersBut(victim!)).toHaveLength(3), patience);
  await vi.waitFor(() => storage.ping(), patience);
  await load.goesOn(100);
  victim!.thaw();
  await load.goesOn(50);
  await load.stop();
  for (const failure of load.failures) expect(failure).toMatchObject({ code: "unavailable" });
});

it("finds the cluster by one node, and refuses a database or the same as a single server", async () => {
  const [node] = cluster().nodes;
  const url = `redis://127.0.0.1:${node!.port}`;
  const storage = await openForTest(`${url}?prefix=seed&cluster=true`);
  await storage.migrate();
  const asked = await openForTest(`${url}?prefix=seed`);
  for (let user = 0; user < 20; user += 1) {
    const record = sessionRecord(storage, { userId: `user-${user}` as UserId });
    await storage.createSession(record);
    expect(await asked.getSession(record.id)).toStrictEqual(record);
  }
});
