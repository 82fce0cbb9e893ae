// A real engine on a real storage whose line can go wrong, with a clock that stands still and randomness that repeats.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, parseMasterKeys } from "@pawl/engine";
import { catchUpLog, loggedStorage, openRevocationLog } from "@pawl/engine/host";
import { MemoryStorage, millis } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { createClock } from "../clock.mjs";
import { tenantId as tenant, userId as user } from "../identifiers.mjs";
import { listAll } from "../list-all.mjs";
import { createFaultyLine } from "./faulty-line.mjs";

const USERS = ["alice", "bob"].map(user);
const TENANTS = ["public", "t1", "t2"].map(tenant);

/** The same bytes for the same run: rows can be compared between runs. */
const repeatableRandom = () => {
  let counter = 0;
  return {
    bytes: (/** @type {number} */ size) =>
      Buffer.concat(
        Array.from({ length: Math.ceil(size / 32) }, () => createHash("sha256").update(`${counter++}`).digest()),
      ).subarray(0, size),
  };
};

const masterKey = (/** @type {number} */ byte) => Buffer.alloc(32, byte).toString("base64");
export const masterKeys = /** @type {const} */ ([masterKey(1), masterKey(2)]);

/** @param {StoreKind} kind @param {import("@pawl/storage").Clock} clock */
export const openReal = async (kind, clock) => {
  const storage =
    kind === "memory" ? new MemoryStorage({ clock }) : await openStorage("sqlite::memory:?driver=libsql", { clock });
  await storage.migrate();
  return storage;
};

/** @typedef {Parameters<import("@pawl/engine/host").RevocationLog["append"]>[0]} Lines */

/** The real log, and what it does on a full disk. */
const openLog = async (/** @type {string} */ path) => {
  const log = await openRevocationLog(path);
  return {
    ...log,
    async appendToFullDisk(/** @type {Lines} */ lines) {
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

/**
 * @typedef {"memory" | "sqlite"} StoreKind
 * @typedef {Awaited<ReturnType<typeof openLog>>} Log
 * @typedef {Awaited<ReturnType<typeof openStage>>} Stage
 * @typedef {{ policy?: Partial<import("@pawl/engine").Policy>, hasLog?: boolean, isEmpty?: boolean }} StageOptions
 */

/** @param {StoreKind} kind @param {StageOptions} [options] */
export const openStage = async (kind, { policy = {}, hasLog = false, isEmpty = false } = {}) => {
  const clock = createClock();
  const folder = hasLog ? mkdtempSync(join(tmpdir(), "pawl-faults-")) : "";
  const real = await openReal(kind, clock);
  const line = createFaultyLine();
  const random = repeatableRandom();
  const far = line.storage(real);
  const path = join(folder, "revocations");
  /** @type {Log | undefined} */
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
  /** @type {string} */
  let given = masterKeys[0];

  /** @type {Set<import("@pawl/engine").SessionEngine>} */
  const engines = new Set();
  const start = async () => {
    const readMasterKeys = async () => parseMasterKeys(given);
    const engine = await createEngine({ storage, masterKeys: await readMasterKeys(), readMasterKeys, policy, random });
    engines.add(engine);
    return engine;
  };
  let engine = isEmpty ? undefined : await start();

  const revoked = async () => {
    const page = await real.revocationsSince({ at: millis(0) });
    return page.kind === "page" ? page.items : [];
  };

  const stage = {
    clock,
    real,
    line,
    get engine() {
      if (engine === undefined) throw new Error("no process has started yet");
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
    give: (/** @type {string} */ text) => (given = text),
    /** A row as it was once: the commits since are lost. */
    async roll(/** @type {import("@pawl/storage").SessionRecord} */ back) {
      await real.deleteExpired(millis(4_000_000_000_000), 1000);
      await real.importSessions([back]);
    },
    /** Everything that is stored, as text; of a signing key its name. */
    async state() {
      const rows = [];
      for (const tenantId of TENANTS)
        for (const userId of USERS)
          rows.push(...(await listAll((page) => real.listSessionHistory({ tenantId, userId }, page))));
      const revocations = await revoked();
      const changed = await real.changesSince({ at: millis(0) });
      const changes = changed.kind === "page" ? changed.items : [];
      const events = await listAll((page) => real.listEvents({}, page));
      // The epoch of the feed is a random one.
      const facts = (await listAll((page) => real.listMeta("", page))).filter(
        ({ name }) => name !== "revocation_epoch",
      );
      const keys = (await real.getSigningKeys()).map(({ kid }) => kid);
      const text = (/** @type {object} */ record) => JSON.stringify(record, Object.keys(record).toSorted());
      // The key of an operator's act is a random one.
      return [...rows, ...revocations, ...changes, ...events.map(({ key: _key, ...event }) => event), ...facts]
        .map(text)
        .toSorted()
        .concat(keys)
        .join("\n");
    },
    /** How many sessions have ended and are not in the log, where there is one. */
    async unlogged() {
      if (!hasLog) return 0;
      const revocations = await revoked();
      const text = readFileSync(path, "utf8");
      return revocations.filter(({ id }) => !text.includes(id)).length;
    },
    live: async (tenantId = tenant("public")) =>
      (await listAll((page) => real.listSessionReferences({ userId: user("alice"), tenantId }, page))).length,
    /** @param {import("@pawl/storage").EventType[]} types */
    events: async (...types) => listAll((page) => real.listEvents({ types }, page)),
    async close() {
      for (const each of engines) await each.close();
      await log?.close();
      await real.close();
      if (hasLog) rmSync(folder, { recursive: true });
    },
  };
  return stage;
};
