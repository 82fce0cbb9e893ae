// What happens on a disk of its own, which the test has mounted: prints what it saw as JSON.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStorage } from "@pawl/storage";
import { session } from "./session.mjs";

/** @typedef {import("@pawl/storage").SessionId} SessionId */

const [task = "", driver, folder = ""] = process.argv.slice(2);
const url = `sqlite:${join(folder, "pawl.db")}?driver=${driver}`;
const prepared = /** @type {SessionId} */ ("prepared");

const failureOf = (/** @type {unknown} */ error) => {
  const { name, code, message } = /** @type {Error & { code?: string }} */ (error);
  return `${name} ${code}: ${message}`;
};

/** @type {Record<string, () => Promise<object>>} */
const tasks = {
  async prepare() {
    const storage = await openStorage(url);
    await storage.migrate();
    await storage.createSession(session({ id: prepared }));
    await storage.close();
    return {};
  },

  /** On a disk that is read-only, and after it can be written again. */
  async "read-only"() {
    const refused = await openStorage(url).catch(failureOf);
    execFileSync("mount", ["-o", "remount,rw", folder]);
    const storage = await openStorage(url);
    const record = await storage.getSession(prepared);
    await storage.createSession(session());
    await storage.close();
    return { refused, id: record?.id };
  },

  /** Until the disk is full, while it is, and after something was deleted. */
  async full() {
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(512 * 1024));
    const storage = await openStorage(url);
    await storage.migrate();
    const data = JSON.stringify({ text: "x".repeat(8000) });
    /** @type {SessionId[]} */
    const acknowledged = [];
    /** @type {SessionId[]} */
    const refused = [];
    const failures = new Set();
    const create = async () => {
      const record = session({ data });
      try {
        await storage.createSession(record);
        acknowledged.push(record.id);
      } catch (error) {
        refused.push(record.id);
        failures.add(failureOf(error));
      }
    };
    while (refused.length < 24) await Promise.all(Array.from({ length: 8 }, create));
    const [first = prepared] = acknowledged;
    const read = (await storage.getSession(first))?.id === first;
    const revoke = () => storage.revokeSessions({ kind: "ids", ids: [first] }, { reason: "logout" });
    // A write as small as this one may still fit where a larger one was rolled back: then it must count.
    const ended = await revoke().catch((error) => {
      failures.add(failureOf(error));
      return [];
    });
    rmSync(ballast);
    await storage.ping();
    const revoked = ended.length + (await revoke()).length;
    await create();
    await storage.close();
    const again = await openStorage(url);
    const rows = async (/** @type {SessionId[]} */ ids) =>
      (await Promise.all(ids.map((id) => again.getSession(id)))).filter(Boolean).length;
    const found = { acknowledged: await rows(acknowledged), refused: await rows(refused) };
    const endReason = (await again.getSession(first))?.endReason;
    await again.close();
    const counts = { acknowledged: acknowledged.length, refused: refused.length };
    return { counts, failures: [...failures], read, revoked, found, endReason };
  },
};

process.stdout.write(JSON.stringify(await tasks[task]?.()));
