import { millis, PUBLIC_TENANT, type SessionId, type TenantId, type UserId } from "@pawl/storage";
import { outboxTypesOf } from "@pawl/storage/adapter";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { beforeAll, expect, it } from "vitest";
import type { Statement, Value } from "../src/connection/database.js";
import { writeOutboxParts } from "../src/connection/outbox-parts.js";
import { openStorage } from "../src/index.js";
import * as rotations from "../src/sessions/rotation-statements.js";
import * as sessions from "../src/sessions/statements.js";
import * as statements from "../src/statements.js";
import { connectTo, openForTest, startServer, urlOf } from "./server.js";

const server = await startServer();
const count = 20_000;
const tenant = "customer-1" as TenantId;

const ids: SessionId[] = [];

const outbox = outboxTypesOf(["a", "b"].map((id) => ({ id, types: ["session_ended", "admin"] })));

/**
 * Sessions of half as many users, a tenth of them of another tenant and a tenth from a login elsewhere, with an event, a line
 * of each feed and two entries of the outbox of each, the second of which waits behind the first.
 */
const fill = (schema: string): void => {
  const row = `(row / 2 * 7 % 65536) AS bucket, lpad(to_hex(row / 2 * 7 % 65536), 4, '0') || '-' || row AS id,
    CASE WHEN row % 10 = 0 THEN '${tenant}' ELSE 'public' END AS tenant, 'user-' || row / 2 AS user`;
  const source = `FROM (SELECT row, ${row} FROM generate_series(1, ${count}) AS row) AS made`;
  server.sql(`INSERT INTO ${schema}.sessions (bucket, id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind,
      created_at, last_active_at, expires_at, idle_expires_at, sweep_at, payload, data, link, subject)
    SELECT bucket, id, tenant, "user", 'hash', 0, 0, 0, 'dynamic', row, row, row + 1000000, 8640000000000000, row + 1000000,
      '{}', '{}', CASE WHEN row % 10 = 5 THEN 'login-' || row END,
      CASE WHEN row % 10 = 5 THEN 'user-' || row END ${source}`);
  server.sql(`INSERT INTO ${schema}.events (key, at, count, type, tenant_id, user_id, session_id)
    SELECT 'event-' || row, row, 1, CASE WHEN row % 100 = 0 THEN 'token_reuse' ELSE 'session_ended' END, tenant, "user", id
    ${source}`);
  server.sql(`INSERT INTO ${schema}.revocations (session_id, tenant_id, user_id, at, reason)
    SELECT id, tenant, "user", row, 'logout' ${source}`);
  server.sql(`INSERT INTO ${schema}.changes (session_id, tenant_id, user_id, at, payload_version)
    SELECT id, tenant, "user", row, 1 ${source}`);
  for (const entry of ["first", "second"])
    server.sql(`INSERT INTO ${schema}.outbox (queue, destination, key, at, count, type, tenant_id, user_id, session_id, dead)
      SELECT 'a ' || id, 'a', '${entry}-' || row, row, 1, 'admin', tenant, "user", id, row % 10 = 3 ${source}`);
  server.sql(
    `INSERT INTO ${schema}.outbox_queues (queue, due_at) SELECT 'a ' || id, row ${source} WHERE row % 10 <> 3`,
  );
  server.sql(
    `INSERT INTO ${schema}.counts (hour, name, count) SELECT row / 20 * 3600000::bigint, 'count-' || row % 20, 1 ${source}`,
  );
  server.sql("ANALYZE");
};

const schemas = ["s_plain", "s_parted"] as const;

beforeAll(async () => {
  for (const [schema, partitions] of [
    [schemas[0], 0],
    [schemas[1], 4],
  ] as const) {
    const storage = await openStorage(urlOf(server, schema.slice(2), `&partitions=${partitions}`));
    await storage.migrate();
    await storage.close();
    fill(schema);
  }
  ids.push(
    ...server
      .sql("SELECT id FROM s_plain.sessions ORDER BY random() LIMIT 30")
      .split("\n")
      .map((id) => id as SessionId),
  );
});

const bucket = (id: string): number => Number.parseInt(id.slice(0, 4), 16);

