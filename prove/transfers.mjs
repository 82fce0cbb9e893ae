// kill -9 of `pawl sessions export` and `import` at any moment; run again, nothing may be lost, changed or there twice.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketOfUser, openStorage } from "@pawl/storage";
import { openStore } from "./nodes/stores.mjs";
import { createRandom } from "./random.mjs";

const binary = new URL("../packages/core/bin/pawl.js", import.meta.url).pathname;

const SESSIONS = 5000;
const DAY = 86_400_000;

/** Runs a command and kills it after a while. @returns whether it had ended by itself. */
const runAndKill = (args, { cwd, after }) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [binary, "sessions", ...args], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    const timer = after === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), after);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0 || code === null) resolve(code === 0);
      else reject(new Error(`${args[0]} ended with ${code}: ${said}`));
    });
  });

/** An id as the engine makes it: it begins with the user's bucket. */
const idOf = (owner) => bucketOfUser(owner).toString(16).padStart(4, "0") + crypto.randomUUID().slice(4);

const session = (random, owner) => ({
  id: idOf(owner),
  ...owner,
  secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
  current: 0,
  next: 0,
  issuedAt: 0,
  keyKind: "dynamic",
  payload: JSON.stringify({ number: random.below(1000) }),
  data: JSON.stringify({ text: "x".repeat(random.below(300)) }),
  createdAt: Date.now(),
  lastActiveAt: Date.now(),
  expiresAt: Date.now() + 100 * DAY,
  idleExpiresAt: 8_640_000_000_000_000,
});

/** A row as text, whatever the order in which a storage gives its columns. */
const textOf = (row) => JSON.stringify(row, Object.keys(row).toSorted());

const open = async (url) => {
  const storage = await openStorage(url);
  await storage.migrate();
  return storage;
};

/** Moves sessions from SQLite to a storage, from it to SQLite, and so on. @param count how many kills. */
export const transfers = (name) => async (count, seed, progress) => {
  const random = createRandom(seed);
  let failures = 0;
  let kills = 0;
  let moves = 0;
  while (kills < count) {
    const folder = mkdtempSync(join(tmpdir(), "pawl-transfers-"));
    const store = await openStore(name);
    const ends = [`sqlite:${join(folder, "sessions.db")}`, store.url];
    const [from, to] = moves % 2 === 0 ? ends : ends.toReversed();
    try {
      const source = await open(from);
      const rows = new Map();
      for (let index = 0; index < SESSIONS; index += 500) {
        const batch = Array.from({ length: 500 }, (_, offset) =>
          session(random, { tenantId: "public", userId: `user-${index + offset}` }),
        );
        for (const row of batch) rows.set(row.id, textOf(row));
        await source.importSessions(batch);
      }
      await source.close();
      for (const [step, address] of [
        ["export", from],
        ["import", to],
      ]) {
        for (let killed = 0; ; killed += 1) {
          const resume = step === "export" && existsSync(join(folder, "sessions.ndjson")) ? ["--resume"] : [];
          const args = [step, "sessions.ndjson", "--storage", address, ...resume];
          // After ten kills it may end; sooner, where few are asked for.
          const after = killed < Math.min(10, count / 2) ? { after: 250 + random.below(900) } : {};
          if (await runAndKill(args, { cwd: folder, ...after })) break;
          kills += 1;
          progress(kills);
        }
      }
      const target = await open(to);
      for (let after; ;) {
        const { items, next } = await target.listSessions(
          {},
          { limit: 500, ...(after === undefined ? {} : { after }) },
        );
        for (const row of items) {
          if (rows.get(row.id) !== textOf(row)) failures += 1;
          rows.delete(row.id);
        }
        if (next === undefined) break;
        after = next;
      }
      await target.close();
      failures += rows.size;
      moves += 1;
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { count: kills, failures, note: `${moves} moves of ${SESSIONS} sessions, each compared row by row` };
};
