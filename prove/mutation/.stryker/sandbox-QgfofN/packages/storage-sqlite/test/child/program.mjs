// What another process does to a database, for tests that need one. Its first argument names the task.
import { on, once } from "node:events";
import { writeSync } from "node:fs";
import { NEVER, openStorage, PUBLIC_TENANT } from "@pawl/storage";

const [task, url, ...rest] = process.argv.slice(2);

const session = (parts = {}) => ({
  id: crypto.randomUUID(),
  tenantId: PUBLIC_TENANT,
  userId: "alice",
  secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
  current: 0,
  next: 0,
  issuedAt: 0,
  keyKind: "dynamic",
  payload: "{}",
  data: "{}",
  createdAt: Date.now(),
  lastActiveAt: Date.now(),
  expiresAt: Date.now() + 8_640_000_000,
  idleExpiresAt: NEVER,
  ...parts,
});

const attempt = (id, seq) => ({
  id,
  seq,
  iat: 0,
  secretHash: session().secretHash,
  window: 30_000,
  lifetimes: { refreshValidity: 8_640_000_000 },
});

const tasks = {
  /** Creates, rotates and revokes until it is killed, and tells each thing that was acknowledged, at once. */
  async write() {
    const storage = await openStorage(url);
    await storage.migrate();
    const tell = (line) => writeSync(1, `${line}\n`);
    const live = async () => {
      for (;;) {
        const record = session();
        await storage.createSession(record);
        tell(`created ${record.id}`);
        const { minted } = await storage.rotate(attempt(record.id, 0));
        if (!minted) throw new Error("the rotation was not minted");
        tell(`rotated ${record.id}`);
        await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        tell(`revoked ${record.id}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, live));
  },

  /** Rotates each session once when told to go, and tells which it minted. */
  async rotate() {
    const storage = await openStorage(url);
    process.send("ready");
    const [ids] = await once(process, "message");
    const results = await Promise.all(ids.map((id) => storage.rotate(attempt(id, 0))));
    await storage.close();
    process.send(ids.filter((_, index) => results[index].minted));
    process.disconnect();
  },

  /** Revokes each session it is told, and tells when that was durable. */
  async revoke() {
    const storage = await openStorage(url);
    process.send("ready");
    for await (const [id] of on(process, "message")) {
      await storage.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
      process.send(performance.timeOrigin + performance.now());
    }
  },

  /** Keeps the database for itself, as a backup program may, until it is killed. The URL is a path here. */
  async own() {
    const { default: Database } = await import("libsql");
    const database = new Database(url);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; UPDATE meta SET value = value; COMMIT");
    process.on("message", () => database.close());
    process.send("ready");
  },

  /** Writes so many sessions, so that both processes want the lock and the WAL has to be checkpointed. */
  async load() {
    const storage = await openStorage(url);
    await storage.migrate();
    const count = Number(rest[0]);
    const data = JSON.stringify({ text: "x".repeat(4000) });
    const ids = [];
    for (let done = 0; done < count; done += 32) {
      const records = Array.from({ length: 32 }, () => session({ data }));
      await Promise.all(records.map((record) => storage.createSession(record)));
      ids.push(...records.map(({ id }) => id));
    }
    await storage.close();
    process.send(ids);
    process.disconnect();
  },
};

await tasks[task]();
