import { describe, expect, test, vi } from "vitest";
import { NOTHING_KNOWN, type SharedSession } from "../src/shared-session.js";
import { inTurn } from "../src/turn.js";
import { freshPages, settle } from "./globals.js";

freshPages();

/** Web Locks as far as turns need them: one holder after another, and a wait that its signal ends. */
const locks = () => {
  let held: Promise<unknown> = Promise.resolve();
  return {
    async request<Result>(_key: string, { signal }: { signal: AbortSignal }, work: () => Promise<Result>) {
      const before = held;
      const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      const granted = Promise.race([before, aborted]).then(() => work());
      held = Promise.allSettled([before, granted]);
      return granted;
    },
  };
};

/** The record that tabs share, without the browser that keeps it. */
const sharedRecord = (record: SharedSession = NOTHING_KNOWN) => ({
  get: () => record,
  update: async (change: (kept: SharedSession) => SharedSession | undefined) => (record = change(record) ?? record),
});

describe.each(["with Web Locks", "without"])("turns %s", (kind) => {
  const start = (record?: SharedSession) => {
    vi.stubGlobal("navigator", kind === "without" ? {} : { locks: locks() });
    const state = sharedRecord(record);
    const begun: string[] = [];
    const finish: Record<string, (error?: Error) => void> = {};
    const take = (name: string) =>
      inTurn("key", state, () => {
        begun.push(name);
        return new Promise<string>((resolve, reject) => {
          finish[name] = (error) => (error === undefined ? resolve(name) : reject(error));
        });
      });
    return { state, begun, finish, take };
  };

  test("one after another, also where one has failed", async () => {
    const { state, begun, finish, take } = start();
    const first = take("first");
    await settle();
    const second = take("second");
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(["first"]);
    finish["first"]!(new Error("failed"));
    await expect(first).rejects.toThrow("failed");
    await vi.advanceTimersByTimeAsync(50);
    expect(begun).toEqual(["first", "second"]);
    finish["second"]!();
    expect(await second).toBe("second");
    expect(state.get().busyUntil).toBe(kind === "without" ? 0 : undefined);
  });

  test("nobody waits for longer than a refresh may take", async () => {
    const { begun, finish, take } = start();
    void take("hangs");
    await settle();
    const second = take("second");
    await vi.advanceTimersByTimeAsync(9_900);
    expect(begun).toEqual(["hangs"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(begun).toEqual(["hangs", "second"]);
    finish["second"]!();
    expect(await second).toBe("second");
  });
});

test("who has waited goes ahead, although others take turn after turn", async () => {
  const state = sharedRecord();
  let isDone = false;
  const busy = () =>
    state.update((kept) => ({ ...kept, busyUntil: performance.timeOrigin + performance.now() + 60_000 }));
  await busy();
  const turn = inTurn("key", state, async () => (isDone = true));
  for (let round = 0; round < 99; round++) {
    await vi.advanceTimersByTimeAsync(100);
    await busy();
  }
  expect(isDone).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(await turn).toBe(true);
});

test("where the browser denies locks, the work is done all the same, and once", async () => {
  vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new DOMException("denied", "SecurityError")) } });
  const work = vi.fn(async () => "done");
  expect(await inTurn("key", sharedRecord(), work)).toBe("done");
  expect(work).toHaveBeenCalledTimes(1);
});
