import { millis, NEVER } from "@pawl/storage";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Database, type Query } from "../src/connection/database.js";
import { loadDriver } from "../src/connection/driver.js";
import { openStorage } from "../src/index.js";
import { migrations, schemaVersion } from "../src/migrations.js";
import { session } from "./child/session.mjs";
import { drivers } from "./drivers.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

describe.each(drivers)("a store of the version before, %s", async (name) => {
  const driver = await loadDriver(name);

  /** A store as the release that knew version 2 left it. */
  const storeOfVersion2 = (rows: string) => {
    const path = join(folder, `${crypto.randomUUID()}.db`);
    const database = new Database(driver, path);
    onTestFinished(() => database.close());
    for (const { version, sql } of migrations) if (version <= 2) database.exec(sql);
    database.exec(`
      CREATE TABLE schema_versions (version INTEGER NOT NULL PRIMARY KEY, readable_by INTEGER NOT NULL,
        applied_at INTEGER NOT NULL) STRICT;
      INSERT INTO schema_versions VALUES (1, 1, 0), (2, 1, 0);
      ${rows}`);
    return { database, url: `sqlite:${path}?driver=${name}` };
  };

  it("keeps its rows, and they have the defaults of what is new", async () => {
    const live = session({ payload: '{"role":"reader"}', device: "Firefox" });
    const ended = session({ endedAt: millis(1000), endReason: "logout" });
    const values = [live, ended].map(
      (row) => `('${row.id}', 'public', 'alice', '${row.secretHash}', 0, 0, 0, 'dynamic', ${row.createdAt},
        ${row.lastActiveAt}, ${row.expiresAt}, ${NEVER}, ${row.endedAt ?? "NULL"},
        ${row.endReason === undefined ? "NULL" : "'logout'"}, ${row.expiresAt},
        ${row.device === undefined ? "NULL" : "'Firefox'"}, NULL, '${row.payload}', '{}')`,
    );
    const { url } = storeOfVersion2(`
      INSERT INTO sessions VALUES ${values.join(", ")};
      INSERT INTO revocations (session_id, tenant_id, user_id, at, reason)
      VALUES ('${ended.id}', 'public', 'alice', 1000, 'logout')`);
    const storage = await openStorage(url);
    onTestFinished(() => storage.close());
    await storage.migrate();
    await storage.migrate();

    expect(await storage.getSession(live.id)).toStrictEqual(live);
    expect(await storage.getSession(ended.id)).toStrictEqual(ended);
    expect(await storage.revocationsSince({ at: millis(0) })).toMatchObject({ items: [{ id: ended.id }] });
    expect(await storage.changesSince({ at: millis(0) })).toMatchObject({ items: [] });
    const attempt = { id: live.id, seq: 0, iat: millis(0), secretHash: live.secretHash, window: millis(30_000) };
    const lifetimes = { refreshValidity: millis(8_640_000_000) };
    expect(await storage.rotate({ ...attempt, lifetimes })).toMatchObject({ minted: true, record: { facts: "{}" } });
    expect(await storage.changeSession(live.id, { facts: '{"a":1}', announced: true })).toMatchObject({
      record: { factsVersion: 1, payloadVersion: 1 },
    });
  });

  it("is not one that the release before can open any more", async () => {
    const { database, url } = storeOfVersion2("");
    const storage = await openStorage(url);
    await storage.migrate();
    await storage.close();
    const newest = "SELECT version, readable_by FROM schema_versions ORDER BY version DESC LIMIT 1" as Query<object>;
    expect(database.get(newest)).toMatchObject({ version: schemaVersion, readable_by: 4 });
  });
});
