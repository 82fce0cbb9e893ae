import { expect, it } from "vitest";
import { createReplayMemory } from "../../src/identity-provider/replay-memory.js";
import { memoryStage, MINUTE, onEveryStore } from "../engines.js";

const issuer = "https://id.example";

onEveryStore("the memory of logout tokens", (open) => {
  it("knows a token until its end, on every node, and by issuer and jti together", async () => {
    const { storage, clock } = await open();
    const [here, there] = [createReplayMemory(storage), createReplayMemory(storage)];
    const until = (clock.now() + MINUTE) / 1000;
    const token = { issuer, jti: "a" };
    expect(await here.knows(token)).toBe(false);
    const told = await Promise.all([here, there, here, there].map((memory) => memory.remember(token, until)));
    expect(told.filter((isNew) => isNew)).toEqual([true]);
    for (const memory of [here, there]) expect(await memory.knows(token)).toBe(true);
    for (const other of [
      { issuer, jti: "b" },
      { issuer: "https://other.example", jti: "a" },
    ])
      expect(await there.knows(other)).toBe(false);
    clock.advance(MINUTE - 1);
    expect(await there.knows(token)).toBe(true);
    clock.advance(1);
    expect(await there.knows(token)).toBe(false);
    expect(await there.remember(token, until + 60)).toBe(true);
  });

  it("remembers twenty that come at once", async () => {
    const { storage, clock } = await open();
    const memory = createReplayMemory(storage);
    const until = (clock.now() + MINUTE) / 1000;
    const tokens = Array.from({ length: 20 }, (_, index) => ({ issuer, jti: String(index) }));
    expect(await Promise.all(tokens.map((token) => memory.remember(token, until)))).toEqual(tokens.map(() => true));
    expect(await Promise.all(tokens.map((token) => memory.knows(token)))).toEqual(tokens.map(() => true));
  });
});

it("does not grow, and forgets those first that come to their end first", async () => {
  const { storage, clock } = memoryStage();
  const memory = createReplayMemory(storage);
  const now = clock.now() / 1000;
  const first = { issuer, jti: "first" };
  const last = { issuer, jti: "last" };
  await memory.remember(first, now + 1);
  await memory.remember(last, now + 3600);
  for (let index = 0; index < 20_000; index += 1) await memory.remember({ issuer, jti: String(index) }, now + 60);
  const { items } = await storage.listMeta("logout_tokens:", { limit: 1000 });
  expect(items).toHaveLength(256);
  for (const { value } of items) expect(value.length).toBeLessThan(32 * 60);
  expect(await memory.knows(first)).toBe(false);
  expect(await memory.knows(last)).toBe(true);
});
