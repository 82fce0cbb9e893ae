import { expect, it } from "vitest";
import { CheckedStorage } from "../src/checked-storage.js";
import { MemoryStorage, millis, type SessionId, type Storage } from "../src/index.js";

/** A storage whose `ping` the test ends, and what it was asked. */
const pending = () => {
  const calls: string[] = [];
  const ends: { readonly end: () => void; readonly fail: (error: Error) => void }[] = [];
  const storage = {
    ...Object.fromEntries(
      Object.keys(new MemoryStorage()).map((name) => [name, async () => void calls.push(name)] as const),
    ),
    now: () => millis(7),
    watchFeeds: (wake: () => void) => {
      calls.push("watchFeeds");
      wakes.push(wake);
      return () => void calls.push("stop");
    },
    ping: () => {
      calls.push("ping");
      return new Promise<void>((resolve, reject) => ends.push({ end: resolve, fail: reject }));
    },
  } as unknown as Storage;
  const wakes: (() => void)[] = [];
  return { storage: new CheckedStorage(storage), calls, ends, wakes };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("closes once, and when every call is over that was under way, also one that fails", async () => {
  const { storage, calls, ends } = pending();
  const answers = Promise.allSettled([storage.ping(), storage.ping()]);
  let closed = 0;
  const closing = [storage.close(), storage.close()].map((close) => close.then(() => (closed += 1)));
  ends[0]!.end();
  await turn();
  expect([closed, calls]).toEqual([0, ["ping", "ping"]]);
  ends[1]!.fail(new Error("lost"));
  await Promise.all(closing);
  expect([closed, calls]).toEqual([2, ["ping", "ping", "close"]]);
  expect((await answers).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

it("hands on the promise of the storage itself, and nothing once it is closed but the time", async () => {
  const { storage, calls, ends, wakes } = pending();
  let woken = 0;
  storage.watchFeeds(() => (woken += 1));
  const ping = storage.ping();
  ends[0]!.end();
  await ping;
  wakes[0]!();
  await storage.close();
  wakes[0]!();
  expect([woken, storage.now()]).toEqual([1, 7]);
  const before = calls.length;
  await expect(storage.ping()).rejects.toMatchObject({ code: "closed" });
  await expect(storage.getSession("id" as SessionId)).rejects.toMatchObject({ code: "closed" });
  expect(() => storage.watchFeeds(() => undefined)).toThrow("the storage was closed");
  expect(calls).toHaveLength(before);
});

it("refuses what no store could keep before the storage is asked, by a rejection", async () => {
  const { storage, calls } = pending();
  const refused = [
    storage.getSession("a\u0000b" as SessionId),
    storage.listSessions({}, { limit: 0 }),
    storage.deleteExpired(millis(0), 0.5),
    storage.claimMeta("\ud800", "value"),
  ];
  for (const answer of refused) await expect(answer).rejects.toMatchObject({ code: "invalid_record" });
  expect(calls).toEqual([]);
});
