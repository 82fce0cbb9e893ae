// What touches many sessions at once, on every storage: for how long it holds the event loop, and the store.
import { closeSync, openSync, readSync } from "node:fs";
import { clearImmediate, setImmediate } from "node:timers";
import { createEngine, eraseUser, parseMasterKeys } from "@pawl/engine";
import { millis, openStorage } from "@pawl/storage";
import { newRecord } from "../bench/contenders/session-rows.mjs";
import { tenantId, userId } from "./identifiers.mjs";
import { listAll } from "./list-all.mjs";
import { openStore, storeNames } from "./nodes/stores.mjs";
import { quantile } from "./quantile.mjs";

const MINUTE = 60_000;
/** Of the longest turn of the event loop, and of 99 in 100 steps of the store, in ms: any write may wait for a checkpoint of its server. */
const LIMIT = 100;
/** What an import sends at once, as `pawl sessions import` does. */
const ROWS = 100;
/** What may end sessions, or take many rows. */
const steps = ["revokeSessions", "createSession", "applyRotation", "eraseUser", "importSessions", "deleteExpired"];

/** How long this thread has been ready to run while others had the machine, in ms; 0 where the system does not tell. */
const createWaiting = () => {
  const path = `/proc/self/task/${process.pid}/schedstat`;
  const text = Buffer.alloc(100);
  /** @type {number | undefined} */
  let file;
  try {
    file = openSync(path, "r");
  } catch {
    // Not Linux: then all of it is counted.
  }
  return {
    now: () =>
      file === undefined ? 0 : Number(text.toString("latin1", 0, readSync(file, text, 0, 100, 0)).split(" ")[1]) / 1e6,
    close: () => void (file === undefined || closeSync(file)),
  };
};

/** Measures the longest turn of the event loop and the steps of the store, without what the thread only waited for a processor. */
const createStopwatch = () => {
  const waiting = createWaiting();
  const time = () => performance.now() - waiting.now();
  let longest = 0;
  /** @type {number[]} */
  let calls = [];
  let last = time();
  const tick = () => {
    const now = time();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(tick);
  };
  let next = setImmediate(tick);
  return {
    /** The storage, whose steps are timed. */
    timed: (/** @type {import("@pawl/storage").Storage} */ storage) =>
      new Proxy(storage, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          if (!steps.includes(String(name))) return member.bind(target);
          return async (/** @type {unknown[]} */ ...args) => {
            const started = time();
            try {
              return await member.apply(target, args);
            } finally {
              calls.push(time() - started);
            }
          };
        },
      }),
    /** How long turns and steps were while it ran, ms. */
    async during(/** @type {() => Promise<unknown>} */ act) {
      longest = 0;
      calls = [];
      last = time();
      await act();
      await new Promise((resolve) => setImmediate(resolve));
      return { turn: longest, most: quantile(calls, 0.99), call: Math.max(0, ...calls) };
    },
    stop() {
      clearImmediate(next);
      waiting.close();
    },
  };
};

