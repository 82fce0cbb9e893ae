import { type EventRecord, millis, type OutboxRecord, type SessionId, type Storage, type UserId } from "@pawl/storage";
import { sessionRecord } from "@pawl/storage-conformance";
import { createConnection } from "mysql2/promise";
import { expect, it, onTestFinished, vi } from "vitest";
import { fleeting, openForTest, sharedServer } from "./server.js";

const { server, urlOf, query } = sharedServer(fleeting);

/** Nodes on one new store. */
const openNodes = async (count: number) => {
  const database = crypto.randomUUID();
  const url = await urlOf(database, "?durability=relaxed&timeout=20000");
  const options = { outbox: [{ id: "a", types: ["session_ended", "admin"] }] } as const;
  const nodes = await Promise.all(Array.from({ length: count }, () => openForTest(url, options)));
  await nodes[0]!.migrate();
  return { nodes, database };
};

const connectTo = async (database: string) => {
  const { host, port } = server();
  const connection = await createConnection({ host, port, user: "root", database });
  onTestFinished(() => connection.destroy());
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  await connection.query("START TRANSACTION");
  return connection;
};

/** An event of a second ago, which the server's clock has reached. */
const eventOf = (storage: Storage, parts: Partial<EventRecord> = {}): EventRecord => ({
  key: crypto.randomUUID(),
  at: millis(storage.now() - 1000),
  type: "admin",
  count: 1,
  ...parts,
});

const take = (storage: Storage): Promise<readonly OutboxRecord[]> =>
  storage.takeOutbox(10, millis(storage.now() + 600_000));

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
    "event_key",
    (storage, named) => storage.appendEvents(named.map((key) => eventOf(storage, { key, type: "forged_token" }))),
  ],
  [
    "outbox_queues",
    "queue",
    (storage, named) => storage.appendEvents(named.map((id) => eventOf(storage, { sessionId: id as SessionId }))),
  ],
];

it.each(writers)("locks rows of %s in one order, whatever that of the call", async (table, column, write) => {
  const { nodes, database } = await openNodes(2);
  await write(nodes[0]!, names);
  const row = table === "outbox_queues" ? "a row-4" : "row-4";
  const [holder, looker] = [await connectTo(database), await connectTo(database)];
  await holder.query(`SELECT 1 FROM ${table} WHERE ${column} = '${row}' FOR UPDATE`);
  const calls = Promise.all([names, names.toReversed()].map((each, index) => write(nodes[index]!, each)));
  const waiting = "SELECT COUNT(*) AS count FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
  // The server looks anew only where nobody has asked for a tenth of a second.
  const patience = { timeout: 10_000, interval: 250 };
  await vi.waitFor(async () => expect(await query(waiting)).toStrictEqual([{ count: 2 }]), patience);
  const [free] = await looker.query(`SELECT 1 FROM ${table} WHERE ${column} > '${row}' FOR UPDATE SKIP LOCKED`);
  await looker.query("ROLLBACK");
  await holder.query("ROLLBACK");
  await calls;
  expect(free).toHaveLength(4);
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
