import { millis, type Storage, type UserId } from "@pawl/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createEngine } from "../../src/index.js";
import { HOUR, MASTER_KEYS, memoryStage, MINUTE, onEveryStore, SECOND, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

onEveryStore("the number of live sessions", (open) => {
  it("is counted once, moved by logins and ends of every node, and counted anew each hour", async () => {
    const stage = await open();
    const [one, two] = [await stage.engine({ idleTimeout: millis(30 * MINUTE) }), await stage.engine()];
    await one.createSession({ userId: USER });
    expect(await one.countLiveSessions()).toBeUndefined();
    await one.maintainCounts();
    const countedAt = stage.clock.now();
    expect(await two.countLiveSessions()).toEqual({ count: 1, countedAt });
    stage.clock.advance(SECOND);
    for (let index = 0; index < 3; index += 1) await two.createSession({ userId: "bob" as UserId });
    await one.revokeAllForUser({ userId: USER });
    expect(await one.countLiveSessions()).toEqual({ count: 0, countedAt });
    expect(await two.countLiveSessions()).toEqual({ count: 3, countedAt });
    await one.createSession({ userId: USER });
    expect(await one.countLiveSessions()).toEqual({ count: 4, countedAt });
    // One is over by idleness, which nobody noticed.
    stage.clock.advance(HOUR);
    await two.maintainCounts();
    expect(await one.countLiveSessions()).toEqual({ count: 3, countedAt: stage.clock.now() });
  });
});

it("is counted by one node at a time, in rounds, and again when that node is gone for an hour", async () => {
  const { clock, storage, engine } = memoryStage();
  const seed = await engine();
  for (let index = 0; index < 4; index += 1) await seed.createSession({ userId: USER });
  await seed.countLiveSessions();
  let pages = 0;
  /** Gives a page of one. */
  const slow = intercepted(storage, async ({ method, proceed }) => {
    if (method !== "listSessionReferences") return proceed();
    pages += 1;
    return { items: [{}], next: pages < 250 ? "more" : undefined };
  });
  const counting = await createEngine({ storage: slow, masterKeys: MASTER_KEYS });
  await counting.maintainCounts();
  expect(pages).toBe(100);
  await seed.maintainCounts();
  expect(await seed.countLiveSessions()).toBeUndefined();
  for (let round = 0; round < 2; round += 1) await counting.maintainCounts();
  expect(await seed.countLiveSessions()).toMatchObject({ count: 250 });

  clock.advance(HOUR);
  pages = 0;
  await counting.maintainCounts();
  clock.advance(HOUR);
  await seed.maintainCounts();
  expect(await seed.countLiveSessions()).toEqual({ count: 4, countedAt: clock.now() });
  for (let round = 0; round < 2; round += 1) await counting.maintainCounts();
  expect(await seed.countLiveSessions()).toMatchObject({ count: 4 });
});

it("is left alone by a node that another one forestalls", async () => {
  const { storage, engine } = memoryStage();
  const seed = await engine();
  await seed.createSession({ userId: USER });
  await seed.countLiveSessions();
  let looked = 0;
  let forestalled = false;
  const late = intercepted(storage, async ({ method, proceed }) => {
    if (method === "listSessionReferences") looked += 1;
    if (method === "replaceMeta" && !forestalled) {
      forestalled = true;
      await seed.maintainCounts();
    }
    return proceed();
  });
  const second = await createEngine({ storage: late, masterKeys: MASTER_KEYS });
  for (let round = 0; round < 2; round += 1) await second.maintainCounts();
  expect([forestalled, looked]).toEqual([true, 0]);
  expect(await seed.countLiveSessions()).toMatchObject({ count: 1 });
});

it("never differs from the truth by more than what came and went while it was counted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), fc.nat(20), async (moves, before) => {
      const { storage, engine } = memoryStage();
      const node = await engine();
      const login = () => node.createSession({ userId: USER });
      const handles: string[] = [];
      for (let index = 0; index < before; index += 1) handles.push((await login()).session.handle);
      const list = storage.listSessionReferences.bind(storage);
      let changes = 0;
      const paged: Pick<Storage, "listSessionReferences"> = {
        async listSessionReferences(selector, { after }) {
          for (const isLogin of moves.splice(0, 3)) {
            if (isLogin) handles.push((await login()).session.handle);
            else if ((await node.revokeSessions(handles.splice(0, 1))).length === 0) continue;
            changes += 1;
          }
          return list(selector, { limit: 2, after });
        },
      };
      Object.assign(storage, paged);
      await node.maintainCounts();
      const counted = await node.countLiveSessions();
      expect(Math.abs((counted?.count ?? 0) - handles.length)).toBeLessThanOrEqual(changes + 1);
    }),
    { numRuns: 50 },
  );
});
