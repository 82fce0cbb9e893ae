import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Checkpoint } from "../../src/connection/checkpoint.js";
import { Database, type Query, walLimit } from "../../src/connection/database.js";
import { loadDriver } from "../../src/connection/driver.js";
import { openStorage } from "../../src/index.js";
import { drivers } from "../drivers.js";
import { session } from "../child/session.mjs";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();

describe.each(drivers)("a checkpoint, %s", async (name) => {
  const driver = await loadDriver(name);

  const open = () => {
    const path = join(folder, `${crypto.randomUUID()}.db`);
    const [writer, copier, other] = [1, 2, 3].map(() => new Database(driver, path)) as [Database, Database, Database];
    onTestFinished(() => [writer, copier, other].forEach((database) => database.close()));
    writer.get("PRAGMA journal_mode = WAL");
    writer.exec("CREATE TABLE texts (text TEXT NOT NULL)");
    for (let count = 0; count < 100; count += 1) writer.exec(`INSERT INTO texts VALUES ('${"x".repeat(4000)}')`);
    return { path, writer, other, checkpoint: new Checkpoint({ writer, copier, walPath: `${path}-wal` }) };
  };

  it("is made by nobody but Checkpoint, and every commit is synced", () => {
    const { writer } = open();
    const setting = (pragma: string) => Object.values(writer.get(`PRAGMA ${pragma}` as Query<object>) ?? {})[0];
    expect(setting("wal_autocheckpoint")).toBe(0);
    expect(setting("synchronous")).toBe(2);
    expect(setting("journal_mode")).toBe("wal");
    expect(setting("foreign_keys")).toBe(0);
    expect(setting("busy_timeout")).toBeLessThanOrEqual(5);
  });

  it("waits while another process may commit", () => {
    const { path, other, checkpoint } = open();
    const before = statSync(path).size;
    other.exec("BEGIN IMMEDIATE");
    checkpoint.run();
    expect(statSync(path).size).toBe(before);
    other.exec("ROLLBACK");
    checkpoint.run();
    expect(statSync(path).size).toBeGreaterThan(before + 400_000);
  });

  it("leaves the WAL to be started again by the next commit", () => {
    const { path, writer, checkpoint } = open();
    const before = statSync(`${path}-wal`).size;
    for (let round = 0; round < 20; round += 1) {
      checkpoint.run();
      writer.exec(`UPDATE texts SET text = '${"y".repeat(4000 + round)}'`);
    }
    expect(statSync(`${path}-wal`).size).toBeLessThan(before * 4);
  });

  it("keeps the WAL small while the storage writes", async () => {
    const path = join(folder, `${crypto.randomUUID()}.db`);
    const storage = await openStorage(`sqlite:${path}?driver=${name}`);
    onTestFinished(() => storage.close());
    await storage.migrate();
    const data = JSON.stringify({ text: "x".repeat(20_000) });
    let largest = 0;
    for (let round = 0; round < 60; round += 1) {
      await Promise.all(Array.from({ length: 20 }, () => storage.createSession(session({ data }))));
      largest = Math.max(largest, statSync(`${path}-wal`).size);
    }
    expect(statSync(path).size).toBeGreaterThan(20 * 1024 * 1024);
    expect(largest).toBeGreaterThan(walLimit);
    expect(largest).toBeLessThan(2 * walLimit);
  });
});
