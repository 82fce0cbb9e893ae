import {
  type FeedPage,
  type FeedStart,
  millis,
  PUBLIC_TENANT,
  type SessionId,
  type SessionReference,
  type Storage,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { attemptOf, sessionRecord, signingKey, TestClock } from "@pawl/storage-conformance";
import { createConnection } from "mysql2/promise";
import { expect, it, onTestFinished, vi } from "vitest";
import { migrations } from "../src/migrations.js";
import { fleeting, openForTest, sharedServer } from "./server.js";

const { server, urlOf, query } = sharedServer(fleeting);

/** Nodes on one new store, migrated unless told otherwise. */
const openNodes = async (
  count: number,
  { migrated = true }: { readonly migrated?: boolean } = {},
): Promise<{ readonly nodes: readonly Storage[]; readonly database: string }> => {
  const database = crypto.randomUUID();
  const url = await urlOf(database, "?durability=relaxed");
  const nodes = await Promise.all(Array.from({ length: count }, () => openForTest(url)));
  if (migrated) await nodes[0]!.migrate();
  return { nodes, database };
};

const logIn = async (storage: Storage): Promise<SessionId> => {
  const record = sessionRecord(storage);
  await storage.createSession(record);
  return record.id;
};

const logOut = (storage: Storage, id: SessionId) =>
  storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });

it("migrates once, and makes one first key, however many nodes start together", async () => {
  const { nodes, database } = await openNodes(8, { migrated: false });
  await Promise.all(nodes.map((node) => node.migrate()));
  expect(await query("SELECT version FROM schema_versions", database)).toStrictEqual(
    migrations.map(({ version }) => ({ version })),
  );
  expect(await query("SELECT COUNT(*) AS count FROM feed", database)).toStrictEqual([{ count: 1 }]);
  const clock = new TestClock();
  const keys = nodes.map((node, index) => node.addSigningKey(signingKey(clock, { kid: `d-${index}` }), undefined));
  expect((await Promise.all(keys)).filter(Boolean)).toHaveLength(1);
  // All have read the same newest key before one of them adds the next.
  const newest = (await nodes[0]!.getSigningKeys()).at(-1)?.kid;
  const createdAt = millis(clock.now() + 1);
  const rotated = nodes.map((node, index) =>
    node.addSigningKey(signingKey(clock, { kid: `d-1${index}`, createdAt }), newest),
  );
  expect((await Promise.all(rotated)).filter(Boolean)).toHaveLength(1);
  expect(await nodes[0]!.getSigningKeys()).toHaveLength(2);
});

it("works on a schema that a newer release can share, and refuses one that it cannot", async () => {
  const { nodes, database } = await openNodes(1);
  const newest = migrations.at(-1)!.version;
  await query(`INSERT INTO schema_versions VALUES (7, ${newest}, UTC_TIMESTAMP())`, database);
  await logIn(await openForTest(await urlOf(database, "?durability=relaxed")));
  await nodes[0]!.migrate();
  await query(`INSERT INTO schema_versions VALUES (8, ${newest + 1}, UTC_TIMESTAMP())`, database);
  await expect(openForTest(await urlOf(database, "?durability=relaxed"))).rejects.toMatchObject({
    code: "newer_schema",
  });
});

it("CVE-2026-1035: mints once when a token arrives twenty times at once on two nodes", async () => {
  const { nodes } = await openNodes(2);
  for (let round = 0; round < 100; round += 1) {
    const record = sessionRecord(nodes[0]!);
    await nodes[0]!.createSession(record);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => nodes[index % 2]!.rotate(attemptOf(record))),
    );
    expect(results.filter(({ minted }) => minted)).toHaveLength(1);
    for (const result of results) expect(result.record).toMatchObject({ id: record.id, current: 0, next: 1 });
  }
});

