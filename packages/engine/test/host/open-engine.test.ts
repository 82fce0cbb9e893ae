import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStorage } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OpenedEngine, openEngine, type OpenEngineOptions } from "../../src/host/index.js";
import { claimsOf, refresh, refreshed, StandingClock, USER } from "../engines.js";

const KEY = Buffer.alloc(32, 1).toString("base64");
const OTHER_KEY = Buffer.alloc(32, 2).toString("base64");

let folder: string;
let opened: OpenedEngine[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-open-"));
  opened = [];
});

afterEach(async () => {
  for (const engine of opened) await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const database = (): string => `sqlite:${join(folder, "sessions.db")}`;
const keyFile = (): string => join(folder, "sessions.db.key");

const open = async (options: Partial<OpenEngineOptions> = {}): Promise<OpenedEngine> => {
  const engine = await openEngine({ storage: database(), ...options });
  opened.push(engine);
  return engine;
};

const closeAll = async (): Promise<void> => {
  for (const engine of opened.splice(0)) await engine.close();
};

describe("openEngine", () => {
  it("opens a database file, makes its key, and finds its sessions again after a restart", async () => {
    const clock = new StandingClock();
    const first = await open({ clock, policy: { enableAntiCsrf: false } });
    const session = await first.engine.createSession({ userId: USER });
    await closeAll();
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    expect(await readFile(keyFile(), "utf8")).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect((await readdir(folder)).filter((name) => name.includes(".key"))).toEqual(["sessions.db.key"]);

    const second = await open({ clock });
    expect((await claimsOf(second.engine, session)).userId).toBe(USER);
    refreshed(await refresh(second.engine, session));
  });

  it.skipIf(process.platform === "win32").each([
    [0o600, undefined],
    [0o640, undefined],
    [0o644, "mode 0644"],
    [0o604, "mode 0604"],
  ])("a file of master keys of the mode %o is opened with the warning %s", async (mode, warning) => {
    for (const [path, options] of [
      [join(folder, "keys"), { masterKeyFile: join(folder, "keys") }],
      [keyFile(), {}],
    ] as const) {
      const warnings: string[] = [];
      await writeFile(path, KEY);
      await chmod(path, mode);
      const { engine } = await open({ ...options, onWarning: (message) => warnings.push(message) });
      await engine.maintainMasterKeys();
      expect(warnings).toHaveLength(warning === undefined ? 0 : 1);
      if (warning !== undefined) expect(warnings[0]).toContain(`master key file ${path} (${warning})`);
      expect(warnings.join("")).not.toContain(KEY);
      await closeAll();
    }
  });

  it("started many times at once ends with one key and one set of signing keys", async () => {
    const engines = await Promise.all(Array.from({ length: 8 }, () => open()));
    const session = await (await open()).engine.createSession({ userId: USER });
    for (const { engine } of engines) {
      await claimsOf(engine, session);
      refreshed(await refresh(engine, session));
    }
    expect((await readdir(folder)).filter((name) => name.includes(".key"))).toEqual(["sessions.db.key"]);
  });

  it("tells that the key file is gone, rather than making another", async () => {
    await open();
    await closeAll();
    await rm(keyFile());
    await expect(open()).rejects.toMatchObject({ code: "master_key_missing", message: /^key file missing: / });
    await expect(stat(keyFile())).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("tells a wrong key at once, also one that another process has put into the file", async () => {
    await open({ masterKey: KEY });
    await closeAll();
    await expect(open({ masterKey: OTHER_KEY })).rejects.toMatchObject({ code: "master_key_wrong" });
    await writeFile(keyFile(), OTHER_KEY);
    await expect(open()).rejects.toMatchObject({ code: "master_key_wrong" });
    await open({ masterKey: KEY });
  });

  it("takes a new master key before the old one, then the new one alone once nothing needs the old", async () => {
    const { engine } = await open({ masterKey: KEY });
    const session = await engine.createSession({ userId: USER });
    await closeAll();
    const both = await open({ masterKey: `${OTHER_KEY},${KEY}` });
    const turned = refreshed(await refresh(both.engine, session));
    await closeAll();
    const swapped = await open({ masterKey: `${KEY},${OTHER_KEY}` });
    refreshed(await refresh(swapped.engine, turned));
  });

  it.each([
    ["empty", "", "master_key_missing"],
    ["no base64", "not a key", "master_key_invalid"],
    ["too short", Buffer.alloc(31).toString("base64"), "master_key_invalid"],
  ])("refuses a key file that is %s and says nothing of its content", async (_name, content, code) => {
    const path = join(folder, "master.key");
    await writeFile(path, content);
    const error: unknown = await open({ masterKeyFile: path }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "EngineError", code });
    if (content !== "") expect(String(error)).not.toContain(content);
  });

  it("refuses a key file that is missing, or a folder", async () => {
    await expect(open({ masterKeyFile: join(folder, "none") })).rejects.toMatchObject({ code: "master_key_missing" });
    await mkdir(join(folder, "dir"));
    await expect(open({ masterKeyFile: join(folder, "dir") })).rejects.toMatchObject({
      code: "master_key_missing",
      message: expect.stringContaining("EISDIR"),
    });
    await expect(open({ masterKey: KEY, masterKeyFile: "x" })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("needs no key for what lives in memory", async () => {
    for (const storage of ["memory:", "sqlite::memory:", new MemoryStorage()]) {
      const { engine } = await open({ storage });
      await claimsOf(engine, await engine.createSession({ userId: USER }));
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses a shared database without a key and says how to make one", async () => {
    // How many share a storage that was opened elsewhere cannot be seen.
    const storage = await openStorage(database());
    await expect(open({ storage })).rejects.toMatchObject({
      code: "master_key_missing",
      message: expect.stringContaining("openssl rand -base64 32"),
    });
    const { close } = await openEngine({ storage, masterKey: KEY });
    await close();
    await storage.close();
  });

  it("closes what it opened, also when it fails, and leaves a given storage to its owner", async () => {
    const storage = new MemoryStorage();
    const { close } = await openEngine({ storage });
    await close();
    await storage.ping();
    const own = await openEngine({ storage: "memory:" });
    await own.close();
    await expect(own.storage.ping()).rejects.toMatchObject({ code: "closed" });
    await expect(open({ policy: { reuseWindow: -1 as never } })).rejects.toMatchObject({ code: "invalid_input" });
    // The file is free again.
    await rm(join(folder, "sessions.db"));
  });

  it("refuses a URL that no storage answers to", async () => {
    await expect(open({ storage: "nonsense" })).rejects.toMatchObject({ name: "StorageError", code: "invalid_url" });
  });
});
