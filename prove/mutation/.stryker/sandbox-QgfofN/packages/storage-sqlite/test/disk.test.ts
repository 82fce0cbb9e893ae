import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drivers } from "./drivers.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();
const program = new URL("child/disk.mjs", import.meta.url).pathname;

/** Whether a process may have a mount namespace of its own, and so a disk of its own. */
const mayMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", folder]).status === 0;

/** Runs a script in which `$PAWL` starts the program on a disk of so many MB, which is gone afterwards. */
const onDisk = (script: string, driver: string, size: number): unknown => {
  const disk = join(folder, crypto.randomUUID());
  mkdirSync(disk);
  const output = execFileSync(
    "unshare",
    ["-rm", "sh", "-ec", `mount -t tmpfs -o size=${size}m tmpfs "$DISK"\n${script}`],
    { env: { ...process.env, DISK: disk, NODE: process.execPath, PROGRAM: program, DRIVER: driver }, encoding: "utf8" },
  );
  return JSON.parse(output);
};

describe.skipIf(!mayMount).each(drivers)("a disk, %s", (driver) => {
  it("that is full: everyone is told, nothing acknowledged is lost, and it goes on when there is room", () => {
    const seen = onDisk('exec "$NODE" "$PROGRAM" full "$DRIVER" "$DISK"', driver, 2);
    const full = "StorageError unavailable: the disk is full";
    expect(seen).toMatchObject({ read: true, failures: [full], revoked: 1, endReason: "logout" });
    const { counts, found } = seen as Record<"counts" | "found", { acknowledged: number; refused: number }>;
    expect(counts.acknowledged).toBeGreaterThan(10);
    expect(found).toStrictEqual({ acknowledged: counts.acknowledged, refused: 0 });
  });

  it("that is read-only: the start says so, and succeeds when it can be written", () => {
    const script = [
      '"$NODE" "$PROGRAM" prepare "$DRIVER" "$DISK" > /dev/null',
      'mount -o remount,ro "$DISK"',
      'exec "$NODE" "$PROGRAM" read-only "$DRIVER" "$DISK"',
    ].join("\n");
    expect(onDisk(script, driver, 8)).toStrictEqual({
      refused: expect.stringContaining("StorageError read_only: the database cannot be written") as string,
      id: "prepared",
    });
  });
});
