import { millis, PUBLIC_TENANT, type SessionId, type Storage, type TenantId, type UserId } from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { createConnection } from "mysql2/promise";
import { beforeAll, expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import type { Sql } from "../src/connection/sql.js";
import { sql } from "../src/connection/sql.js";
import * as sessions from "../src/sessions/statements.js";
import * as statements from "../src/statements.js";
import { fleeting, sharedServer } from "./server.js";

const { server, urlOf, query } = sharedServer(fleeting);

const database = "plans";
const now = millis(1_800_000_000_000);
const users = 2000;
const ids: SessionId[] = [];

/**
 * Ten thousand sessions of 2000 users, a tenth of them of another tenant and a tenth from a login elsewhere, and two events of
 * each in the outbox, the second of which waits behind the first; of every tenth both are dead.
 */
const fill = async (storage: Storage): Promise<void> => {
  for (let piece = 0; piece < 20; piece += 1) {
    const records = Array.from({ length: 500 }, (_, row) => {
      const index = piece * 500 + row;
      return sessionRecord(
        { now: () => now },
        {
          userId: `user-${index % users}` as UserId,
          tenantId: index % 10 === 0 ? ("customer-1" as TenantId) : PUBLIC_TENANT,
          expiresAt: millis(now + index),
          ...(index % 10 === 5 && { link: `login-${index}`, subject: `user-${index}` }),
        },
      );
    });
    ids.push(...records.map(({ id }) => id));
    await storage.importSessions(records);
    for (const entry of ["event", "later"])
      await storage.appendEvents(
        records.map(({ id, tenantId, userId }, row) => ({
          key: `${entry}-${id}`,
          at: millis(now + piece * 500 + row),
          type: row % 100 === 0 ? "token_reuse" : "session_ended",
          tenantId,
          userId,
          sessionId: id,
          count: 1,
        })),
      );
    const counts = records.map((_, row) => ({ hour: millis(piece * 3_600_000), name: `count-${row}`, count: 1 }));
    await storage.addCounts(counts);
  }
  await query("UPDATE outbox SET dead = 1 WHERE at % 10 = 3", database);
  await query("DELETE q FROM outbox_queues q JOIN outbox o ON o.queue = q.queue WHERE o.dead = 1", database);
};

beforeAll(async () => {
  const url = await urlOf(database, "?durability=relaxed");
  const storage = await openStorage(url, {
    clock: { now: () => now },
    outbox: [{ id: "a", types: ["token_reuse", "session_ended"] }],
  });
  await storage.migrate();
  await fill(storage);
  await storage.close();
  await query("ANALYZE TABLE sessions, events, outbox, outbox_queues, counts", database);
});

/** How many rows the server looks at for a statement. */
const rowsRead = async (statement: Sql): Promise<number> => {
  const { host, port } = server();
  const connection = await createConnection({ host, port, user: "root", database });
  try {
    await connection.query(`SET @now = ${now}`);
    const count = async (): Promise<number> => {
      const [rows] = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
      return (rows as { readonly Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    await connection.query("START TRANSACTION");
    const before = await count();
    const nothing = (await count()) - before;
    await connection.query(statement.text);
    const after = await count();
    await connection.query("ROLLBACK");
    return after - before - 2 * nothing;
  } finally {
    connection.destroy();
  }
};

const alice = "user-7" as UserId;
const page = { now: sql`${now}`, limit: 10 };
const customer = "customer-1" as TenantId;
const someIds = (): readonly SessionId[] => ids.slice(5000, 5020);
const someQueues = (): readonly string[] => ids.slice(5000, 5010).map((id) => Buffer.from(`a ${id}`).toString("hex"));
const entry = () => ({ key: `event-${ids[9]!}`, destination: "a" });
const later = { at: millis(now + 5000), key: "event" };
const allHours = { from: millis(0), to: now };
const someAttempts = () => someIds().map((id) => attemptOf(sessionRecord({ now: () => now }, { id })));

/** What each statement looks at, at most: a few rows for each that it gives, whatever the size of the table. */
const bounds: readonly (readonly [string, () => Sql, number])[] = [
  ["a session", () => sessions.selectSessions(ids.slice(0, 1))[0]!, 2],
  ["twenty sessions", () => sessions.lockSessions(someIds())[0]!, 60],
  ["one refresh", () => sessions.rotateSessions(someAttempts().slice(0, 1)), 3],
  ["twenty refreshes", () => sessions.rotateSessions(someAttempts()), 120],
  ["the sessions of a user", () => sessions.listSessions({ userId: alice }, page), 30],
  ["the user of a tenant", () => sessions.lockUser(PUBLIC_TENANT, alice), 30],
  ["every row of a user", () => sessions.lockRowsOfUser(PUBLIC_TENANT, alice, 10), 30],
  ["the limit of a user", () => sessions.lockUserSessions(PUBLIC_TENANT, alice), 30],
  ["a page of all", () => sessions.listSessions({}, { ...page, after: ids[3] }), 60],
  ["a page of the public tenant", () => sessions.listReferences({ tenantId: PUBLIC_TENANT }, page), 60],
  ["a page of a tenant", () => sessions.listReferences({ tenantId: customer }, { ...page, after: ids[3] }), 60],
  ["a batch to sweep", () => sessions.lockToSweep(millis(now + 5000), 10), 30],
  ["ends by id", () => sessions.endSessions(someIds(), now, "logout")[0]!, 100],
  ["whether twenty are live", () => sessions.selectLive(someIds(), page.now)[0]!, 60],
  ["ten of a tenant", () => sessions.lockSomeOfTenant(customer, page), 30],
  ["the sessions of a link", () => sessions.listSessions({ link: "login-5" }, page), 5],
  ["the sessions of a subject", () => sessions.listSessions({ subject: "user-5" }, page), 5],
  ["events", () => statements.listEvents({}, undefined, 10), 20],
  ["events of a user", () => statements.listEvents({ userId: alice }, undefined, 10), 30],
  ["events of a session", () => statements.listEvents({ sessionId: ids[9]! }, undefined, 10), 20],
  ["events of a tenant", () => statements.listEvents({ tenantId: customer }, undefined, 10), 60],
  ["a later page of events", () => statements.listEvents({}, later, 10), 60],
  ["alarms", () => statements.listEvents({ types: ["token_reuse"] }, undefined, 10), 60],
  ["old events", () => statements.deleteEvents(millis(now + 5000), 10), 60],
  ["the events of a user", () => statements.deleteEventsOfUser(PUBLIC_TENANT, alice, 10), 60],
  ["queues that are due", () => statements.lockDueQueues(sql`${now + 5000}`, 10), 30],
  ["the heads of ten queues", () => statements.selectHeads(someQueues(), now), 60],
  ["whether ten queues hold something", () => statements.selectHeldQueues(someQueues()), 60],
  ["the queue of an entry", () => statements.lockOutboxEntry(entry())[0]!, 10],
  ["an entry", () => statements.lockOutboxEntry(entry())[1]!, 10],
  ["what is behind an entry", () => statements.lockOutboxEntry(entry())[2]!, 10],
  ["a page of the outbox", () => statements.listOutbox(false, undefined, 10), 60],
  ["a later page of dead entries", () => statements.listOutbox(true, { ...later, destination: "a" }, 10), 60],
  ["old dead entries", () => statements.deleteDeadOutbox(millis(now + 5000), 10), 60],
  [
    "queues of a user",
    () => statements.deleteOutboxOfUser({ tenantId: PUBLIC_TENANT, userId: alice }, now, 10)[0]!,
    90,
  ],
  [
    "the outbox of a user",
    () => statements.deleteOutboxOfUser({ tenantId: PUBLIC_TENANT, userId: alice }, now, 10)[1]!,
    90,
  ],
  [
    "a later page of counts",
    () => statements.listCounts(allHours, { after: { hour: millis(0), name: "a" }, limit: 10 }),
    20,
  ],
  ["old counts", () => statements.deleteCounts(millis(36_000_000), 10), 30],
];

it.each(bounds)("looks at few rows for %s", async (_, statement, bound) => {
  expect(await rowsRead(statement())).toBeLessThanOrEqual(bound);
});
