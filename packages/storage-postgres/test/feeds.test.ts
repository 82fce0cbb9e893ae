import {
  type FeedPage,
  type FeedStart,
  millis,
  type SessionId,
  type SessionReference,
  type Storage,
} from "@pawl/storage";
import { sessionRecord } from "@pawl/storage-conformance";
import { startPgBouncer } from "@pawl/test-servers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectTo, openForTest, schemaOf, startServer, urlOf } from "./server.js";

const server = await startServer();

/** A feed, what appends a line to it, and its table with a line of a transaction that is kept open. */
interface Feed {
  readonly append: (storage: Storage) => Promise<SessionId>;
  readonly read: (storage: Storage, from: FeedStart) => Promise<FeedPage<SessionReference>>;
  readonly table: string;
  readonly columns: string;
  readonly values: string;
}

const revocations: Feed = {
  append: async (storage) => {
    const record = sessionRecord(storage);
    await storage.createSession(record);
    await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
    return record.id;
  },
  read: (storage, from) => storage.revocationsSince(from),
  table: "revocations",
  columns: "tenant_id, user_id, reason, session_id, at",
  values: "'public', 'alice', 'logout'",
};

const changes: Feed = {
  append: async (storage) => {
    const record = sessionRecord(storage);
    await storage.createSession(record);
    await storage.changeSession(record.id, { announced: true });
    return record.id;
  },
  read: (storage, from) => storage.changesSince(from),
  table: "changes",
  columns: "tenant_id, user_id, payload_version, session_id, at",
  values: "'public', 'alice', 1",
};

const feeds = [
  ["of revocations", revocations],
  ["of changes", changes],
] as const;

const read = async (feed: Feed, storage: Storage, from: FeedStart) => {
  const page = await feed.read(storage, from);
  if (page.kind === "unknown_cursor") throw new Error("the cursor is unknown");
  return { ids: page.items.map(({ id }) => id as string), cursor: page.cursor, more: page.more };
};

const start = { at: millis(0) };

/** Follows a feed as a verifier does: reads on from its cursor whenever it is woken. */
const follow = async (
  feed: Feed,
  storage: Storage,
): Promise<{ readonly seen: string[]; readonly stop: () => void }> => {
  const seen: string[] = [];
  let { cursor } = await read(feed, storage, start);
  let reading = Promise.resolve();
  const stop = storage.watchFeeds(() => {
    reading = reading
      .then(async () => {
        const page = await read(feed, storage, { cursor });
        seen.push(...page.ids);
        ({ cursor } = page);
      })
      .catch(() => undefined);
  });
  onTestFinished(stop);
  return { seen, stop };
};

const listening = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'";

describe.each([
  ["listening", "", server],
  ["polling behind a pooler", "&prepare=false", undefined],
] as const)("%s", async (_, options, direct) => {
  const way = direct ?? (await startPgBouncer(server));
  const openNodes = async () => {
    const location = crypto.randomUUID();
    const nodes = [await openForTest(urlOf(way, location, options)), await openForTest(urlOf(way, location, options))];
    await nodes[0]!.migrate();
    return { writer: nodes[0]!, reader: nodes[1]!, schema: schemaOf(location) };
  };

  it.each(feeds)("hears of every line %s of another node, once", async (__, feed) => {
    const { writer, reader } = await openNodes();
    const { seen } = await follow(feed, reader);
    const appended: string[] = [];
    for (let round = 0; round < 20; round += 1) appended.push(await feed.append(writer));
    await vi.waitFor(() => expect(seen).toHaveLength(20), { timeout: 10_000 });
    expect(seen).toStrictEqual(appended);
  });

  it.each(feeds)("gives a reader %s also what commits later with a lower number, and wakes it", async (__, feed) => {
    const { writer, reader, schema } = await openNodes();
    const slow = await connectTo(server);
    await slow.query("BEGIN");
    await slow.query(`INSERT INTO ${schema}.${feed.table} (${feed.columns}) VALUES (${feed.values}, 'slow', 1)`);
    await slow.query(`SELECT pg_notify('${schema}_feeds', '')`);
    const { seen } = await follow(feed, reader);
    const id = await feed.append(writer);
    await vi.waitFor(() => expect(seen).toStrictEqual([id]), { timeout: 10_000 });
    await slow.query("COMMIT");
    await vi.waitFor(() => expect(seen).toStrictEqual([id, "slow"]), { timeout: 10_000 });
  });
});

