import { openSync, readSync, closeSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Database } from "../../src/connection/database.js";
import { loadDriver } from "../../src/connection/driver.js";
import { WriteGroup } from "../../src/connection/write-group.js";
import { drivers } from "../drivers.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();

/** Counts the transactions in a WAL: frames that carry the size of the database after a commit (sqlite.org/walformat). */
const commitsIn = (wal: string): number => {
  const file = openSync(wal, "r");
  try {
    const bytes = Buffer.alloc(statSync(wal).size);
    readSync(file, bytes, 0, bytes.length, 0);
    const pageSize = bytes.readUInt32BE(8);
    let commits = 0;
    for (let frame = 32; frame + 24 + pageSize <= bytes.length; frame += 24 + pageSize)
      if (bytes.readUInt32BE(frame + 4) !== 0) commits += 1;
    return commits;
  } finally {
    closeSync(file);
  }
};

describe.each(drivers)("a group of writes, %s", async (name) => {
  const driver = await loadDriver(name);

  const open = (lockTimeout = 5000) => {
    const path = join(folder, `${crypto.randomUUID()}.db`);
    const database = new Database(driver, path);
    const other = new Database(driver, path);
    onTestFinished(() => {
      other.close();
      database.close();
    });
    database.get("PRAGMA journal_mode = WAL");
    database.exec("CREATE TABLE numbers (number INTEGER NOT NULL PRIMARY KEY) STRICT");
    let commits = 0;
    const checkpoint = { isDue: () => ((commits += 1), false), run: () => undefined };
    const group = new WriteGroup(database, { lockTimeout, beforeBegin: () => undefined, checkpoint });
    const insert = (number: number) =>
      group.run(() => database.run("INSERT INTO numbers (number) VALUES (:number)", { number }));
    const numbers = () => other.all<{ number: number }>("SELECT number FROM numbers").map(({ number }) => number);
    return { path, database, other, group, insert, numbers, checkpoint, commits: () => commits };
  };

  it("is one transaction for one turn of the event loop", async () => {
    const { path, insert, numbers, commits } = open();
    const before = commitsIn(`${path}-wal`);
    await Promise.all(Array.from({ length: 100 }, (_, number) => insert(number)));
    expect(commitsIn(`${path}-wal`) - before).toBe(1);
    expect(commits()).toBe(1);
    expect(numbers()).toHaveLength(100);
  });

  it("is committed as it stands when its writes take long, and the rest follows in order", async () => {
    const { database, group, numbers, commits } = open();
    const slow = (number: number) => {
      for (const until = performance.now() + 30; performance.now() < until;);
      return database.run("INSERT INTO numbers (number) VALUES (:number)", { number });
    };
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((number) => group.run(() => slow(number)).then(() => order.push(number))));
    expect(commits()).toBe(3);
    expect(order).toStrictEqual([1, 2, 3]);
    expect(numbers()).toStrictEqual([1, 2, 3]);
  });

  it("leaves a checkpoint a turn of its own between two groups", async () => {
    const { group, insert, checkpoint, numbers } = open();
    let turn = 0;
    const ticking = (): void => {
      turn += 1;
      immediate = setImmediate(ticking);
    };
    let immediate = setImmediate(ticking);
    onTestFinished(() => clearImmediate(immediate));
    const turns: [string, number][] = [];
    checkpoint.isDue = () => true;
    checkpoint.run = () => void turns.push(["checkpoint", turn]);
    const first = insert(1).then(() => void group.run(() => turns.push(["group", turn])));
    await first;
    await insert(2);
    const [[one, at], [other, later]] = turns as [[string, number], [string, number]];
    expect([one, other]).toStrictEqual(["checkpoint", "group"]);
    expect(later).toBeGreaterThan(at);
    expect(numbers()).toStrictEqual([1, 2]);
  });

  it("is durable before anyone is told", async () => {
    const { insert, numbers } = open();
    const seen = await Promise.all([1, 2, 3].map((number) => insert(number).then(() => numbers().length)));
    expect(seen).toStrictEqual([3, 3, 3]);
  });

  it("does without those that fail", async () => {
    const { group, insert, numbers } = open();
    const outcomes = await Promise.allSettled([
      insert(1),
      insert(1),
      insert(2),
      group.run(() => {
        throw new TypeError("a defect");
      }),
      insert(3.5),
      insert(4),
    ]);
    expect(
      outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as Error).name : "done")),
    ).toStrictEqual(["done", "StorageError", "done", "TypeError", "StorageError", "done"]);
    expect(numbers()).toStrictEqual([1, 2, 4]);
  });

  it("takes back what one that fails had done", async () => {
    const { database, group, insert, numbers } = open();
    const half = group.run(() => {
      database.exec("INSERT INTO numbers (number) VALUES (7)");
      throw new Error("half-way");
    });
    const [outcome] = await Promise.allSettled([half, insert(8)]);
    expect(outcome).toMatchObject({ status: "rejected", reason: { message: "half-way" } });
    expect(numbers()).toStrictEqual([8]);
  });

  it("waits for a lock without holding the event loop, in order, and then gives up", async () => {
    const { other, insert, numbers } = open(300);
    other.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    onTestFinished(() => clearInterval(ticking));
    const started = performance.now();
    await expect(Promise.all([insert(1), insert(2)])).rejects.toMatchObject({
      code: "unavailable",
      message: "the database is locked by another process",
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(300);
    expect(turns).toBeGreaterThan(20);
    const waiting = [insert(3), insert(4), insert(5)];
    setTimeout(() => other.exec("ROLLBACK"), 30);
    await Promise.all(waiting);
    expect(numbers()).toStrictEqual([3, 4, 5]);
  });
});
