import { millis, PUBLIC_TENANT, type SessionId, type UserId } from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { migrations, schemaVersion } from "../src/migrations.js";
import { connectTo, openForTest, schemaOf, startServer, urlOf } from "./server.js";

const server = await startServer();

/** Makes a store as the release of that schema version did. */
const makeStoreOf = (version: number, { schema, partitions }: { schema: string; partitions: number }): void => {
  server.sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.schema_versions
    (version integer NOT NULL PRIMARY KEY, readable_by integer NOT NULL, applied_at bigint NOT NULL)`);
  for (const migration of migrations.filter((each) => each.version <= version)) {
    server.sql(migration.sql(partitions).replaceAll("{schema}", schema));
    server.sql(`INSERT INTO ${schema}.schema_versions VALUES (${migration.version}, ${migration.readableBy}, 0)`);
  }
};

/** A session as that release inserted it. */
const insertSession = (schema: string, id: string, ended = false): string =>
  server.sql(`INSERT INTO ${schema}.sessions (bucket, id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind,
      created_at, last_active_at, expires_at, idle_expires_at, ended_at, end_reason, sweep_at, payload, data)
    VALUES (1, '${id}', 'public', 'alice', 'hash', 0, 0, 0, 'dynamic', 1, 1, 8640000000000000, 8640000000000000,
      ${ended ? "2, 'logout'" : "NULL, NULL"}, 8640000000000000, '{"role":"reader"}', '{"cart":[]}')`);

it.each([0, 3])("takes over a store of version 1 with %i partitions, rows and cursors included", async (partitions) => {
  const location = `old${partitions}`;
  const schema = schemaOf(location);
  makeStoreOf(1, { schema, partitions });
  const [live, ended, late] = ["0001-live", "0001-ended", "0001-late"].map((id) => id as SessionId);
  insertSession(schema, live!);
  insertSession(schema, ended!, true);
  server.sql(`INSERT INTO ${schema}.revocations (at, session_id, tenant_id, user_id, reason)
    VALUES (2, '${ended!}', 'public', 'alice', 'logout')`);
  const storage = await openForTest(urlOf(server, location));
  const page = await storage.revocationsSince({ at: millis(0) });

  await storage.migrate();
  // A node of the release before that is still running.
  insertSession(schema, late!);
  const added = { facts: "{}", factsVersion: 0, payloadVersion: 0, bound: "" };
  for (const id of [live!, late!]) {
    const record = await storage.getSession(id);
    expect(record).toMatchObject({ ...added, payload: '{"role":"reader"}', data: '{"cart":[]}' });
    expect(record).not.toHaveProperty("link");
    expect(await storage.rotate({ ...attemptOf(sessionRecord(storage, { id })), secretHash: "hash" })).toMatchObject({
      minted: true,
      record: added,
    });
  }
  expect(await storage.getSession(ended!)).toMatchObject({ ...added, endReason: "logout" });
  expect((await storage.changeSession(live!, { facts: '{"a":1}', announced: true })).kind).toBe("changed");
  expect(await storage.changesSince({ at: millis(0) })).toMatchObject({ items: [{ id: live, payloadVersion: 1 }] });
  const user = { tenantId: PUBLIC_TENANT, userId: "alice" as UserId };
  await storage.revokeSessions({ kind: "ids", ids: [live!] }, { reason: "logout" });
  const cursor = page.kind === "page" ? page.cursor : "";
  expect(await storage.revocationsSince({ cursor })).toMatchObject({ items: [{ ...user, id: live }] });
});

it("keeps releases out that would not look for the key that a session is bound to", async () => {
  const storage = await openForTest(urlOf(server, "versions"));
  await storage.migrate();
  const versions = `SELECT version, readable_by FROM ${schemaOf("versions")}.schema_versions ORDER BY version`;
  expect(server.sql(versions)).toBe("1|1\n2|2\n3|3");
  expect(schemaVersion).toBe(3);
});

it("adds its columns without rewriting the table", async () => {
  const schema = schemaOf("rewrite");
  makeStoreOf(1, { schema, partitions: 0 });
  insertSession(schema, "0001-live");
  const file = `SELECT pg_relation_filenode('${schema}.sessions')`;
  const before = server.sql(file);
  await (await openForTest(urlOf(server, "rewrite"))).migrate();
  expect(server.sql(file)).toBe(before);
});

it("waits for a transaction that uses the table, and migrates once however many nodes start", async () => {
  const schema = schemaOf("busy");
  makeStoreOf(1, { schema, partitions: 0 });
  insertSession(schema, "0001-live");
  const other = await connectTo(server);
  await other.query(`BEGIN; SELECT FROM ${schema}.sessions`);
  const nodes = await Promise.all([1, 2, 3].map(() => openForTest(urlOf(server, "busy"))));
  const migrated = Promise.all(nodes.map((node) => node.migrate()));
  const waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pawl' AND wait_event_type = 'Lock'";
  await expect.poll(() => server.sql(waiting), { timeout: 10_000 }).toBe("3");
  await other.query("COMMIT");
  await migrated;
  expect(server.sql(`SELECT count(*) FROM ${schema}.schema_versions`)).toBe("3");
});