/** @type {(name: import("./nodes/stores.mjs").StoreName) => import("./proofs.mjs").Run} */
const manySessions = (name) => async (count, _seed, progress) => {
  const store = await openStore(name);
  const stopwatch = createStopwatch();
  const opened = await openStorage(store.url);
  await opened.migrate();
  const storage = stopwatch.timed(opened);
  const masterKeys = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
  const policy = { reuseWindow: millis(0), theftAction: /** @type {const} */ ("revoke_user") };
  const engine = await createEngine({ storage, masterKeys, policy });
  // Another node, which has to learn of every end; it has this event loop too.
  const follower = await createEngine({ storage: opened, masterKeys, policy });
  const limited = await createEngine({ storage, masterKeys, policy: { ...policy, maxSessionsPerUser: 3 } });
  let learned = 0;
  follower.revocations.subscribe(() => (learned += 1));

  const few = Math.ceil(count / 40);
  /** Rows of a user, of a tenant or as they are given. */
  const fill = async (
    /** @type {number} */ rows,
    /** @type {() => Partial<import("@pawl/storage").SessionRecord>} */ parts,
  ) => {
    for (let made = 0; made < rows; made += ROWS)
      await storage.importSessions(Array.from({ length: Math.min(ROWS, rows - made) }, () => newRecord(parts())));
  };
  const of = (/** @type {string} */ user) => () => ({ userId: userId(user) });
  const handlesOf = async (/** @type {string} */ user) => {
    const found = await listAll((page) => engine.listSessions({ userId: userId(user) }, page));
    return found.map(({ handle }) => handle);
  };
  const isEmpty = async (/** @type {string} */ user, left = 0) => {
    const found = await handlesOf(user);
    if (found.length !== left) throw new Error(`${user} has ${found.length} sessions, not ${left}`);
  };

  /** What a caller has listed before. @type {import("@pawl/engine").SessionHandle[]} */
  let listed = [];
  /** @type {Record<string, { prepare?: () => Promise<unknown>, act: () => Promise<unknown>, check?: () => Promise<unknown> }>} */
  const operations = {
    import: { act: () => fill(count, () => ({ tenantId: tenantId("acme") })) },
    "a tenant": { act: () => engine.revokeTenant(tenantId("acme")) },
    "a user": {
      prepare: () => fill(few, of("one")),
      act: () => engine.revokeAllForUser({ userId: userId("one") }),
      check: () => isEmpty("one"),
    },
    "all but one": {
      prepare: async () => {
        await fill(few, of("but"));
        listed = await handlesOf("but");
      },
      act: () => engine.revokeAllForUser({ userId: userId("but"), except: listed[7] }),
      check: () => isEmpty("but", 1),
    },
    handles: {
      prepare: async () => {
        await fill(few, of("named"));
        listed = await handlesOf("named");
      },
      act: () => engine.revokeSessions(listed),
      check: () => isEmpty("named"),
    },
    theft: {
      prepare: () => fill(few, of("robbed")),
      async act() {
        const { refreshToken } = await engine.createSession({ userId: userId("robbed") });
        const next = await engine.refreshSession({ refreshToken: refreshToken.token });
        if (next.kind !== "refreshed") throw new Error(`the victim is ${next.kind}`);
        await engine.refreshSession({ refreshToken: next.refreshToken.token });
        const { kind } = await engine.refreshSession({ refreshToken: refreshToken.token });
        if (kind !== "token_reuse") throw new Error(`the thief is ${kind}`);
      },
      check: () => isEmpty("robbed"),
    },
    "a limit": {
      prepare: () => fill(few, of("limited")),
      act: () => limited.createSession({ userId: userId("limited") }),
      check: () => isEmpty("limited", 3),
    },
    erasure: {
      prepare: async () => {
        await fill(few, of("erased"));
        await engine.revokeAllForUser({ userId: userId("erased") });
        await fill(few, of("erased"));
      },
      act: () => eraseUser(storage, { tenantId: tenantId("public"), userId: userId("erased") }),
      check: () => isEmpty("erased"),
    },
    sweep: {
      prepare: () => fill(few, () => ({ expiresAt: millis(Date.now() - MINUTE) })),
      act: () => engine.sweep(),
    },
    "a node that starts": {
      act: () => createEngine({ storage: opened, masterKeys, policy }),
    },
  };

  const told = [];
  let failures = 0;
  try {
    for (const [at, [what, { prepare, act, check }]] of Object.entries(operations).entries()) {
      await prepare?.();
      const { turn, most, call } = await stopwatch.during(act);
      await check?.();
      if (turn > LIMIT) failures += 1;
      if (most > LIMIT) failures += 1;
      told.push(`${what} ${[turn, most, call].map((ms) => ms.toFixed(0)).join("/")}`);
      progress((count * (at + 1)) / Object.keys(operations).length);
    }
    await follower.revocations.catchUp();
    await new Promise((resolve) => setImmediate(resolve));
    if (learned < count) failures += 1;
  } finally {
    stopwatch.stop();
    await opened.close();
    await store.close();
  }
  return { count, failures, note: `longest turn, 99 in 100 steps, longest step in ms: ${told.join(", ")}` };
};

/** @type {import("./proofs.mjs").Proof[]} */
export const manySessionProofs = storeNames.map((name) => ({
  name: `many-sessions-${name}`,
  run: manySessions(name),
  size: 200_000,
  isTimed: true,
  ...(name === "sqlite" ? { short: 4000 } : {}),
  what: "what ends, erases, moves or sweeps many sessions; a failure holds the event loop or the store for more than 100 ms",
}));
