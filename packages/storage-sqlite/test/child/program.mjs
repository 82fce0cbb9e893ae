// What another process does to a database, for tests that need one. Its first argument names the task.
import { on, once } from "node:events";
import { writeSync } from "node:fs";
import { millis, openStorage } from "@pawl/storage";
import { session } from "./session.mjs";

/** @typedef {import("@pawl/storage").SessionId} SessionId */

const [task = "", url = "", count] = process.argv.slice(2);
const tell = (/** @type {unknown} */ what) => process.send?.(what);

/** @returns {import("@pawl/storage").RotationAttempt} of a new session */
const attempt = (/** @type {SessionId} */ id) => ({
  id,
  seq: 0,
  iat: millis(0),
  secretHash: session().secretHash,
  window: millis(30_000),
  lifetimes: { refreshValidity: millis(8_640_000_000) },
});

/** @type {Record<string, () => Promise<void>>} */
const tasks = {
  /** Creates, rotates and revokes until it is killed, and tells each thing that was acknowledged, at once. */
  async write() {
    const storage = await openStorage(url);
    await storage.migrate();
    const print = (/** @type {string} */ line) => writeSync(1, `${line}\n`);
    const live = async () => {
      for (;;) {
        const record = session();
        await storage.createSession(record);
        print(`created ${record.id}`);
        const { minted } = await storage.rotate(attempt(record.id));
        if (!minted) throw new Error("the rotation was not minted");
        print(`rotated ${record.id}`);
        await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        print(`revoked ${record.id}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, live));
  },

  /** Rotates each session once when told to go, and tells which it minted. */
  async rotate() {
    const storage = await openStorage(url);
    tell("ready");
    const [ids] = /** @type {[SessionId[]]} */ (await once(process, "message"));
    const results = await Promise.all(ids.map((id) => storage.rotate(attempt(id))));
    await storage.close();
    tell(ids.filter((_, index) => results[index]?.minted));
    process.disconnect();
  },

  /** Revokes each session it is told, and tells when that was durable. */
  async revoke() {
    const storage = await openStorage(url);
    tell("ready");
    for await (const [id] of on(process, "message")) {
      await storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
      tell(performance.timeOrigin + performance.now());
    }
  },

  /** Keeps the database for itself, as a backup program may, until it is killed. The URL is a path here. */
  async own() {
    const { default: Database } = await import("libsql");
    const database = new Database(url);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; UPDATE meta SET value = value; COMMIT");
    process.on("message", () => database.close());
    tell("ready");
  },

  /** Writes so many sessions, so that both processes want the lock and the WAL has to be checkpointed. */
  async load() {
    const storage = await openStorage(url);
    await storage.migrate();
    const data = JSON.stringify({ text: "x".repeat(4000) });
    const ids = [];
    for (let done = 0; done < Number(count); done += 32) {
      const records = Array.from({ length: 32 }, () => session({ data }));
      await Promise.all(records.map((record) => storage.createSession(record)));
      ids.push(...records.map(({ id }) => id));
    }
    await storage.close();
    tell(ids);
    process.disconnect();
  },
};

await tasks[task]?.();
