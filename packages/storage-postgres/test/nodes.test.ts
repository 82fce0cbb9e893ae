import {
  bucketOf,
  type EventRecord,
  millis,
  PUBLIC_TENANT,
  type SessionId,
  type SessionRecord,
  type Storage,
  type UserId,
} from "@pawl/storage";
import { attemptOf, sessionRecord, signingKey, TestClock } from "@pawl/storage-conformance";
import { expect, it, onTestFinished, vi } from "vitest";
import { migrations, schemaVersion } from "../src/migrations.js";
import { connectTo, openForTest, schemaOf, startServer, urlOf } from "./server.js";

const server = await startServer();

/** Nodes on one new store, migrated unless told otherwise. */
const openNodes = async (
  count: number,
  { migrated = true, options = "" }: { readonly migrated?: boolean; readonly options?: string } = {},
): Promise<{ readonly nodes: readonly Storage[]; readonly schema: string; readonly url: string }> => {
  const location = crypto.randomUUID();
  const url = urlOf(server, location, options);
  const nodes = await Promise.all(Array.from({ length: count }, () => openForTest(url)));
  if (migrated) await nodes[0]!.migrate();
  return { nodes, schema: schemaOf(location), url };
};

const logIn = async (storage: Storage, parts: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
  const record = sessionRecord(storage, parts);
  await storage.createSession(record);
  return record;
};

it("migrates once, and makes and rotates one key, however many nodes start together", async () => {
  const { nodes, schema } = await openNodes(10, { migrated: false });
  await Promise.all(nodes.map((node) => node.migrate()));
  expect(server.sql(`SELECT count(*), max(version), max(readable_by) FROM ${schema}.schema_versions`)).toBe(
    `${migrations.length}|${schemaVersion}|${schemaVersion}`,
  );
  const clock = new TestClock();
  const keys = nodes.map((node, index) => node.addSigningKey(signingKey(clock, { kid: `d-${index}` }), undefined));
  expect((await Promise.all(keys)).filter(Boolean)).toHaveLength(1);
  clock.advance(1);
  // All have read the same newest key before one of them adds the next.
  const newest = (await nodes[0]!.getSigningKeys()).at(-1)?.kid;
  const rotated = nodes.map((node, index) => node.addSigningKey(signingKey(clock, { kid: `d-1${index}` }), newest));
  expect((await Promise.all(rotated)).filter(Boolean)).toHaveLength(1);
  expect(await nodes[0]!.getSigningKeys()).toHaveLength(2);
});

it("CVE-2026-1035: mints once when a token arrives twenty times at once on two nodes", async () => {
  const { nodes } = await openNodes(2);
  for (let round = 0; round < 100; round += 1) {
    const record = await logIn(nodes[0]!);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => nodes[index % 2]!.rotate(attemptOf(record))),
    );
    expect(results.filter(({ minted }) => minted)).toHaveLength(1);
    // Also whoever lost is told what stands now, not what stood before.
    for (const result of results) expect(result.record).toMatchObject({ id: record.id, current: 0, next: 1 });
  }
});

it("tells a node that lost to another in mid-statement the row as it stands", async () => {
  const { nodes, schema } = await openNodes(1);
  const [first, second] = [await logIn(nodes[0]!), await logIn(nodes[0]!)];
  const other = await connectTo(server);
  await other.query("BEGIN");
  const mint = `UPDATE ${schema}.sessions SET next = 1, issued_at = $2 WHERE id = $1`;
  for (const { id } of [first, second]) await other.query(mint, [id, nodes[0]!.now()]);
  const alone = nodes[0]!.rotate(attemptOf(first));
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}%'`;
  await vi.waitFor(() => expect(server.sql(waiting)).toBe("1"));
  const uses = nodes[0]!.reportUses([{ id: second.id, seq: 1, iat: millis(0) }], {
    window: millis(0),
    activityInterval: millis(60_000),
  });
  await vi.waitFor(() => expect(server.sql(waiting)).toBe("1"));
  await other.query("COMMIT");
  expect(await alone).toMatchObject({ minted: false, record: { id: first.id, next: 1 } });
  expect(await uses).toMatchObject([{ id: second.id, next: 1 }]);
});

it("tells a change that lost to another in mid-statement the row as it stands, or that there is none", async () => {
  const { nodes, schema } = await openNodes(1);
  const [changed, ended] = [await logIn(nodes[0]!), await logIn(nodes[0]!)];
  const other = await connectTo(server);
  await other.query("BEGIN");
  await other.query(`UPDATE ${schema}.sessions SET facts_version = 1 WHERE id = $1`, [changed.id]);
  await other.query(`UPDATE ${schema}.sessions SET ended_at = 1, end_reason = 'logout' WHERE id = $1`, [ended.id]);
  const events: readonly EventRecord[] = [{ key: "change", at: nodes[0]!.now(), type: "admin", count: 1 }];
  const change = { facts: "{}", expected: { factsVersion: 0 }, announced: true, events };
  const [late, gone] = [changed, ended].map(({ id }) => nodes[0]!.changeSession(id, change));
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}%'`;
  await vi.waitFor(() => expect(server.sql(waiting)).toBe("2"));
  await other.query("COMMIT");
  expect(await late).toMatchObject({ kind: "conflict", record: { id: changed.id, factsVersion: 1 } });
  expect(await gone).toStrictEqual({ kind: "absent" });
  expect(await nodes[0]!.changesSince({ at: millis(0) })).toMatchObject({ items: [] });
  expect((await nodes[0]!.listEvents({}, { limit: 1 })).items).toStrictEqual([]);
});