/** How many rows a statement looks at, with its plan, on data that it leaves as it is. */
const rowsRead = async (schema: string, { text }: Statement, values: readonly Value[]) => {
  const client = await connectTo(server);
  await client.query("BEGIN");
  const written = writeOutboxParts(text, outbox).replaceAll("{schema}", schema).replaceAll("{channel}", "test");
  const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON, TIMING off) ${written}`, values as Value[]);
  await client.query("ROLLBACK");
  const plan = JSON.stringify((rows as { "QUERY PLAN": unknown }[])[0]!["QUERY PLAN"]);
  let read = 0;
  const visit = (node: Readonly<Record<string, unknown>>): void => {
    const number = (name: string): number => Number(node[name] ?? 0);
    if (/^(?:Seq|Index|Index Only|Bitmap Heap) Scan$/u.test(String(node["Node Type"])))
      read += (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    for (const child of (node["Plans"] ?? []) as (typeof node)[]) visit(child);
  };
  visit((JSON.parse(plan) as { Plan: Readonly<Record<string, unknown>> }[])[0]!.Plan);
  return { read, plan };
};

const user = (id: string): readonly Value[] => {
  const row = Number(id.slice(5));
  return [bucket(id), `user-${row >> 1}`, row % 10 === 0 ? tenant : PUBLIC_TENANT];
};
const now = 500_000;
const named = (): readonly [number[], string[]] => [ids.map(bucket), [...ids]];
const each = (value: Value): Value => ids.map(() => value) as Value;
const page = { limit: 10, now };
const noEvents: readonly Value[] = Array.from({ length: 10 }, () => []);
const listed = ({ statement, values }: { readonly statement: Statement; readonly values: readonly Value[] }) =>
  [statement, values] as const;

/** Statements with what they may look at: rows that they are about, twice where they read and write. */
const cases: Readonly<Record<string, () => readonly [Statement, readonly Value[], number]>> = {
  "one rotation": () => [
    rotations.rotateSession,
    [now, bucket(ids[0]!), ids[0]!, 0, 0, "hash", 1, 1, null, null, null, null],
    1,
  ],
  "thirty rotations": () => [
    rotations.rotateSessions,
    [now, ...named(), ...[0, 0, "hash", 1, 1, null, null, null, null].map(each)],
    30,
  ],
  "thirty uses": () => [rotations.noteUses, [now, ...named(), each(0), each(0), 0, null, 60_000], 30],
  "thirty reads": () => [sessions.selectSessions, [now, ...named()], 30],
  "whether thirty are live": () => [sessions.selectLive, [now, ...named()], 30],
  "a change": () => [
    sessions.changeSession,
    [now, bucket(ids[0]!), ids[0]!, "{}", null, "{}", null, true, true, 0, 0, 0, ...noEvents],
    2,
  ],
  "the end of thirty": () => [sessions.endSessions, [now, "logout", null, null, ...named(), null], 60],
  "the end of ten of a tenant": () => [sessions.endSessionsOfTenant(tenant), [now, "logout", null, 10, tenant], 24],
  "the sessions of a user": () => [
    ...listed(sessions.listSessions({ ...page, userId: user(ids[0]!)[1] as UserId })),
    4,
  ],
  "the sessions of a user and tenant": () => [
    ...listed(sessions.listReferences({ ...page, userId: user(ids[0]!)[1] as UserId, tenantId: PUBLIC_TENANT })),
    4,
  ],
  "the sessions of a link": () => [...listed(sessions.listSessions({ ...page, link: "login-5" })), 2],
  "the sessions of a subject": () => [...listed(sessions.listSessions({ ...page, subject: "user-5" })), 2],
  "all rows of a user": () => [sessions.listHistory, [...user(ids[0]!), -1, "", 10], 4],
  "the end of a user": () => [sessions.endSessionsOfUser, [now, "logout", null, null, ...user(ids[0]!), null], 8],
  "a surplus": () => [sessions.endSurplus, [now, "session_limit", null, null, ...user(ids[0]!), 1, 10], 16],
  "the erasure of a user": () => [sessions.eraseSessions, [now, ...user(ids[0]!), 10], 8],
  "the erasure of events": () => [statements.deleteEventsOfUser, [user(ids[0]!)[1]!, PUBLIC_TENANT, 10], 8],
  "the erasure of an outbox": () => [statements.deleteOutboxOfUser, [now, user(ids[0]!)[1]!, PUBLIC_TENANT, 10], 16],
  "a page of all sessions": () => [
    ...listed(sessions.listSessions({ ...page, after: { bucket: bucket(ids[0]!), id: ids[0]! } })),
    44,
  ],
  "a page of a tenant": () => [...listed(sessions.listReferences({ ...page, tenantId: tenant })), 44],
  "ten rows of the sweep": () => [sessions.sweep, [1_000_500, 10], 64],
  "ten events": () => [...listed(statements.listEvents({ limit: 10 })), 12],
  "a later page of events": () => [...listed(statements.listEvents({ limit: 10, after: { at: 9000, key: "x" } })), 12],
  "events of a session": () => [...listed(statements.listEvents({ limit: 10, sessionId: ids[0]! })), 4],
  "events of a user": () => [
    ...listed(statements.listEvents({ limit: 10, userId: user(ids[0]!)[1] as UserId, types: ["session_ended"] })),
    4,
  ],
  "events of a tenant": () => [...listed(statements.listEvents({ limit: 10, tenantId: tenant })), 12],
  alarms: () => [...listed(statements.listEvents({ limit: 10, types: ["token_reuse"] })), 12],
  "ten old events": () => [statements.deleteEvents, [9000, 10], 24],
  "ten old revocations": () => [statements.deleteRevocations, [9000, 10], 24],
  "ten old changes": () => [statements.deleteChanges, [9000, 10], 24],
  "ten queues of the outbox": () => [statements.claimQueues, [now, 10, now + 60_000], 24],
  "ten heads of the outbox": () => [statements.selectHeads, [ids.slice(0, 10).map((id) => `a ${id}`), now], 20],
  "an entry delivered": () => [statements.deleteOutboxEntry, [now, "first-1000", "a"], 8],
  "an entry postponed": () => [statements.postponeOutboxEntry, [now, "first-1000", "a", "{}", now], 8],
  "ten dead entries": () => [statements.listOutbox, [true, 9000, "x", "a", 10], 24],
  "ten entries alive": () => [statements.listOutbox, [false, null, null, null, 10], 24],
  "ten old dead entries": () => [statements.deleteDeadOutbox, [9000, 10], 24],
  "ten counts": () => [statements.listCounts, [now, 2_000_000_000, 36_000_000, "count-7", 10], 12],
  "ten old counts": () => [statements.deleteCounts, [72_000_000, 10], 44],
};

it.each(Object.entries(cases))("%s: reads what it is about, however large the table", async (_, make) => {
  for (const schema of schemas) {
    const [statement, values, most] = make();
    const { read, plan } = await rowsRead(schema, statement, values);
    expect(read, plan).toBeLessThanOrEqual(most);
    expect(plan).not.toContain('"Seq Scan"');
  }
});

it("touches no index at a rotation: the new version of a row stays on its page", async () => {
  const storage = await openForTest(urlOf(server, "hot"));
  await storage.migrate();
  const records = Array.from({ length: 400 }, () => sessionRecord(storage));
  await storage.importSessions(records);
  const some = records.filter((_, index) => index % 10 === 0);
  // Refreshes of a few sessions on every page, again and again: the room of what is replaced is used anew.
  for (let seq = 0; seq < 20; seq += 1)
    await Promise.all(some.map((record) => storage.rotate(attemptOf(record, { seq, window: millis(0) }))));
  await storage.close();
  const table = "FROM pg_stat_user_tables WHERE schemaname = 's_hot' AND relname = 'sessions'";
  await expect.poll(() => server.sql(`SELECT n_tup_upd ${table}`), { timeout: 10_000 }).toBe("800");
  // A page may be full for a moment, while somebody may still read what was replaced.
  expect(Number(server.sql(`SELECT n_tup_hot_upd ${table}`))).toBeGreaterThan(780);
});
