import { type SessionId, StorageError } from "@pawl/storage";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Database } from "../src/connection/database.js";
import { loadDriver } from "../src/connection/driver.js";
import { openStorage } from "../src/index.js";
import { schemaVersion } from "../src/migrations.js";
import { messageOf, startProcess } from "./child/process.js";
import { drivers } from "./drivers.js";
import { session } from "./child/session.mjs";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

describe.each(drivers)("failures of the store, %s", async (name) => {
  const driver = await loadDriver(name);
  const newPath = (): string => join(folder, `${crypto.randomUUID()}.db`);
  const urlOf = (path: string, options = ""): string => `sqlite:${path}?driver=${name}${options}`;

  const open = async (path: string, options?: string) => {
    const storage = await openStorage(urlOf(path, options));
    onTestFinished(() => storage.close());
    await storage.migrate();
    return storage;
  };

  const connect = (path: string): Database => {
    const database = new Database(driver, path);
    onTestFinished(() => database.close());
    return database;
  };

  it("a folder that is missing, and works once it is there", async () => {
    const path = join(folder, crypto.randomUUID(), "pawl.db");
    await expect(openStorage(urlOf(path))).rejects.toMatchObject({
      name: "StorageError",
      code: "unavailable",
      message: expect.stringContaining(path) as string,
    });
    mkdirSync(join(path, ".."));
    await (await open(path)).ping();
  });

  it("a folder in place of the file", async () => {
    const path = newPath();
    mkdirSync(path);
    await expect(openStorage(urlOf(path))).rejects.toMatchObject({ name: "StorageError", code: "unavailable" });
  });

  it("a file that others may not read, nor those beside it", async () => {
    const path = newPath();
    await open(path);
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(`${path}${suffix}`).mode & 0o777).toBe(0o600);
  });

  it("a file that is removed or replaced while it is open: nothing more is acknowledged, and no file is made", async () => {
    for (const replace of [false, true]) {
      const path = newPath();
      const storage = await openStorage(urlOf(path));
      await storage.migrate();
      await storage.createSession(session());
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
      if (replace) writeFileSync(path, "another file");
      const failure = { code: "unavailable", message: expect.stringContaining("removed or replaced") as string };
      await expect(storage.createSession(session())).rejects.toMatchObject(failure);
      await expect(storage.ping()).rejects.toMatchObject(failure);
      await storage.close();
      expect(existsSync(path)).toBe(replace);
      if (replace) expect(readFileSync(path, "utf8")).toBe("another file");
    }
  });

  it("a file that is no database is left as it is", async () => {
    const path = newPath();
    const text = "These are the notes of somebody who gave the wrong path.\n".repeat(100);
    writeFileSync(path, text);
    await expect(openStorage(urlOf(path))).rejects.toMatchObject({
      name: "StorageError",
      code: "corrupt",
      message: "the file is not an SQLite database",
    });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("a database that is damaged", async () => {
    const path = newPath();
    const first = await open(path);
    await Promise.all(Array.from({ length: 500 }, () => first.createSession(session())));
    const record = session();
    await first.createSession(record);
    await first.close();
    const database = connect(path);
    database.get("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const file = openSync(path, "r+");
    // All but the first page, which holds the schema.
    writeSync(file, Buffer.alloc(statSync(path).size - 4096, 0x5a), 0, null, 4096);
    closeSync(file);
    await expect(openStorage(urlOf(path))).rejects.toMatchObject({
      name: "StorageError",
      code: "corrupt",
      message: "the database file is damaged",
    });
  });

  it("a database of somebody else's", async () => {
    const path = newPath();
    connect(path).exec("CREATE TABLE sessions (id INTEGER PRIMARY KEY, cookie TEXT)");
    const storage = await openStorage(urlOf(path));
    onTestFinished(() => storage.close());
    await expect(storage.migrate()).rejects.toMatchObject({ name: "StorageError", code: "corrupt" });
    await expect(storage.createSession(session())).rejects.toMatchObject({ name: "StorageError", code: "corrupt" });
  });

  it("a database without tables, until they are made", async () => {
    const storage = await openStorage(urlOf(newPath()));
    onTestFinished(() => storage.close());
    const record = session();
    for (const call of [() => storage.createSession(record), () => storage.getSession(record.id), () => storage.ping()])
      await expect(call()).rejects.toMatchObject({
        code: "unavailable",
        message: "the database has no tables yet: migrate() makes them",
      });
    await storage.migrate();
    await storage.createSession(record);
    expect(await storage.getSession(record.id)).toStrictEqual(record);
  });

  it("a database from a newer release, unless that says that this one can use it", async () => {
    const path = newPath();
    const first = await open(path);
    const record = session();
    await first.createSession(record);
    const database = connect(path);
    const add = (version: number, readableBy: number): void =>
      database.exec(`INSERT INTO schema_versions VALUES (${version}, ${readableBy}, 0)`);
    add(schemaVersion + 1, schemaVersion);
    const second = await open(path);
    expect(await second.getSession(record.id)).toStrictEqual(record);
    add(schemaVersion + 2, schemaVersion + 1);
    await expect(openStorage(urlOf(path))).rejects.toMatchObject({
      name: "StorageError",
      code: "newer_schema",
      message: expect.stringContaining(
        `version ${schemaVersion + 2}, made by a newer release; this one knows version ${schemaVersion}: upgrade`,
      ) as string,
    });
    await expect(first.migrate()).rejects.toMatchObject({ code: "newer_schema" });
  });

  it("a database that is locked for writing: reads go on, writes wait, fail, and work again", async () => {
    const path = newPath();
    const storage = await open(path, "&lock_timeout=150");
    const record = session();
    await storage.createSession(record);
    const other = connect(path);
    other.exec("BEGIN IMMEDIATE");
    const writes = await Promise.allSettled([
      storage.createSession(session()),
      storage.changeSession(record.id, { payload: '{"a":1}' }),
      storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
      storage.ping(),
    ]);
    for (const outcome of writes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "StorageError", code: "unavailable" } });
    expect(await storage.getSession(record.id)).toStrictEqual(record);
    other.exec("ROLLBACK");
    expect(await storage.changeSession(record.id, { payload: '{"a":1}' })).toMatchObject({ kind: "changed" });
  });

  it("a database that another process keeps for itself: everything fails, and works again", async () => {
    const path = newPath();
    const writer = startProcess("load", urlOf(path), "32");
    const ids = await messageOf<readonly SessionId[]>(writer);
    if (writer.exitCode === null) await once(writer, "exit");
    const owner = startProcess("own", path);
    await messageOf(owner);
    await expect(openStorage(urlOf(path, "&lock_timeout=100"))).rejects.toMatchObject({
      code: "unavailable",
      message: "the database is locked by another process",
    });
    const waiting = openStorage(urlOf(path));
    owner.kill("SIGKILL");
    const storage = await waiting;
    onTestFinished(() => storage.close());
    for (const id of ids) expect(await storage.getSession(id)).toMatchObject({ id });
    await storage.ping();
  });

  it("a value that cannot be stored is not the store's failure", async () => {
    const storage = await open(newPath());
    const rejected = [
      session({ createdAt: 0.5 as never }),
      session({ expiresAt: Number.NaN as never }),
      session({ current: "many" as never }),
    ];
    const good = session();
    const outcomes = await Promise.allSettled([...rejected, good].map((record) => storage.createSession(record)));
    expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined))).toMatchObject([
      { code: "invalid_record" },
      { code: "invalid_record" },
      { code: "invalid_record" },
      undefined,
    ]);
    expect(await storage.getSession(good.id)).toStrictEqual(good);
  });

  it("tells no value in a message", async () => {
    const storage = await open(newPath());
    const record = session({ secretHash: "canary-hash", payload: '{"canary":1}' });
    await storage.createSession(record);
    const error: unknown = await storage.createSession(record).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageError);
    const told = [
      (error as Error).message,
      String((error as Error).cause),
      JSON.stringify((error as Error).cause),
    ].join();
    expect(told).not.toContain("canary");
    expect(told).not.toContain(record.id);
  });
});
