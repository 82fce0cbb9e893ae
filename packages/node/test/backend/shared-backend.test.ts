import { mkdtempSync, readdirSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";

let folder: string;
let storage: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pawl-shared-"));
  storage = `sqlite:${join(folder, "sessions.db")}`;
});
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const pawl of open.splice(0)) await pawl.close();
  await rm(folder, { recursive: true });
});

/** How often this process has the database open. */
const connections = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === join(folder, "sessions.db");
    } catch {
      return false;
    }
  }).length;

/** An instance made by modules that were evaluated anew, as after a change during development. */
const evaluate = async (options: object = { storage }) => {
  vi.resetModules();
  const { createPawl } = await import("../../src/index.js");
  const pawl = createPawl(options as never);
  open.push(pawl);
  await pawl.ready();
  return pawl;
};

describe("during development", () => {
  beforeEach(() => vi.stubEnv("NODE_ENV", "development"));

  it("a module that is evaluated again goes on with the connections there are", async () => {
    const before = await evaluate();
    const { accessToken } = await before.tokens.create({ userId: "alice" });
    const once = connections();
    expect(once).toBeGreaterThan(0);
    for (let change = 0; change < 3; change++) {
      const pawl = await evaluate();
      expect(await pawl.tokens.verify(accessToken)).toMatchObject({ userId: "alice" });
      expect(connections()).toBe(once);
    }
  });

  it("what a module says of its own, hooks and schemas, is that of the newest", async () => {
    const { handle } = await (
      await evaluate({ storage, onTokenTheft: () => undefined })
    ).tokens.create({
      userId: "alice",
    });
    const once = connections();
    const payload = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "is new" }] }) },
    };
    const pawl = await evaluate({ storage, payload, basePath: "/auth" });
    await expect(pawl.tokens.create({ userId: "alice" })).rejects.toThrow("is new");
    expect(await pawl.sessions.get(handle)).toBeDefined();
    expect(connections()).toBe(once);
  });

  it("one that is closed leaves the others working, and the last one lets go", async () => {
    const [first, second] = [await evaluate(), await evaluate()];
    await first.close();
    await first.close();
    const { accessToken } = await second.tokens.create({ userId: "alice" });
    const once = connections();
    await second.close();
    // Another one, for the first is closed: this driver lets go of its files later.
    expect(await (await evaluate()).tokens.verify(accessToken)).toMatchObject({ userId: "alice" });
    expect(connections()).toBeGreaterThan(once);
  });

  it("instances with other rules, or in memory, stay apart", async () => {
    await evaluate();
    const once = connections();
    await evaluate({ storage, accessTokenValidity: "5m" });
    expect(connections()).toBe(2 * once);
    for (const memory of ["memory:", "sqlite::memory:"]) {
      const [one, other] = [await evaluate({ storage: memory }), await evaluate({ storage: memory })];
      const { handle } = await one.tokens.create({ userId: "alice" });
      expect([memory, await other.sessions.get(handle)]).toEqual([memory, undefined]);
    }
  });

  it("what could not be opened is opened by the next who asks", async () => {
    const elsewhere = `sqlite:${join(folder, "missing", "sessions.db")}`;
    await expect(evaluate({ storage: elsewhere })).rejects.toMatchObject({ code: "UNKNOWN" });
    await (await import("node:fs/promises")).mkdir(join(folder, "missing"));
    await expect(evaluate({ storage: elsewhere })).resolves.toBeDefined();
  });
});

test.each(["production", "test", ""])("with NODE_ENV=%s each instance has connections of its own", async (name) => {
  vi.stubEnv("NODE_ENV", name);
  await evaluate();
  const once = connections();
  await evaluate();
  expect(connections()).toBe(2 * once);
});
