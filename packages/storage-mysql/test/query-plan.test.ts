import { millis, PUBLIC_TENANT, type SessionId, type Storage, type TenantId, type UserId } from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { createConnection } from "mysql2/promise";
import { beforeAll, expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import type { Sql } from "../src/connection/sql.js";
import { sql } from "../src/connection/sql.js";
import * as statements from "../src/statements.js";
import { fleeting, sharedServer } from "./server.js";

const { server, urlOf, query } = sharedServer(fleeting);

const database = "plans";
const now = millis(1_800_000_000_000);
const users = 2000;
const ids: SessionId[] = [];

/** Ten thousand sessions of 2000 users, a tenth of them of another tenant, and an event of each. */
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
        },
      );
    });
    ids.push(...records.map(({ id }) => id));
    await storage.importSessions(records);
    await storage.appendEvents(
      records.map(({ id, tenantId, userId }, row) => ({
        key: `event-${id}`,
        at: millis(now + piece * 500 + row),
        type: row % 100 === 0 ? "token_reuse" : "session_ended",
        tenantId,
        userId,
        sessionId: id,
        count: 1,
      })),
    );
  }
};

beforeAll(async () => {
  const storage = await openStorage(await urlOf(database, "?durability=relaxed"), { clock: { now: () => now } });
  await storage.migrate();
  await fill(storage);
  await storage.close();
  await query("ANALYZE TABLE sessions, events", database);
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
const someAttempts = () => someIds().map((id) => attemptOf(sessionRecord({ now: () => now }, { id })));

/** What each statement looks at, at most: a few rows for each that it gives, whatever the size of the table. */
const bounds: readonly (readonly [string, () => Sql, number])[] = [
  ["a session", () => statements.selectSessions(ids.slice(0, 1))[0]!, 2],
  ["twenty sessions", () => statements.lockSessions(someIds())[0]!, 60],
  ["one refresh", () => statements.rotateSessions(someAttempts().slice(0, 1)), 3],
  ["twenty refreshes", () => statements.rotateSessions(someAttempts()), 120],
  ["the sessions of a user", () => statements.listSessions({ userId: alice }, page), 30],
  ["the user of a tenant", () => statements.lockUser(PUBLIC_TENANT, alice), 30],
  ["the user of a session", () => statements.lockUserOf(ids[7]!), 40],
  ["every row of a user", () => statements.lockRowsOfUser(PUBLIC_TENANT, alice), 30],
  ["the limit of a user", () => statements.lockUserSessions(PUBLIC_TENANT, alice), 30],
  ["a page of all", () => statements.listSessions({}, { ...page, after: ids[3] }), 60],
  ["a page of the public tenant", () => statements.listReferences({ tenantId: PUBLIC_TENANT }, page), 60],
  ["a page of a tenant", () => statements.listReferences({ tenantId: customer }, { ...page, after: ids[3] }), 60],
  ["a batch to sweep", () => statements.lockToSweep(millis(now + 5000), 10), 30],
  ["ends by id", () => statements.endSessions(someIds(), now, "logout")[0]!, 100],
  ["events", () => statements.listEvents({}, undefined, 10), 20],
  ["events of a user", () => statements.listEvents({ userId: alice }, undefined, 10), 30],
  ["events of a session", () => statements.listEvents({ sessionId: ids[9]! }, undefined, 10), 20],
  ["events of a tenant", () => statements.listEvents({ tenantId: customer }, undefined, 10), 60],
  ["a later page of events", () => statements.listEvents({}, { at: millis(now + 5000), key: "event" }, 10), 60],
  ["alarms", () => statements.listEvents({ types: ["token_reuse"] }, undefined, 10), 60],
  ["old events", () => statements.deleteEvents(millis(now + 5000), 10), 60],
  ["the events of a user", () => statements.deleteEventsOfUser(PUBLIC_TENANT, alice), 60],
];

it.each(bounds)("looks at few rows for %s", async (_, statement, bound) => {
  expect(await rowsRead(statement())).toBeLessThanOrEqual(bound);
});
