// kill -9 of `pawl sessions export` and `import` at any moment; run again, nothing may be lost, changed or there twice.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage } from "@pawl/storage";
import { newRecord } from "../bench/contenders/session-rows.mjs";
import { userId } from "./identifiers.mjs";
import { listAll } from "./list-all.mjs";
import { openStore, storeNames } from "./nodes/stores.mjs";
import { createRandom } from "./random.mjs";

const binary = new URL("../packages/core/bin/pawl.js", import.meta.url).pathname;

const SESSIONS = 5000;

/**
 * Runs a command and kills it after a while.
 * @param {readonly string[]} args
 * @param {{ cwd: string, after: number | undefined }} options
 * @returns {Promise<boolean>} whether it had ended by itself
 */
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

const session = (/** @type {import("./random.mjs").Random} */ random, /** @type {number} */ user) =>
  newRecord({
    userId: userId(`user-${user}`),
    payload: JSON.stringify({ number: random.below(1000) }),
    data: JSON.stringify({ text: "x".repeat(random.below(300)) }),
  });

/** A row as text, whatever the order in which a storage gives its columns. */
const textOf = (/** @type {object} */ row) => JSON.stringify(row, Object.keys(row).toSorted());

const open = async (/** @type {string} */ url) => {
  const storage = await openStorage(url);
  await storage.migrate();
  return storage;
};

/**
 * Moves sessions from SQLite to a storage, from it to SQLite, and so on, until so many kills.
 * @type {(name: import("./nodes/stores.mjs").StoreName) => import("./proofs.mjs").Run}
 */
const transfer = (name) => async (count, seed, progress) => {
  const random = createRandom(seed);
  let failures = 0;
  let kills = 0;
  let moves = 0;
  while (kills < count) {
    const folder = mkdtempSync(join(tmpdir(), "pawl-transfers-"));
    const store = await openStore(name);
    const file = `sqlite:${join(folder, "sessions.db")}`;
    const [from, to] = /** @type {[string, string]} */ (moves % 2 === 0 ? [file, store.url] : [store.url, file]);
    try {
      const source = await open(from);
      const rows = new Map();
      for (let index = 0; index < SESSIONS; index += 500) {
        const batch = Array.from({ length: 500 }, (_, offset) => session(random, index + offset));
        for (const row of batch) rows.set(row.id, textOf(row));
        await source.importSessions(batch);
      }
      await source.close();
      for (const [step, address] of Object.entries({ export: from, import: to })) {
        for (let killed = 0; ; killed += 1) {
          const resume = step === "export" && existsSync(join(folder, "sessions.ndjson")) ? ["--resume"] : [];
          const args = [step, "sessions.ndjson", "--storage", address, ...resume];
          // After ten kills it may end; sooner, where few are asked for.
          const after = killed < Math.min(10, count / 2) ? 250 + random.below(900) : undefined;
          if (await runAndKill(args, { cwd: folder, after })) break;
          kills += 1;
          progress(kills);
        }
      }
      const target = await open(to);
      for (const row of await listAll((page) => target.listSessions({}, page))) {
        if (rows.get(row.id) !== textOf(row)) failures += 1;
        rows.delete(row.id);
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

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const transfers = storeNames.map((name) => ({
  name: `transfers-${name}`,
  run: transfer(name),
  size: 100,
  short: name === "sqlite" ? 3 : 0,
  what: `kill -9 of export and import between SQLite and ${name}; a failure is a session lost, changed or there twice`,
}));
