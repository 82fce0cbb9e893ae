// A real engine on a real storage whose line can go wrong, with a clock that stands still and randomness that repeats.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, parseMasterKeys } from "@pawl/engine";
import { catchUpLog, loggedStorage, openRevocationLog } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { createFaultyLine } from "./faulty-line.mjs";

const USERS = ["alice", "bob"];
const TENANTS = ["public", "t1", "t2"];

/** The same bytes for the same run: rows can be compared between runs. */
const repeatableRandom = () => {
  let counter = 0;
  return {
    bytes: (size) =>
      Buffer.concat(
        Array.from({ length: Math.ceil(size / 32) }, () => createHash("sha256").update(`${counter++}`).digest()),
      ).subarray(0, size),
  };
};

export const masterKeys = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));

const openReal = async (kind, clock) => {
  const storage =
    kind === "memory" ? new MemoryStorage({ clock }) : await openStorage("sqlite::memory:?driver=libsql", { clock });
  await storage.migrate();
  return storage;
};

/** The real log, and what it does on a full disk. */
const openLog = async (path) => {
  const log = await openRevocationLog(path);
  return {
    ...log,
    async appendToFullDisk(lines) {
      renameSync(path, `${path}.kept`);
      symlinkSync("/dev/full", path);
      try {
        await log.append(lines);
      } finally {
        unlinkSync(path);
        renameSync(`${path}.kept`, path);
      }
    },
  };
};

/** @param {"memory" | "sqlite"} kind */
export const openStage = async (kind, { policy = {}, hasLog = false, isEmpty = false } = {}) => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const folder = hasLog ? mkdtempSync(join(tmpdir(), "pawl-faults-")) : undefined;
  const real = await openReal(kind, clock);
  const line = createFaultyLine();
  const random = repeatableRandom();
  const far = line.storage(real);
  const path = hasLog ? join(folder, "revocations") : undefined;
  let log;
  /** What a process does first. */
  const withLog = async () => {
    if (!hasLog) return far;
    log = await openLog(path);
    await catchUpLog(far, log);
    return loggedStorage(far, line.log(log));
  };
  let storage = await withLog();
  /** What is in the file of master keys. */
  let given = masterKeys[0];

  const engines = new Set();
  const start = async () => {
    const readMasterKeys = async () => parseMasterKeys(given);
    const engine = await createEngine({ storage, masterKeys: await readMasterKeys(), readMasterKeys, policy, random });
    engines.add(engine);
    return engine;
  };
  let engine = isEmpty ? undefined : await start();

  const all = async (read) => {
    const found = [];
    for (let after; ;) {
      const { items, next } = await read({ limit: 500, ...(after === undefined ? {} : { after }) });
      found.push(...items);
      if (next === undefined) return found;
      after = next;
    }
  };

  const stage = {
    clock,
    real,
    line,
    get engine() {
      return engine;
    },
    /** Another process on the same storage. */
    start,
    /** The process has ended: from now on a new one serves. */
    async restart() {
      await engine?.close();
      await log?.close();
      storage = await withLog();
      engine = await start();
    },
    give: (text) => (given = text),
    /** A row as it was once: the commits since are lost. */
    async roll(back) {
      await real.deleteExpired(4_000_000_000_000, 1000);
      await real.importSessions([back]);
    },
    /** Everything that is stored, as text; of a signing key its name. */
    async state() {
      const rows = [];
      for (const tenantId of TENANTS)
        for (const userId of USERS)
          rows.push(...(await all((page) => real.listSessionHistory({ tenantId, userId }, page))));
      const { revocations } = await real.revocationsSince({ at: 0 });
      const events = await all((page) => real.listEvents({}, page));
      // The epoch of the feed is a random one.
      const facts = (await all((page) => real.listMeta("", page))).filter(({ name }) => name !== "revocation_epoch");
      const keys = (await real.getSigningKeys()).map(({ kid }) => kid);
      const text = (record) => JSON.stringify(record, Object.keys(record).toSorted());
      // The key of an operator's act is a random one.
      return [...rows, ...revocations, ...events.map(({ key: _key, ...event }) => event), ...facts]
        .map(text)
        .toSorted()
        .concat(keys)
        .join("\n");
    },
    /** How many sessions have ended and are not in the log, where there is one. */
    async unlogged() {
      if (!hasLog) return 0;
      const { revocations } = await real.revocationsSince({ at: 0 });
      const text = readFileSync(path, "utf8");
      return revocations.filter(({ id }) => !text.includes(id)).length;
    },
    live: async (userId, tenantId = "public") =>
      (await all((page) => real.listSessionReferences({ userId, tenantId }, page))).length,
    events: async (...types) => all((page) => real.listEvents({ types }, page)),
    async close() {
      for (const each of engines) await each.close();
      await log?.close();
      await real.close();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
  return stage;
};
