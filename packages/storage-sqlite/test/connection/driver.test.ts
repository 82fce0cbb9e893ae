import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadDriver } from "../../src/connection/driver.js";
import { openStorage } from "../../src/index.js";
import { hasNodeSqlite } from "../drivers.js";
import { session } from "../child/session.mjs";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();

const built = new URL("../../dist/connection/driver.js", import.meta.url).href;

const runModule = (source: string, cwd?: string) =>
  spawnSync(process.execPath, ["--input-type=module", "--eval", source], { encoding: "utf8", cwd });

describe("the driver", () => {
  it("is Node's own where there is one, otherwise libsql", async () => {
    expect((await loadDriver(undefined)).name).toBe(hasNodeSqlite ? "node" : "libsql");
    expect((await loadDriver("libsql")).name).toBe("libsql");
  });

  it("loads libsql only when it is needed", () => {
    const source = `
      import { loadDriver } from ${JSON.stringify(built)};
      await loadDriver(undefined);
      const { report } = process;
      process.stdout.write(String(report.getReport().sharedObjects.some((path) => path.includes("libsql"))));
    `;
    expect(runModule(source).stdout).toBe(String(!hasNodeSqlite));
  });

  it("names libsql where that has to be installed", () => {
    for (const name of ["storage", "storage-sqlite"])
      for (const part of ["package.json", "dist"])
        cpSync(
          new URL(`../../../${name}/${part}`, import.meta.url),
          join(folder, "application/node_modules/@pawl", name, part),
          { recursive: true },
        );
    const source = `
      import { openStorage } from "@pawl/storage";
      await openStorage("sqlite::memory:?driver=libsql").catch(({ code, message }) => process.stdout.write(code + ": " + message));
    `;
    expect(runModule(source, join(folder, "application")).stdout).toBe(
      "adapter_missing: SQLite needs Node.js 22.13 or newer, or the package libsql: run npm install libsql",
    );
  });

  it("prints no warning that SQLite is experimental, and keeps back no other", () => {
    const source = `
      import { loadDriver } from ${JSON.stringify(built)};
      await loadDriver(undefined);
      process.emitWarning("the other one", "ExperimentalWarning");
    `;
    const { stderr } = runModule(source);
    expect(stderr).not.toContain("SQLite");
    expect(stderr).toContain("the other one");
  });

  it.skipIf(!hasNodeSqlite)("may change between two starts on one file", async () => {
    const path = join(folder, "both.db");
    const record = session();
    for (const [index, driver] of (["libsql", "node", "libsql"] as const).entries()) {
      const storage = await openStorage(`sqlite:${path}?driver=${driver}`);
      await storage.migrate();
      if (index === 0) await storage.createSession(record);
      expect(await storage.getSession(record.id)).toMatchObject({
        id: record.id,
        data: index === 2 ? '{"by":"node"}' : "{}",
      });
      if (index === 1) await storage.changeSession(record.id, { data: '{"by":"node"}' });
      await storage.close();
    }
  });
});