it("catches up without a gap after the connection that listens was cut, again and again", async () => {
  const location = crypto.randomUUID();
  const writer = await openForTest(urlOf(server, location));
  await writer.migrate();
  const reader = await openForTest(urlOf(server, location));
  const { seen } = await follow(revocations, reader);
  const revoked: string[] = [];
  for (let cut = 0; cut < 3; cut += 1) {
    await vi.waitFor(() => expect(server.sql(`SELECT count(*) > 0 ${listening}`)).toBe("t"), { timeout: 10_000 });
    server.sql(`SELECT pg_terminate_backend(pid) ${listening}`);
    for (let round = 0; round < 5; round += 1) revoked.push(await revocations.append(writer));
    await vi.waitFor(() => expect(seen).toHaveLength(revoked.length), { timeout: 10_000 });
  }
  expect(seen).toStrictEqual(revoked);
});

it("listens where it is told while its calls go through a pooler, and at once", async () => {
  const pooler = await startPgBouncer(server);
  onTestFinished(() => pooler.stop());
  const location = crypto.randomUUID();
  const options = `&prepare=false&listen_url=${encodeURIComponent(server.url)}`;
  const storage = await openForTest(urlOf(pooler, location, options));
  await storage.migrate();
  const { seen, stop } = await follow(revocations, storage);
  await vi.waitFor(() => expect(server.sql(`SELECT count(*) ${listening}`)).toBe("1"), { timeout: 10_000 });
  const id = await revocations.append(storage);
  await vi.waitFor(() => expect(seen).toStrictEqual([id]), { timeout: 10_000 });
  stop();
  await vi.waitFor(() => expect(server.sql(`SELECT count(*) ${listening}`)).toBe("0"), { timeout: 10_000 });
});

it.each(feeds)("loses nothing %s when a page is cut while others commit, and keeps cursors short", async (_, feed) => {
  const location = crypto.randomUUID();
  const storage = await openForTest(urlOf(server, location));
  await storage.migrate();
  const { cursor } = await read(feed, storage, start);
  const schema = schemaOf(location);
  const fill = (from: number, to: number): string =>
    `INSERT INTO ${schema}.${feed.table} (${feed.columns})
      SELECT ${feed.values}, 'id-' || n, n FROM generate_series(${from}, ${to}) AS n`;
  const slow = await connectTo(server);
  await slow.query("BEGIN");
  await slow.query(fill(1, 10));
  server.sql(fill(11, 25_000));
  for (const from of [{ cursor }, start]) {
    const seen = new Set<string>();
    let page = await read(feed, storage, from);
    for (let pages = 0; ; pages += 1) {
      expect(page.cursor).toMatch(/^[\x21-\x7e]{1,1024}$/u);
      for (const id of page.ids) seen.add(id);
      if (from === start && pages === 0) await slow.query("COMMIT");
      if (!page.more) break;
      page = await read(feed, storage, { cursor: page.cursor });
    }
    for (const id of (await read(feed, storage, { cursor: page.cursor })).ids) seen.add(id);
    expect(seen.size).toBe(from === start ? 25_000 : 24_990);
  }
});

it("keeps a cursor short while hundreds of transactions are under way, and gives twice rather than never", async () => {
  const location = crypto.randomUUID();
  const storage = await openForTest(urlOf(server, location));
  await storage.migrate();
  const others = await Promise.all(Array.from({ length: 60 }, () => connectTo(server)));
  for (const other of others) await other.query("BEGIN; SELECT pg_current_xact_id()");
  // Each second one ends, so that what is under way is no single range.
  await Promise.all(others.filter((_, index) => index % 2 === 0).map((other) => other.query("COMMIT")));
  const id = await revocations.append(storage);
  const first = await read(revocations, storage, start);
  expect(first.ids).toStrictEqual([id]);
  expect(first.cursor.length).toBeLessThan(1024);
  const next = await revocations.append(storage);
  expect((await read(revocations, storage, { cursor: first.cursor })).ids).toContain(next);
  await Promise.all(others.map((other) => other.query("COMMIT")));
  expect((await read(revocations, storage, { cursor: first.cursor })).ids).toContain(next);
});
