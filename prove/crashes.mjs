// kill -9 of a process that creates, refreshes and revokes on SQLite; what it had acknowledged has to be there.
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "@pawl/engine/host";
import { createRandom } from "./random.mjs";

/** @typedef {import("@pawl/engine").SessionHandle} Handle */

const worker = new URL("crash-worker.mjs", import.meta.url).pathname;

/**
 * Runs the worker until it has acknowledged so many writes, then kills it in the middle of others.
 * @param {string} url
 * @param {{ log: string, writes: number }} options
 * @returns {Promise<{ live: Map<Handle, string>, revoked: Set<Handle> }>} what was acknowledged
 */
const runAndKill = (url, { log, writes }) =>
  new Promise((resolve, reject) => {
    const acknowledged = { live: new Map(), revoked: new Set() };
    let count = 0;
    const child = fork(worker, [url, log], { stdio: ["ignore", 2, "inherit", "ipc"] });
    child.on("error", reject);
    child.on("message", (/** @type {any} */ { kind, handle, refreshToken }) => {
      count += 1;
      if (kind === "revoked") {
        acknowledged.live.delete(handle);
        acknowledged.revoked.add(handle);
      } else acknowledged.live.set(handle, refreshToken);
      if (count === writes) child.kill("SIGKILL");
    });
    child.on("exit", (code, signal) =>
      signal === "SIGKILL" ? resolve(acknowledged) : reject(new Error(`worker ended with ${code}`)),
    );
  });

/** @type {import("./proofs.mjs").Run} */
export const crashes = async (count, seed, progress) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-crashes-"));
  const url = `sqlite:${join(folder, "sessions.db")}`;
  const log = join(folder, "revocations.log");
  let failures = 0;
  let checked = 0;
  try {
    const random = createRandom(seed);
    for (let round = 0; round < count; round += 1) {
      const { live, revoked } = await runAndKill(url, { log, writes: 20 + random.below(400) });
      const logged = readFileSync(log, "utf8");
      const { engine, close } = await openEngine({ storage: url });
      for (const [handle, refreshToken] of live) {
        checked += 1;
        // A revocation may have been committed and not yet acknowledged when the process died.
        const told = await engine.explainSession(handle);
        if (told.status === "ended" && told.reason === "logout") continue;
        const { kind } = await engine.refreshSession({ refreshToken });
        if (kind !== "refreshed") failures += 1;
      }
      for (const handle of revoked) {
        checked += 1;
        if ((await engine.getSession(handle)) !== undefined || !logged.includes(handle)) failures += 1;
      }
      await close();
      progress(round);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { count, failures, note: `${checked} acknowledged sessions checked after the kills` };
};
