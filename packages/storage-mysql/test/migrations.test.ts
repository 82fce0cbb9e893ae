import { bucketOfUser, millis, PUBLIC_TENANT, type SessionId, type UserId } from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { migrations, versionTable } from "../src/migrations.js";
import { fleeting, openForTest, sharedServer } from "./server.js";

const { urlOf, query } = sharedServer(fleeting);

/** Makes a store as the release of that schema version did. */
const makeStoreOf = async (version: number): Promise<{ readonly database: string; readonly url: string }> => {
  const database = crypto.randomUUID();
  const url = await urlOf(database, "?durability=relaxed");
  await query(versionTable.text, database);
  for (const each of migrations.filter((migration) => migration.version <= version)) {
    for (const { text } of each.statements) await query(text, database);
    await query(`INSERT INTO schema_versions VALUES (${each.version}, ${each.readableBy}, UTC_TIMESTAMP())`, database);
  }
  return { database, url };
};

const user = { tenantId: PUBLIC_TENANT, userId: "alice" as UserId };
const [live, ended, late] = ["live", "ended", "late"].map(
  (name) => `${bucketOfUser(user).toString(16).padStart(4, "0")}-${name}` as SessionId,
);

/** A session as that release inserted it. */
const insertSession = (database: string, id: SessionId, isEnded = false) =>
  query(
    `INSERT INTO sessions (bucket, id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind, created_at,
      last_active_at, expires_at, idle_expires_at, ended_at, end_reason, payload, data, sweep_at)
    VALUES (${bucketOfUser(user)}, '${id}', 'public', 'alice', 'hash', 0, 0, 0, 'dynamic', 1, 1, 8640000000000000,
      8640000000000000, ${isEnded ? "2, 'logout'" : "NULL, NULL"}, '{"role":"reader"}', '{"cart":[]}', 8640000000000000)`,
    database,
  );

it("takes over a store of version 1, rows and cursors included", async () => {
  const { database, url } = await makeStoreOf(1);
  await insertSession(database, live!);
  await insertSession(database, ended!, true);
  await query(
    `INSERT INTO revocations (id, tenant_id, user_id, at, reason, written_at)
      VALUES ('${ended!}', 'public', 'alice', 2, 'logout', 2)`,
    database,
  );
  const storage = await openForTest(url);
  const page = await storage.revocationsSince({ at: millis(0) });

  await storage.migrate();
  // A node of the release before that is still running.
  await insertSession(database, late!);
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
  await storage.revokeSessions({ kind: "ids", ids: [live!] }, { reason: "logout" });
  const cursor = page.kind === "page" ? page.cursor : "";
  expect(await storage.revocationsSince({ cursor })).toMatchObject({ items: [{ ...user, id: live }] });
});

it("keeps releases out that would not look for the key that a session is bound to", async () => {
  const { database, url } = await makeStoreOf(0);
  await (await openForTest(url)).migrate();
  expect(await query("SELECT version, readable_by FROM schema_versions ORDER BY version", database)).toStrictEqual([
    { version: 1, readable_by: 1 },
    { version: 2, readable_by: 2 },
    { version: 3, readable_by: 3 },
  ]);
});

/** A store of a migration that broke off after so many of its statements. */
const breakOff = async (migration: (typeof migrations)[number], done: number) => {
  const store = await makeStoreOf(migration.version - 1);
  for (const { text } of migration.statements.slice(0, done)) await query(text, store.database);
  return store;
};

it("goes on after any statement of the first migration, and keeps the life of the store", async () => {
  const [first] = migrations;
  for (let done = 0; done <= first!.statements.length; done += 1) {
    const { database, url } = await breakOff(first!, done);
    const epoch = () => query("SELECT epoch FROM feed", database).catch(() => []);
    const [before] = await epoch();
    const storage = await openForTest(url);
    await storage.migrate();
    const [after] = await epoch();
    expect(after).toMatchObject(before ?? { epoch: expect.anything() as unknown });
    expect(await storage.createSession(sessionRecord(storage))).toStrictEqual([]);
  }
});

it.each(migrations.slice(1))(
  "goes on after any statement of migration $version, and keeps what is there",
  async (migration) => {
    for (let done = 0; done <= migration.statements.length; done += 1) {
      const { database, url } = await breakOff(migration, done);
      await insertSession(database, live!);
      const storage = await openForTest(url);
      await storage.migrate();
      expect(await storage.getSession(live!)).toMatchObject({ id: live, facts: "{}", bound: "" });
      expect((await storage.changeSession(live!, { announced: true })).kind).toBe("changed");
    }
  },
);

it("adds its columns without rewriting the table", async () => {
  const { database } = await makeStoreOf(1);
  await insertSession(database, live!);
  const [columns] = migrations[1]!.statements;
  await query(`${columns!.text}, ALGORITHM = INSTANT`, database);
  expect(await query("SELECT CAST(facts AS CHAR) AS facts FROM sessions", database)).toStrictEqual([{ facts: "{}" }]);
});
