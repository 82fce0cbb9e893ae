import { millis, openStorage, PUBLIC_TENANT } from "@pawl/storage";
import { inFlight } from "./contenders/in-flight.mjs";
import { rotator } from "./contenders/pawl-storage.mjs";
import { fill, newRecord } from "./contenders/session-rows.mjs";
import { latencyOf } from "./latency.mjs";
import { answerCalls } from "./worker.mjs";

/** Sessions of each user, and of the users whose lists are read and ended. */
const SESSIONS_PER_USER = 5;
const BATCH = 1000;

let url = "";
/** @type {import("@pawl/storage").Storage} */
let storage;
/** Sessions that are refreshed: at most so many, spread over the store. */
const REFRESHED = 50_000;
/** @type {import("@pawl/storage").SessionRecord[]} */
let refreshed = [];
let size = 0;
let users = 0;
/** Users whose sessions are ended next. @type {UserId[]} */
let ending = [];
/** @type {() => Promise<void>} */
let rotate;

/** @typedef {import("@pawl/storage").UserId} UserId */
const user = (/** @type {number} */ number) => /** @type {UserId} */ (`user-${number}`);
const nextUser = () => user(users++);
const sessionsOf = (/** @type {UserId} */ userId) =>
  Array.from({ length: SESSIONS_PER_USER }, () => newRecord({ userId }));
const anyUser = () => user(Math.floor(Math.random() * users));
const tenantId = PUBLIC_TENANT;

/** One operation after the other. */
const oneByOne =
  (/** @type {() => Promise<unknown>} */ operation, times = 20) =>
  async () => {
    for (let i = 0; i < times; i++) await operation();
    return times;
  };

/**
 * What is measured: `pass` gives how many operations it did, `prepare` is not counted.
 * @type {Record<string, { pass: () => Promise<number>, prepare?: () => Promise<unknown>, takeLatencies?: () => number[] }>}
 */
const operations = {
  "refresh, 32 in flight": inFlight(() => rotate(), 32),
  "create, 32 in flight": inFlight(() => storage.createSession(newRecord()), 32),
  "list a user": {
    pass: oneByOne(() => storage.listSessions({ tenantId, userId: anyUser() }, { limit: 100 })),
  },
  "revoke a user": {
    prepare: async () => {
      ending = Array.from({ length: 20 }, nextUser);
      await fill(storage, ending.flatMap(sessionsOf));
    },
    pass: async () => {
      for (const userId of ending)
        await storage.revokeSessions({ kind: "user", tenantId, userId }, { reason: "logout" });
      return ending.length;
    },
  },
  "delete an expired session, in batches of 1,000": {
    prepare: () =>
      fill(
        storage,
        Array.from({ length: BATCH }, () => newRecord({ expiresAt: millis(Date.now() - 1000) })),
      ),
    pass: () => storage.deleteExpired(millis(Date.now()), BATCH),
  },
  "start: open, check the schema, read the keys": {
    pass: async () => {
      const opened = await openStorage(url);
      await opened.migrate();
      await opened.getSigningKeys();
      await opened.close();
      return 1;
    },
  },
};

answerCalls(
  {
    open: async (/** @type {string} */ given) => {
      url = given;
      storage = await openStorage(url);
      await storage.migrate();
    },
    grow: async (/** @type {number} */ wanted) => {
      refreshed = [];
      const step = Math.max(1, Math.floor(wanted / REFRESHED));
      while (size < wanted) {
        const records = Array.from({ length: Math.min(2500, wanted - size) / SESSIONS_PER_USER }, nextUser).flatMap(
          sessionsOf,
        );
        await fill(storage, records);
        refreshed.push(...records.filter((_, index) => index % step === 0));
        size += records.length;
      }
      // Opened anew, so that all of it stands in the place where it is measured.
      await storage.close();
      storage = await openStorage(url);
      rotate = rotator(storage, refreshed);
    },
    operations: () => Object.keys(operations),
    measure: async (/** @type {string} */ name, /** @type {boolean} */ isShort) => {
      const { pass, prepare, takeLatencies } = /** @type {(typeof operations)[string]} */ (operations[name]);
      const total = { operations: 0, micros: 0, cpuMicros: 0 };
      await prepare?.();
      await pass();
      takeLatencies?.();
      const rounds = [];
      for (let round = 0; round < (isShort ? 2 : 5); round++) {
        const one = { operations: 0, micros: 0, cpuMicros: 0 };
        while (one.micros < (isShort ? 50_000 : 600_000)) {
          await prepare?.();
          const cpu = process.cpuUsage();
          const before = performance.now();
          one.operations += await pass();
          one.micros += (performance.now() - before) * 1000;
          const { user, system } = process.cpuUsage(cpu);
          one.cpuMicros += user + system;
        }
        rounds.push({ perSecond: (one.operations / one.micros) * 1e6, cpuMicros: one.cpuMicros / one.operations });
        for (const key of /** @type {const} */ (["operations", "micros", "cpuMicros"])) total[key] += one[key];
      }
      const latencies = takeLatencies?.() ?? [];
      return {
        ...(latencies.length > 0 ? latencyOf(latencies) : {}),
        perSecond: (total.operations / total.micros) * 1e6,
        cpuMicros: total.cpuMicros / total.operations,
        memoryMb: process.memoryUsage.rss() / 2 ** 20,
        rounds,
      };
    },
  },
  () => storage?.close(),
);
