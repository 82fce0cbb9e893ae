import { type Millis, StorageError } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine } from "../../src/index.js";
import { startMaintenance } from "../../src/host/index.js";
import { DAY, MASTER_KEYS, memoryStage, SECOND, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

/** A schedule that a test winds by hand. */
const handWound = () => {
  const waiting: { readonly run: () => void; readonly delay: Millis }[] = [];
  return {
    waiting,
    schedule: (run: () => void, delay: Millis) => {
      const timer = { run, delay };
      waiting.push(timer);
      return () => void waiting.splice(waiting.indexOf(timer) >>> 0, 1);
    },
    /** Runs what is due and waits until the next round is planned. */
    turn: async () => {
      waiting.shift()?.run();
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
};

it("renews signing keys, catches up with revocations and deletes what is over, round after round", async () => {
  const { clock, storage, engine: start } = memoryStage();
  const engine = await start();
  const { schedule, turn, waiting } = handWound();
  const stop = startMaintenance({ engine, schedule });
  await engine.createSession({ userId: USER });
  const [firstKey] = engine.listSigningKeys();

  clock.advance(7 * DAY);
  await turn();
  expect(engine.listSigningKeys().map(({ status }) => status)).toEqual(["next", "active"]);
  clock.advance(61 * SECOND);
  await turn();
  expect(engine.listSigningKeys().map(({ status }) => status)).toEqual(["active", "retired"]);
  clock.advance(DAY);
  await turn();
  expect(engine.listSigningKeys().map(({ kid }) => kid)).not.toContain(firstKey?.kid);

  clock.advance(100 * DAY);
  await turn();
  expect((await storage.listEvents({ types: ["session_ended"] }, { limit: 10 })).items).toMatchObject([
    { reason: "expired" },
  ]);
  await stop();
  expect(waiting).toEqual([]);
});

it("a task that fails is told, keeps no other from its turn, and is tried again", async () => {
  const { clock, storage } = memoryStage();
  let down = false;
  const shaky = intercepted(storage, async ({ method, proceed }) => {
    if (down && method !== "deleteExpired") throw new StorageError("unavailable", "the store is down");
    if (down) deletions += 1;
    return proceed();
  });
  let deletions = 0;
  const engine = await createEngine({ storage: shaky, masterKeys: MASTER_KEYS });
  const { schedule, turn } = handWound();
  const errors: unknown[] = [];
  const stop = startMaintenance({ engine, schedule, onError: (error) => errors.push(error) });
  down = true;
  await turn();
  expect(errors).toHaveLength(5);
  expect(deletions).toBe(1);
  down = false;
  clock.advance(7 * DAY);
  await turn();
  expect(errors).toHaveLength(5);
  expect(engine.listSigningKeys()).toHaveLength(2);
  await stop();
});

it("stops in the middle of a round and starts no other", async () => {
  const { storage } = memoryStage();
  let started: () => void = () => undefined;
  let release: () => void = () => undefined;
  let held = false;
  const slow = intercepted(storage, async ({ method, proceed }) => {
    if (held && method === "getSigningKeys") {
      started();
      await new Promise<void>((resolve) => (release = resolve));
    }
    return proceed();
  });
  const engine = await createEngine({ storage: slow, masterKeys: MASTER_KEYS });
  const { schedule, waiting } = handWound();
  const stop = startMaintenance({ engine, schedule });
  held = true;
  const inRound = new Promise<void>((resolve) => (started = resolve));
  waiting.shift()?.run();
  await inRound;
  const stopping = stop();
  held = false;
  release();
  await stopping;
  expect(waiting).toEqual([]);
});
