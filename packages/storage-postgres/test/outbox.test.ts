import { type EventRecord, millis, type OutboxRecord, type SessionId, type Storage, type UserId } from "@pawl/storage";
import { outboxTypesOf, ServerClock } from "@pawl/storage/adapter";
import { sessionRecord } from "@pawl/storage-conformance";
import { expect, it, onTestFinished, vi } from "vitest";
import { Database, type Statement, type Value } from "../src/connection/database.js";
import { parseUrl } from "../src/options.js";
import { takeOutbox } from "../src/outbox.js";
import { selectHeads } from "../src/statements.js";
import { connectTo, openForTest, schemaOf, startServer, urlOf } from "./server.js";

const server = await startServer();

const destination = "a";
const outbox = [{ id: destination, types: ["session_ended", "admin"] }] as const;

/** Nodes on one new store. */
const openNodes = async (count: number, options = "") => {
  const location = crypto.randomUUID();
  const url = urlOf(server, location, options);
  const nodes = await Promise.all(Array.from({ length: count }, () => openForTest(url, { outbox })));
  await nodes[0]!.migrate();
  return { nodes, schema: schemaOf(location), url };
};

/** An event of a second ago, which the server's clock has reached. */
const eventOf = (storage: Storage, parts: Partial<EventRecord> = {}): EventRecord => ({
  key: crypto.randomUUID(),
  at: millis(storage.now() - 1000),
  type: "admin",
  count: 1,
  ...parts,
});

const later = (storage: Storage) => millis(storage.now() + 600_000);

const take = (storage: Storage): Promise<readonly OutboxRecord[]> => storage.takeOutbox(10, later(storage));

const keysOf = (entries: readonly OutboxRecord[]): readonly string[] => entries.map(({ event }) => event.key);

const names = Array.from({ length: 9 }, (_, index) => `row-${index}`);

/** Tables, what names their rows, and what writes several of these. */
const writers: readonly (readonly [
  table: string,
  column: string,
  write: (storage: Storage, named: readonly string[]) => Promise<void>,
])[] = [
  ["counts", "name", (storage, named) => storage.addCounts(named.map((name) => ({ hour: millis(0), name, count: 1 })))],
  [
    "events",
    "key",
    (storage, named) => storage.appendEvents(named.map((key) => eventOf(storage, { key, type: "forged_token" }))),
  ],
  [
    "outbox_queues",
    "queue",
    (storage, named) => storage.appendEvents(named.map((id) => eventOf(storage, { sessionId: id as SessionId }))),
  ],
];

it.each(writers)("locks rows of %s in one order, whatever that of the call", async (table, column, write) => {
  // As behind a pooler, so that a row may be locked for longer than a second.
  const { nodes, schema } = await openNodes(2, "&prepare=false&timeout=20000");
  await write(nodes[0]!, names);
  const row = table === "outbox_queues" ? "a row-4" : "row-4";
  const [holder, looker] = [await connectTo(server), await connectTo(server)];
  await holder.query("BEGIN");
  await holder.query(`SELECT FROM ${schema}.${table} WHERE ${column} = '${row}' FOR UPDATE`);
  const calls = Promise.all([names, names.toReversed()].map((each, index) => write(nodes[index]!, each)));
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}%'`;
  await vi.waitFor(() => expect(server.sql(waiting)).toBe("2"), { timeout: 10_000 });
  const { rowCount } = await looker.query(
    `SELECT FROM ${schema}.${table} WHERE ${column} > '${row}' FOR UPDATE SKIP LOCKED`,
  );
  expect(rowCount).toBe(4);
  await holder.query("COMMIT");
  await calls;
});

it("takes past a queue that somebody has locked, without waiting", async () => {
  const { nodes, schema } = await openNodes(1);
  const events = [eventOf(nodes[0]!), eventOf(nodes[0]!, { at: later(nodes[0]!) }), eventOf(nodes[0]!)];
  await nodes[0]!.appendEvents(events);
  const holder = await connectTo(server);
  await holder.query("BEGIN");
  await holder.query(`SELECT FROM ${schema}.outbox_queues WHERE queue = $1 FOR UPDATE`, [
    `${destination} ${events[0]!.key}`,
  ]);
  expect(keysOf(await take(nodes[0]!))).toStrictEqual([events[2]!.key]);
  await holder.query("COMMIT");
  expect(keysOf(await take(nodes[0]!))).toStrictEqual([events[0]!.key]);
});

it("lets the next of a queue be taken when its head is erased with another user", async () => {
  const { nodes } = await openNodes(1);
  const storage = nodes[0]!;
  const [alice, bob] = [sessionRecord(storage), sessionRecord(storage, { userId: "bob" as UserId })];
  const [first, second] = [alice, bob].map(({ tenantId, userId }) =>
    eventOf(storage, { tenantId, userId, sessionId: alice.id }),
  );
  await storage.appendEvents([first!, second!]);
  expect(keysOf(await take(storage))).toStrictEqual([first!.key]);
  await storage.eraseUser(alice);
  expect(keysOf(await take(storage))).toStrictEqual([second!.key]);
});

/** A database on which something happens after heads were read for the first time. */
class InterruptedDatabase extends Database {
  interruption: (() => Promise<void>) | undefined;

  override async query<R>(statement: Statement<R>, values?: readonly Value[]): Promise<readonly R[]> {
    const rows = await super.query(statement, values);
    const { interruption } = this;
    if ((statement as Statement) !== selectHeads || interruption === undefined) return rows;
    this.interruption = undefined;
    await interruption();
    return rows;
  }
}

it("takes what is put into a queue that it had claimed and found empty", async () => {
  const { nodes, url } = await openNodes(1);
  const storage = nodes[0]!;
  const record = sessionRecord(storage);
  const [erased, next] = [
    eventOf(storage, { tenantId: record.tenantId, userId: record.userId, sessionId: record.id }),
    eventOf(storage, { sessionId: record.id }),
  ];
  await storage.appendEvents([erased]);
  await storage.eraseUser(record);
  const clock = new ServerClock(undefined);
  const database = new InterruptedDatabase({ ...parseUrl(url), prepare: true, outbox: outboxTypesOf(outbox), clock });
  onTestFinished(() => database.close());
  database.interruption = () => storage.appendEvents([next]);
  const context = { database, time: null, now: () => clock.now() };
  expect(keysOf(await takeOutbox(context, 10, later(storage)))).toStrictEqual([next.key]);
});
