import { MemoryStorage, StorageError } from "@pawl/storage";
import { expect, test, vi } from "vitest";
import { createNodes } from "../../src/server/nodes.js";
import { listen, movableClock } from "../listening-core.js";

const KEY = "the-key-of-an-operator-0";

test("a core says where it is, until it says goodbye", async () => {
  const core = await listen({ apiKeys: [KEY] });
  const { json } = await core.send("GET", "/v1/nodes", { headers: { "api-key": KEY } });
  const host = expect.stringMatching(new RegExp(`.:${core.port}$`)) as string;
  expect(json.nodes).toMatchObject([{ host, version: expect.any(String) as string }]);
  const [{ startedAt, seenAt, feedReadAt, clockAhead }] = json.nodes;
  expect(feedReadAt <= startedAt && startedAt <= seenAt && seenAt <= json.now).toBe(true);
  expect(Math.abs(clockAhead)).toBeLessThan(1000);
  const written = vi.spyOn(core.engine.storage, "replaceMeta");
  await core.close();
  expect(written.mock.calls.map(([name, , to]) => [name, to])).toContainEqual(["nodes", "{}"]);
});

/** Nodes of one store whose words are said by hand. */
const several = () => {
  const clock = movableClock();
  const storage = new MemoryStorage({ clock });
  const errors: unknown[] = [];
  const join = async (version: string) => {
    const revocations = { readAt: clock.now() } as Parameters<typeof createNodes>[0]["revocations"];
    let say = (): void => undefined;
    const stop = vi.fn<() => void>();
    const repeat = (run: () => void) => {
      say = run;
      return stop;
    };
    const nodes = createNodes({ storage, revocations }, { version, onError: (error) => errors.push(error), repeat });
    await nodes.join(1);
    return { ...nodes, say: () => say(), stop };
  };
  return { clock, storage, errors, join };
};

test("several are told apart, newest first; one that is not heard of for an hour is forgotten", async () => {
  const { clock, join } = several();
  const first = await join("1.0.0");
  clock.move(1000);
  const second = await join("2.0.0");
  const versions = async () => (await second.list()).map(({ version }) => version);
  expect(await versions()).toEqual(["2.0.0", "1.0.0"]);
  await first.leave();
  expect([await versions(), first.stop.mock.calls.length]).toEqual([["2.0.0"], 1]);
  clock.move(3_600_000);
  await join("3.0.0");
  expect(await versions()).toEqual(["3.0.0"]);
});

test("what one says again replaces what it said; a store that is down keeps no node from going on, or from stopping", async () => {
  const { clock, storage, errors, join } = several();
  const node = await join("1.0.0");
  const seen = async () => (await node.list()).map(({ startedAt, seenAt }) => seenAt - startedAt);
  clock.move(20_000);
  node.say();
  await expect.poll(seen).toEqual([20_000]);
  const down = vi.spyOn(storage, "claimMeta").mockRejectedValue(new StorageError("unavailable", "down"));
  node.say();
  await expect.poll(() => errors.length).toBe(1);
  down.mockRestore();
  clock.move(20_000);
  node.say();
  await expect.poll(seen).toEqual([40_000]);
  vi.spyOn(storage, "claimMeta").mockRejectedValue(new StorageError("unavailable", "down"));
  await node.leave();
});
