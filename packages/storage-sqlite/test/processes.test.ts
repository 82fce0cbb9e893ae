import { millis, openStorage, type SessionId } from "@pawl/storage";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { Database, type Query } from "../src/connection/database.js";
import { loadDriver } from "../src/connection/driver.js";
import { messageOf, startProcess } from "./child/process.js";
import { drivers } from "./drivers.js";
import { session } from "./child/session.mjs";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

const newPath = (): string => join(folder, `${crypto.randomUUID()}.db`);

const newUrl = (driver: string, path = newPath()): string => `sqlite:${path}?driver=${driver}`;

const open = async (url: string) => {
  const storage = await openStorage(url);
  onTestFinished(() => storage.close());
  await storage.migrate();
  return storage;
};

describe.each(drivers)("two processes on one file, %s", (driver) => {
  it("CVE-2026-1035: each session is rotated once between them", async () => {
    const url = newUrl(driver);
    const storage = await open(url);
    const records = Array.from({ length: 300 }, () => session());
    await Promise.all(records.map((record) => storage.createSession(record)));
    const child = startProcess("rotate", url);
    await messageOf(child);
    const ids = records.map(({ id }) => id);
    child.send(ids);
    const theirs = messageOf<readonly SessionId[]>(child);
    const results = await Promise.all(
      records.map(({ id, secretHash }) =>
        storage.rotate({
          id,
          seq: 0,
          iat: millis(0),
          secretHash,
          window: millis(30_000),
          lifetimes: { refreshValidity: millis(8_640_000_000) },
        }),
      ),
    );
    const ours = ids.filter((_, index) => results[index]?.minted);
    expect([...ours, ...(await theirs)].toSorted()).toStrictEqual(ids.toSorted());
    for (const id of ids) expect(await storage.getSession(id)).toMatchObject({ current: 0, next: 1 });
  });

  it("a revocation by one reaches the other within 250 ms", async () => {
    const url = newUrl(driver);
    const storage = await open(url);
    const child = startProcess("revoke", url);
    await messageOf(child);
    const delays: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const record = session();
      await storage.createSession(record);
      const start = await storage.revocationsSince({ at: millis(0) });
      const woken = new Promise<number>((resolve) => {
        const stop = storage.watchFeeds(() => {
          stop();
          resolve(performance.timeOrigin + performance.now());
        });
      });
      child.send(record.id);
      const durable = await messageOf<number>(child);
      delays.push((await woken) - durable);
      const cursor = start.kind === "page" ? start.cursor : "";
      expect(await storage.revocationsSince({ cursor })).toMatchObject({ items: [{ id: record.id }] });
    }
    // The middle one: a machine that has other things to do may be late now and then.
    expect(delays.toSorted((left, right) => left - right)[3]).toBeLessThan(250);
  });

  it("nothing is lost while both write and checkpoint, and the WAL stays small", async () => {
    const path = newPath();
    const url = newUrl(driver, path);
    const storage = await open(url);
    const children = [startProcess("load", url, "2048"), startProcess("load", url, "2048")];
    const written = await Promise.all(children.map((child) => messageOf<readonly SessionId[]>(child)));
    expect(statSync(path).size).toBeGreaterThan(16 * 1024 * 1024);
    expect(statSync(`${path}-wal`).size).toBeLessThan(12 * 1024 * 1024);
    const database = new Database(await loadDriver(driver), path);
    const integrity = "PRAGMA integrity_check" as Query<{ readonly integrity_check: string }>;
    expect(database.all(integrity)).toMatchObject([{ integrity_check: "ok" }]);
    database.close();
    const ids = written.flat();
    expect(ids).toHaveLength(4096);
    for (const id of ids) expect((await storage.getSession(id))?.data.length).toBe(4011);
  });
});

describe.each(drivers)("a process that is killed, %s", (driver) => {
  it("had on disk whatever it had acknowledged", async () => {
    const url = newUrl(driver);
    for (let round = 0; round < 10; round += 1) {
      const child = startProcess("write", url);
      const acknowledged = new Map<SessionId, string>();
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout! })) {
        const [what, id] = line.split(" ");
        if (what === undefined || id === undefined || id.length !== 36) break;
        acknowledged.set(id as SessionId, what);
        lines += 1;
        // Everything that it told before it died is still read after this.
        if (lines === 100 + 37 * round) child.kill("SIGKILL");
      }
      if (child.signalCode === null) await once(child, "exit");
      expect(child.signalCode).toBe("SIGKILL");
      const storage = await openStorage(url);
      for (const [id, what] of acknowledged) {
        const row = await storage.getSession(id);
        expect(row, `${what} ${id}`).toBeDefined();
        if (what !== "created") expect(row?.next, `${what} ${id}`).toBe(1);
        if (what === "revoked") expect(row?.endReason, `${what} ${id}`).toBe("logout");
      }
      await storage.close();
    }
  });
});
