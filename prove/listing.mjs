// Every session of a large store, listed page by page, with a bounded heap: a million sessions listed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "@pawl/engine/host";
import { sessionId, userId } from "./identifiers.mjs";

const BATCH = 500;

/** @type {import("./proofs.mjs").Run} */
export const listing = async (count, _seed, progress) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-listing-"));
  const { engine, storage, close } = await openEngine({ storage: `sqlite:${join(folder, "sessions.db")}` });
  try {
    const { session: first } = await engine.createSession({ userId: userId("first") });
    const template = await storage.getSession(sessionId(first.handle));
    if (template === undefined) throw new Error("the session just made is not there");
    for (let made = 1; made < count; made += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, count - made) }, (_, index) => ({
        ...template,
        id: sessionId(template.id.slice(0, 24) + (made + index).toString(16).padStart(12, "0")),
        userId: userId(`user-${(made + index) % 1000}`),
      }));
      await storage.importSessions(rows);
      progress(made / 2);
    }
    const before = process.memoryUsage().heapUsed;
    let highest = 0;
    let listed = 0;
    let previous = "";
    let failures = 0;
    let slowest = 0;
    for (let after = {}, isLast = false; !isLast;) {
      const started = performance.now();
      const page = await engine.listSessions({}, { limit: 1000, ...after });
      slowest = Math.max(slowest, performance.now() - started);
      for (const { handle } of page.items) {
        if (handle <= previous) failures += 1;
        previous = handle;
      }
      listed += page.items.length;
      highest = Math.max(highest, process.memoryUsage().heapUsed);
      progress((count + listed) / 2);
      isLast = page.next === undefined;
      after = { after: page.next };
    }
    if (listed !== count) failures += 1;
    const heap = ((highest - before) / 1_048_576).toFixed(0);
    return {
      count: listed,
      failures,
      note: `pages of 1000, the slowest ${slowest.toFixed(0)} ms, at most ${heap} MB of heap`,
    };
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
};
