import { type FeedCursor, millis, type SessionId, type Storage } from "@pawl/storage";
import { attemptOf, sessionRecord, signingKey, TestClock } from "@pawl/storage-conformance";
import { expect, it, onTestFinished, vi } from "vitest";
import { schemaVersion } from "../src/migrations.js";
import { openForTest, sharedServer } from "./server.js";

const { server, urlOf } = sharedServer({ appendonly: "no" });

/** Nodes on one new store, migrated unless told otherwise. */
const openNodes = async (count: number, { migrated = true }: { readonly migrated?: boolean } = {}) => {
  const prefix = crypto.randomUUID();
  const url = urlOf(prefix, "&durability=none");
  const nodes = await Promise.all(Array.from({ length: count }, () => openForTest(url)));
  if (migrated) await nodes[0]!.migrate();
  return { nodes, prefix, url };
};

const logIn = async (storage: Storage): Promise<SessionId> => {
  const record = sessionRecord(storage);
  await storage.createSession(record);
  return record.id;
};

const logOut = (storage: Storage, id: SessionId) =>
  storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });

const read = async (
  storage: Storage,
  from: Parameters<Storage["revocationsSince"]>[0],
): Promise<{ readonly ids: readonly SessionId[]; readonly cursor: FeedCursor }> => {
  const page = await storage.revocationsSince(from);
  if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
  return { ids: page.items.map(({ id }) => id), cursor: page.cursor };
};

it("migrates once, and makes one first key, however many nodes start together", async () => {
  const { nodes, prefix } = await openNodes(8, { migrated: false });
  const epoch = (): string => server().command("hget", `${prefix}:{m}:schema`, "epoch");
  await Promise.all(nodes.map((node) => node.migrate()));
  const made = epoch();
  expect(made).toMatch(/^\d{12}$/u);
  expect(server().command("hget", `${prefix}:{m}:schema`, `version:${schemaVersion}`)).toBe(String(schemaVersion));
  await Promise.all(nodes.map((node) => node.migrate()));
  expect(epoch()).toBe(made);
  const clock = new TestClock();
  const keys = nodes.map((node, index) => node.addSigningKey(signingKey(clock, { kid: `d-${index}` }), undefined));
  expect((await Promise.all(keys)).filter(Boolean)).toHaveLength(1);
  const newest = (await nodes[0]!.getSigningKeys()).at(-1)?.kid;
  const rotated = nodes.map((node, index) => {
    const key = signingKey(clock, { kid: `d-1${index}`, createdAt: millis(clock.now() + 1) });
    return node.addSigningKey(key, newest);
  });
  expect((await Promise.all(rotated)).filter(Boolean)).toHaveLength(1);
  expect(await nodes[0]!.getSigningKeys()).toHaveLength(2);
});

it("works on a schema that a newer release can share, and refuses one that it cannot", async () => {
  const { nodes, prefix, url } = await openNodes(1);
  server().command("hset", `${prefix}:{m}:schema`, "version:7", String(schemaVersion));
  await logIn(await openForTest(url));
  await nodes[0]!.migrate();
  server().command("hset", `${prefix}:{m}:schema`, "version:8", String(schemaVersion + 1));
  await expect(openForTest(url)).rejects.toMatchObject({ code: "newer_schema" });
});

it("CVE-2026-1035: mints once when a token arrives twenty times at once on two nodes", async () => {
  const { nodes } = await openNodes(2);
  for (let round = 0; round < 200; round += 1) {
    const record = sessionRecord(nodes[0]!);
    await nodes[0]!.createSession(record);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => nodes[index % 2]!.rotate(attemptOf(record))),
    );
    expect(results.filter(({ minted }) => minted)).toHaveLength(1);
    for (const result of results) expect(result.record).toMatchObject({ id: record.id, current: 0, next: 1 });
  }
});

it("keeps the session limit exact under a hundred logins at once", async () => {
  const { nodes } = await openNodes(4);
  const ended = await Promise.all(
    Array.from({ length: 100 }, (_, index) => {
      const node = nodes[index % 4]!;
      return node.createSession(sessionRecord(node), { maxPerUser: 5 });
    }),
  );
  expect(ended.flat()).toHaveLength(95);
  expect((await nodes[0]!.listSessions({}, { limit: 100 })).items).toHaveLength(5);
});

it("wakes every node within a second of a revocation on another", async () => {
  const { nodes } = await openNodes(3);
  const [writer, ...readers] = nodes as [Storage, ...Storage[]];
  const seen = readers.map(() => new Set<SessionId>());
  const waits: number[] = [];
  for (const [index, reader] of readers.entries()) {
    let from: Parameters<Storage["revocationsSince"]>[0] = { at: millis(0) };
    onTestFinished(
      reader.watchFeeds(() => {
        void (async () => {
          const { ids, cursor } = await read(reader, from);
          from = { cursor };
          for (const id of ids) seen[index]!.add(id);
        })();
      }),
    );
  }
  for (let round = 0; round < 30; round += 1) {
    const id = await logIn(writer);
    const start = performance.now();
    await logOut(writer, id);
    await vi.waitFor(() => expect(seen.every((ids) => ids.has(id))).toBe(true), { timeout: 10_000, interval: 2 });
    waits.push(performance.now() - start);
  }
  expect(Math.max(...waits)).toBeLessThan(1000);
});

