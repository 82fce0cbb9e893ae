import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryStorage, openStorage } from "../src/index.js";

const storagePackage = new URL("..", import.meta.url).pathname;

/** An application with the built storage package and no adapter, or one that is broken. */
const makeApplication = (adapter?: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-storage-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const modules = join(folder, "node_modules", "@pawl");
  for (const part of ["package.json", "dist"])
    cpSync(join(storagePackage, part), join(modules, "storage", part), { recursive: true });
  if (adapter !== undefined) {
    mkdirSync(join(modules, "storage-sqlite"));
    writeFileSync(join(modules, "storage-sqlite", "package.json"), '{"type":"module","exports":"./index.js"}');
    writeFileSync(join(modules, "storage-sqlite", "index.js"), adapter);
  }
  return folder;
};

const failureIn = (folder: string, url: string): unknown => {
  const source = `
    import { openStorage } from "@pawl/storage";
    await openStorage(${JSON.stringify(url)}).catch(({ name, code, message }) =>
      process.stdout.write(JSON.stringify({ name, code, message })));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", source], { cwd: folder });
  return JSON.parse(output.toString());
};

describe("openStorage", () => {
  it("opens memory without an adapter", async () => {
    const storage = await openStorage("memory:");
    expect(storage).toBeInstanceOf(MemoryStorage);
    expect(Math.abs(storage.now() - Date.now())).toBeLessThan(1000);
    await storage.close();
  });

  it("loads the adapter that the scheme names", async () => {
    const storage = await openStorage("sqlite::memory:", { clock: { now: () => 5 as never } });
    expect(storage.now()).toBe(5);
    await storage.migrate();
    await storage.ping();
    await storage.close();
  });

  it.each([
    "",
    "pawl.db",
    "./pawl.db",
    "/var/lib/pawl.db",
    "mongodb://localhost",
    "file:x",
    "SQLITE:x",
    "constructor:x",
  ])("refuses %j", async (url) => {
    await expect(openStorage(url)).rejects.toMatchObject({
      name: "StorageError",
      code: "invalid_url",
      message: expect.stringContaining("sqlite:./pawl.db or memory:") as string,
    });
  });

  it.each([
    ["sqlite:./pawl.db", "@pawl/storage-sqlite"],
    ["postgres://localhost/pawl", "@pawl/storage-postgres"],
    ["mariadb://localhost/pawl", "@pawl/storage-mysql"],
    ["rediss://localhost", "@pawl/storage-redis"],
  ])("names the package that %s needs", (url, name) => {
    expect(failureIn(makeApplication(), url)).toMatchObject({
      name: "StorageError",
      code: "adapter_missing",
      message: expect.stringContaining(`run npm install ${name}`) as string,
    });
  });

  it("tells an adapter that is missing from one that misses something itself", () => {
    expect(failureIn(makeApplication('import "its-driver";'), "sqlite:./pawl.db")).toMatchObject({
      code: "adapter_missing",
      message: expect.stringContaining("needs its-driver, which is missing") as string,
    });
    expect(failureIn(makeApplication('throw new TypeError("a defect");'), "sqlite:./pawl.db")).toMatchObject({
      name: "TypeError",
      message: "a defect",
    });
  });
});