it("mints for each of many attempts on one session, in turn, where there is no window", async () => {
  const { nodes } = await openNodes(1);
  const record = await logIn(nodes[0]!);
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

it("keeps the session limit under a hundred logins at once on four nodes", async () => {
  const { nodes } = await openNodes(4, { options: "&pool=20" });
  const ended = await Promise.all(
    Array.from({ length: 100 }, (_, index) => {
      const node = nodes[index % 4]!;
      return node.createSession(sessionRecord(node), { maxPerUser: 5 });
    }),
  );
  expect((await nodes[0]!.listSessions({}, { limit: 100 })).items).toHaveLength(5);
  expect(new Set(ended.flat().map(({ id }) => id)).size).toBe(95);
});

it("never deadlocks between batches of rotations, ends of users and sweeps", async () => {
  const { nodes } = await openNodes(3);
  const users = ["alice", "bob", "carol"].map((name) => name as UserId);
  const deadlocks = (): number =>
    Number(server.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"));
  const before = deadlocks();
  for (let round = 0; round < 5; round += 1) {
    const records = await Promise.all(
      Array.from({ length: 60 }, (_, index) => logIn(nodes[index % 3]!, { userId: users[index % 3]! })),
    );
    await Promise.all([
      ...records.flatMap((record) => nodes.map((node) => node.rotate(attemptOf(record)))),
      ...users.flatMap((userId) =>
        nodes.map((node) =>
          node.revokeSessions({ kind: "user", tenantId: PUBLIC_TENANT, userId }, { reason: "logout" }),
        ),
      ),
      ...nodes.map((node) => node.deleteExpired(node.now(), 10)),
    ]);
  }
  expect(deadlocks()).toBe(before);
});

it("decides by the server's clock, on nodes whose own are five minutes off", async () => {
  const { nodes, url } = await openNodes(1);
  const right = nodes[0]!;
  onTestFinished(() => void vi.useRealTimers());
  for (const skew of [-300_000, 300_000]) {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + skew });
    const wrong = await openForTest(url);
    expect(Math.abs(wrong.now() - right.now())).toBeLessThan(2000);
    const login = await logIn(wrong);
    const first = await wrong.rotate(attemptOf(login));
    expect(first.minted).toBe(true);
    expect(Math.abs(first.record!.issuedAt - right.now())).toBeLessThan(2000);
    // Fresh on every node, whatever its own clock says.
    expect(await wrong.rotate(attemptOf(first.record!))).toMatchObject({ minted: false });
    expect(await right.rotate(attemptOf(first.record!))).toMatchObject({ minted: false });
    vi.useRealTimers();
  }
});

it("gives ids of another form a place too, and finds them by it", async () => {
  const { nodes, schema } = await openNodes(1);
  const record = await logIn(nodes[0]!);
  const strange = await logIn(nodes[0]!, { id: "Ünlike any of ours" as SessionId });
  const buckets = server.sql(`SELECT bucket FROM ${schema}.sessions ORDER BY bucket`).split("\n").map(Number);
  expect(buckets).toStrictEqual([0, bucketOf(record.id)]);
  expect(await nodes[0]!.getSession(strange.id)).toStrictEqual(strange);
});

it("divides the table into as many partitions as were asked for, and only when it makes it", async () => {
  const { nodes, schema, url } = await openNodes(2, { options: "&partitions=8" });
  const parts = `SELECT count(*) FROM pg_inherits WHERE inhparent = '${schema}.sessions'::regclass`;
  expect(server.sql(parts)).toBe("8");
  const later = await openForTest(url.replace("partitions=8", "partitions=4"));
  await later.migrate();
  expect(server.sql(parts)).toBe("8");
  const records = await Promise.all(
    Array.from({ length: 64 }, (_, index) => logIn(nodes[index % 2]!, { userId: `user-${index}` as UserId })),
  );
  const used = Array.from({ length: 8 }, (_, part) =>
    server.sql(`SELECT count(*) > 0 FROM ${schema}.sessions_${part}`),
  );
  expect(used.filter((each) => each === "t").length).toBeGreaterThan(4);
  const rotated = await Promise.all(records.map((record) => later.rotate(attemptOf(record))));
  expect(rotated.map(({ minted, record }) => [minted, record?.id])).toStrictEqual(records.map(({ id }) => [true, id]));
});
