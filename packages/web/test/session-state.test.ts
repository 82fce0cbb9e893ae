import { expect, test, vi } from "vitest";
import { nextGeneration, NOTHING_KNOWN, type SharedSession } from "../src/shared-session.js";
import { indexedDbStore } from "../src/record-store.js";
import { openState } from "../src/session-state.js";
import { freshPages, frontToken, settle } from "./globals.js";

const page = freshPages();

/** A tab that knows what the others know. */
const openTab = async (options: Partial<Parameters<typeof openState>[1]> = {}) => {
  const state = openState("key", { persist: true, signal: page.signal, ...options });
  const events: string[] = [];
  const stop = state.listen((event) => event && events.push(event.type));
  await state.ready;
  return { state, events, stop };
};
type Tab = Awaited<ReturnType<typeof openTab>>;

const login = ({ state }: Tab, of: Parameters<typeof frontToken>[0] = {}): Promise<SharedSession> =>
  state.update((newest) => ({ ...newest, generation: nextGeneration(newest), front: frontToken(of) }));
const block = (name: string): void => {
  vi.stubGlobal(name, undefined);
  const get = () => {
    throw new DOMException("blocked", "SecurityError");
  };
  Object.defineProperty(globalThis, name, { configurable: true, get });
};

test("what one tab learns is told to the others, once; a later one reads it, and to that it is no event", async () => {
  const [first, second] = [await openTab(), await openTab()];
  const record = await login(first);
  expect(await first.state.update(() => undefined)).toBe(record);
  await expect.poll(() => second.events).toEqual(["created"]);
  expect(second.state.record).toEqual(record);
  const late = await openTab();
  expect([late.state.record, late.events]).toEqual([record, []]);
  first.stop();
  await login(late);
  await expect.poll(() => second.events).toEqual(["created", "refreshed"]);
  expect([first.events, late.events]).toEqual([["created"], ["refreshed"]]);
  expect(first.state.record.generation).toBeGreaterThan(record.generation);
});

test("a change sees what another tab has just kept; what does not change is not told", async () => {
  const [first, second] = [await openTab(), await openTab()];
  const told = vi.spyOn(BroadcastChannel.prototype, "postMessage");
  await Promise.all(
    [first, second, first, second].map((tab) => tab.state.update((kept) => ({ ...kept, busyUntil: 1 }))),
  );
  expect(told).not.toHaveBeenCalled();
  const seen: (number | undefined)[] = [];
  await second.state.update(({ busyUntil }) => void seen.push(busyUntil) as undefined);
  expect(seen).toEqual([1]);
  await login(first);
  expect(told).toHaveBeenCalledTimes(1);
});

test("where what was kept is wiped, or older, each goes on from what it knows", async () => {
  const tab = await openTab();
  const record = await login(tab);
  await new Promise((resolve) => (indexedDB.deleteDatabase("pawl").onsuccess = resolve));
  expect(await tab.state.read()).toBe(record);
  await indexedDbStore("key").update(() => ({ generation: 1, endedAt: 0 }));
  await tab.state.update((newest) => (expect(newest).toBe(record), undefined));
  expect((await login(tab)).generation).toBeGreaterThan(record.generation);
});

test("what is older than what is known changes nothing", async () => {
  const tab = await openTab();
  const record = await login(tab);
  for (const generation of [record.generation, record.generation - 1])
    expect(await tab.state.update(() => ({ generation, endedAt: 0 }))).toBe(record);
});

test.each(["indexedDB", "BroadcastChannel"])("without %s each knows what it has seen itself", async (name) => {
  block(name);
  const tab = await openTab();
  const record = await login(tab);
  expect([tab.state.record, tab.events]).toEqual([record, ["created"]]);
  expect(await tab.state.read()).toBe(record);
});

test("a state that does not persist is neither kept nor told", async () => {
  const [own, other] = [await openTab({ persist: false }), await openTab()];
  await login(own);
  expect(own.events).toEqual(["created"]);
  await settle();
  expect([other.state.record, (await openTab()).state.record]).toEqual([NOTHING_KNOWN, NOTHING_KNOWN]);
});

test("back from the cache of pages, and only then, it reads what was told meanwhile; closed, it does not", async () => {
  const closing = new AbortController();
  const tab = await openTab({ signal: closing.signal });
  // Told to nobody.
  const behind = async () => {
    block("BroadcastChannel");
    await login(await openTab());
  };
  const show = async (persisted: boolean) => {
    page.events.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
    await settle();
  };
  await behind();
  await show(false);
  expect(tab.events).toEqual([]);
  await show(true);
  expect(tab.events).toEqual(["created"]);
  closing.abort();
  await behind();
  await show(true);
  expect(tab.events).toEqual(["created"]);
});

test("a closed one hears nothing any more", async () => {
  const closing = new AbortController();
  const [tab, other] = [await openTab({ signal: closing.signal }), await openTab()];
  const close = vi.spyOn(BroadcastChannel.prototype, "close");
  closing.abort();
  expect(close).toHaveBeenCalledTimes(1);
  await login(other);
  await settle();
  expect(tab.events).toEqual([]);
});

test("a worker without events of a window has a state too", async () => {
  vi.stubGlobal("addEventListener", undefined);
  const tab = await openTab();
  await login(tab);
  expect(tab.events).toEqual(["created"]);
});

test("what it shows is the same object until something in it changes, and who follows it is told", async () => {
  const tab = openState("key", { persist: true, signal: page.signal });
  const shown = [tab.snapshot];
  tab.listen(() => shown.at(-1) === tab.snapshot || shown.push(tab.snapshot));
  await tab.ready;
  const other = await openTab();
  const told = () => Promise.all([expect.poll(() => tab.record).toEqual(other.state.record), settle()]);
  const change = async (next: Partial<SharedSession>) => {
    await other.state.update((newest) => ({ ...newest, generation: nextGeneration(newest), ...next }));
    await told();
  };
  await change({ front: frontToken({ payload: { a: 1 } }) });
  // A refresh: other tokens, the same session.
  await change({ front: frontToken({ payload: { a: 1 }, lifetime: 1000 }) });
  await change({ front: frontToken({ payload: { a: 2 } }) });
  const { front: _, ...rest } = other.state.record;
  await other.state.update((newest) => ({ ...rest, generation: nextGeneration(newest), reason: "idle" }));
  await told();
  await change({});
  const session = { status: "valid", userId: "u1", handle: "h1" };
  expect(shown).toEqual([
    { status: "unknown" },
    { status: "ended", reason: undefined },
    { ...session, payload: { a: 1 } },
    { ...session, payload: { a: 2 } },
    { status: "ended", reason: "idle" },
  ]);
  const late = openState("key", { persist: true, signal: page.signal });
  await late.ready;
  expect(late.snapshot).toEqual({ status: "ended", reason: "idle" });
});