it("catches up without a gap when the feed was cut", async () => {
  const { nodes } = await openNodes(2);
  const [writer, reader] = nodes as [Storage, Storage];
  const { cursor } = await read(reader, { at: millis(0) });
  const known = new Set<SessionId>();
  let from = cursor;
  const stop = reader.watchFeeds(() => {
    void (async () => {
      const page = await read(reader, { cursor: from });
      from = page.cursor;
      for (const id of page.ids) known.add(id);
    })().catch(() => undefined);
  });
  onTestFinished(stop);
  const ids: SessionId[] = [];
  for (let round = 0; round < 20; round += 1) {
    if (round % 4 === 1) server().command("client", "kill", "type", round % 8 === 1 ? "pubsub" : "normal");
    const id = await vi.waitFor(() => logIn(writer), { timeout: 10_000, interval: 10 });
    await vi.waitFor(() => logOut(writer, id), { timeout: 10_000, interval: 10 });
    ids.push(id);
  }
  await vi.waitFor(() => expect([...known].toSorted()).toStrictEqual(ids.toSorted()), { timeout: 20_000 });
});

it("gives what came when a failover lost the end of the feed, also where others stand in its place", async () => {
  const prefix = crypto.randomUUID();
  const clock = new TestClock();
  const storage = await openForTest(urlOf(prefix, "&durability=none"), { clock });
  await storage.migrate();
  const tag = `${prefix}:{${(await logIn(storage)).slice(2, 4)}}:`;
  const logInAndOut = async (): Promise<SessionId> => {
    const id = await logIn(storage);
    await logOut(storage, id);
    return id;
  };
  const start = (await read(storage, { at: millis(0) })).cursor;
  const kept = await logInAndOut();
  server().command("copy", `${tag}feed`, `${tag}replica`);
  clock.advance(5000);
  const lost = await logInAndOut();
  const before = await read(storage, { cursor: start });
  expect(before.ids).toStrictEqual([kept, lost]);
  // The replica that takes over had not received it, and its clock is behind.
  server().command("copy", `${tag}replica`, `${tag}feed`, "replace");
  clock.advance(-4000);
  const next = await logInAndOut();
  const after = await read(storage, { cursor: before.cursor });
  expect(after.ids).toContain(next);
  clock.advance(-100_000);
  const behind = await logInAndOut();
  expect((await read(storage, { cursor: after.cursor })).ids).toStrictEqual([behind]);
  server().command("del", `${tag}feed`);
  const last = await logInAndOut();
  expect((await read(storage, { cursor: after.cursor })).ids).toStrictEqual([last]);
});

it("gives a long feed in pages that follow each other in time", async () => {
  const prefix = crypto.randomUUID();
  const clock = new TestClock();
  const storage = await openForTest(urlOf(prefix, "&durability=none"), { clock });
  await storage.migrate();
  const times = new Map<SessionId, number>();
  for (let round = 0; round < 350; round += 1) {
    clock.advance(round % 50 === 0 ? -20 : 7);
    const id = await logIn(storage);
    await logOut(storage, id);
    times.set(id, clock.now());
  }
  const seen: SessionId[] = [];
  let pages = 0;
  for (let from: Parameters<Storage["revocationsSince"]>[0] = { at: millis(0) }, more = true; more; pages += 1) {
    const page = await storage.revocationsSince(from);
    if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
    seen.push(...page.items.map(({ id }) => id));
    ({ more } = page);
    from = { cursor: page.cursor };
  }
  expect(pages).toBeGreaterThan(2);
  expect(seen).toHaveLength(350);
  expect(new Set(seen)).toStrictEqual(new Set(times.keys()));
});

it("decides by the server's clock, on nodes whose own are five minutes off", async () => {
  const { nodes, url } = await openNodes(1);
  const right = nodes[0]!;
  onTestFinished(() => void vi.useRealTimers());
  for (const skew of [-300_000, 300_000]) {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + skew });
    const wrong = await openForTest(url);
    expect(Math.abs(wrong.now() - right.now())).toBeLessThan(2000);
    const login = sessionRecord(wrong);
    await wrong.createSession(login);
    const first = await wrong.rotate(attemptOf(login));
    expect(first.minted).toBe(true);
    expect(Math.abs(first.record!.issuedAt - right.now())).toBeLessThan(2000);
    expect(await wrong.rotate(attemptOf(first.record!))).toMatchObject({ minted: false });
    expect((await wrong.listSessions({}, { limit: 9 })).items.map(({ id }) => id)).toContain(login.id);
    vi.useRealTimers();
  }
});