it("mints for each of many attempts on one session, in turn, where there is no window", async () => {
  const { nodes } = await openNodes(1);
  const record = sessionRecord(nodes[0]!);
  await nodes[0]!.createSession(record);
  const attempt = attemptOf(record, { window: millis(0) });
  const results = await Promise.all(Array.from({ length: 5 }, () => nodes[0]!.rotate(attempt)));
  expect(results.map((result) => [result.minted, result.record?.current, result.record?.next])).toStrictEqual([
    [true, 0, 1],
    [true, 0, 2],
    [true, 0, 3],
    [true, 0, 4],
    [true, 0, 5],
  ]);
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

it("shares a sweep without double work", async () => {
  const { nodes } = await openNodes(4);
  const now = nodes[0]!.now();
  await nodes[0]!.importSessions(
    Array.from({ length: 400 }, (_, index) => sessionRecord({ now: () => now }, { expiresAt: millis(now - index) })),
  );
  const deleted = await Promise.all(nodes.map((node) => node.deleteExpired(now, 150)));
  expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(400);
  const { items } = await nodes[0]!.listEvents({}, { limit: 500 });
  expect(items).toHaveLength(400);
  expect(new Set(items.map(({ count }) => count))).toStrictEqual(new Set([1]));
});

/** A feed, what appends a line about a session to it, and its table. */
interface Feed {
  readonly append: (storage: Storage, id: SessionId) => Promise<unknown>;
  readonly read: (storage: Storage, from: FeedStart) => Promise<FeedPage<SessionReference>>;
  readonly table: string;
  /** A column of its own, and a value of it. */
  readonly column: string;
  readonly value: string;
}

const feeds: readonly (readonly [string, Feed])[] = [
  [
    "of revocations",
    {
      append: logOut,
      read: (storage, from) => storage.revocationsSince(from),
      table: "revocations",
      column: "reason",
      value: "'logout'",
    },
  ],
  [
    "of changes",
    {
      append: (storage, id) => storage.changeSession(id, { announced: true }),
      read: (storage, from) => storage.changesSince(from),
      table: "changes",
      column: "payload_version",
      value: "1",
    },
  ],
];

const read = async (feed: Feed, storage: Storage, from: FeedStart) => {
  const page = await feed.read(storage, from);
  if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
  return { cursor: page.cursor, ids: page.items.map(({ id }) => id as string) };
};

const start = { at: millis(0) };

it.each(feeds)("gives a reader %s also what commits later with a lower number, and wakes for it", async (_, feed) => {
  const { nodes, database } = await openNodes(2);
  const [writer, reader] = [nodes[0]!, nodes[1]!];
  const { cursor } = await read(feed, reader, start);
  const { host, port } = server();
  const slow = await createConnection({ host, port, user: "root", database });
  onTestFinished(() => slow.destroy());
  await slow.query("START TRANSACTION");
  await slow.query(`INSERT INTO ${feed.table} (id, tenant_id, user_id, at, ${feed.column}, written_at)
    VALUES ('slow', 'public', 'alice', 1, ${feed.value}, 8640000000000000)`);
  const id = await logIn(writer);
  await feed.append(writer, id);
  let wakes = 0;
  const stop = reader.watchFeeds(() => {
    wakes += 1;
  });
  onTestFinished(stop);
  const early = await read(feed, reader, { cursor });
  expect(early.ids).toStrictEqual([id]);
  await vi.waitFor(() => expect(wakes).toBe(1), { timeout: 10_000 });
  await slow.query("COMMIT");
  await vi.waitFor(() => expect(wakes).toBe(2), { timeout: 10_000 });
  const late = await read(feed, reader, { cursor: early.cursor });
  expect(late.ids).toStrictEqual(["slow", id]);
  expect((await read(feed, reader, { cursor: late.cursor })).ids).toStrictEqual([]);
});

it.each(feeds)("passes a number %s that will never come once no transaction can still have it", async (_, feed) => {
  const { nodes, database } = await openNodes(1);
  const storage = nodes[0]!;
  const [id, next] = [await logIn(storage), await logIn(storage)];
  await feed.append(storage, id);
  await query(`ALTER TABLE ${feed.table} AUTO_INCREMENT = 100`, database);
  await feed.append(storage, next);
  const first = await read(feed, storage, start);
  expect(first.ids).toStrictEqual([id, next]);
  expect((await read(feed, storage, { cursor: first.cursor })).ids).toStrictEqual([next]);
  await query(`UPDATE ${feed.table} SET written_at = written_at - 120000`, database);
  const second = await read(feed, storage, { cursor: first.cursor });
  expect(second.ids).toStrictEqual([next]);
  expect((await read(feed, storage, { cursor: second.cursor })).ids).toStrictEqual([]);
});

it("keeps what was deleted of one feed apart from the other", async () => {
  const { nodes } = await openNodes(1);
  const storage = nodes[0]!;
  const [first, second, third] = [await logIn(storage), await logIn(storage), await logIn(storage)];
  for (const id of [first, second]) await logOut(storage, id);
  await storage.changeSession(third, { announced: true });
  expect(await storage.deleteRevocations(millis(storage.now() + 60_000), 10)).toBe(2);
  expect(await storage.changesSince(start)).toMatchObject({ items: [{ id: third }] });
});

it("does not know the cursor of a store that was restored", async () => {
  const { nodes, database } = await openNodes(1);
  await logOut(nodes[0]!, await logIn(nodes[0]!));
  const page = await nodes[0]!.revocationsSince(start);
  await query("DELETE FROM revocations", database);
  await query("ALTER TABLE revocations AUTO_INCREMENT = 1", database);
  const from = { cursor: page.kind === "page" ? page.cursor : "" };
  expect(await nodes[0]!.revocationsSince(from)).toStrictEqual({ kind: "unknown_cursor" });
  await logOut(nodes[0]!, await logIn(nodes[0]!));
  expect(await nodes[0]!.revocationsSince(from)).toStrictEqual({ kind: "unknown_cursor" });
});

it("decides by the server's clock, on nodes whose own are five minutes off", async () => {
  const { nodes } = await openNodes(1);
  const right = nodes[0]!;
  const record = sessionRecord(right);
  await right.createSession(record);
  onTestFinished(() => void vi.useRealTimers());
  const url = await urlOf("clocks", "?durability=relaxed");
  await (await openForTest(url)).migrate();
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

it("works the same on a table partitioned by bucket", async () => {
  const { nodes, database } = await openNodes(2);
  await query("ALTER TABLE sessions PARTITION BY HASH (bucket) PARTITIONS 8", database);
  const records = Array.from({ length: 64 }, () => sessionRecord(nodes[0]!));
  await Promise.all(records.map((record, index) => nodes[index % 2]!.createSession(record)));
  const rotated = await Promise.all(records.map((record) => nodes[1]!.rotate(attemptOf(record))));
  expect(rotated.map(({ record }) => record?.id)).toStrictEqual(records.map(({ id }) => id));
  const { items } = await nodes[0]!.listSessions({ userId: "alice" as UserId }, { limit: 100 });
  expect(items.map(({ id }) => id)).toStrictEqual(records.map(({ id }) => id).toSorted());
  const user = { kind: "user", tenantId: PUBLIC_TENANT, userId: "alice" as UserId } as const;
  expect(await nodes[1]!.revokeSessions(user, { reason: "revoked" })).toHaveLength(64);
});

it("CVE-2026-90997: is told the rows that were found, not those that were changed", async () => {
  const { nodes, database } = await openNodes(1);
  const id = await logIn(nodes[0]!);
  for (const payloadVersion of [1, 2])
    expect(await nodes[0]!.changeSession(id, { payload: "{}", data: "{}" })).toMatchObject({
      kind: "changed",
      record: { payloadVersion },
    });
  const key = signingKey(new TestClock());
  await nodes[0]!.addSigningKey(key, undefined);
  const { kid, sealedPrivateKey: sealed } = key;
  expect(await nodes[0]!.resealSigningKey(kid, sealed, sealed)).toBe(true);
  const [{ data } = {}] = await query("SELECT data FROM sessions", database);
  expect(String(data)).toBe("{}");
});

it("ends a tenant of a thousand sessions and no session of another, in one step", async () => {
  const { nodes } = await openNodes(1);
  const now = nodes[0]!.now();
  const tenant = (name: string) => (_: unknown, index: number) =>
    sessionRecord({ now: () => now }, { tenantId: name as TenantId, userId: `user-${index}` as UserId });
  await nodes[0]!.importSessions(Array.from({ length: 1000 }, tenant("one")));
  await nodes[0]!.importSessions(Array.from({ length: 10 }, tenant("two")));
  const ended = await nodes[0]!.revokeSessions({ kind: "tenant", tenantId: "one" as TenantId }, { reason: "erased" });
  expect(ended).toHaveLength(1000);
  expect((await nodes[0]!.listSessions({}, { limit: 100 })).items).toHaveLength(10);
});
