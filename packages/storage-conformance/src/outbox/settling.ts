import { millis } from "@pawl/storage";
import { expect, it } from "vitest";
import { atOnce, createSession, type TestStore } from "../store.js";
import { destination, eventOf, keysOf, listAll, minute, settle, take, takeKeys } from "./outbox-store.js";

/** What becomes of an entry that was taken. */
export const testSettling = (openOutbox: () => Promise<TestStore>): void => {
  /** A queue of three, of which the head was taken. */
  const openQueue = async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const events = [eventOf(store, session), eventOf(store, session), eventOf(store, session)] as const;
    await store.storage.appendEvents(events);
    const [first, second, third] = events.map(({ key }) => key);
    expect(await takeKeys(store)).toStrictEqual([first]);
    return { store, events, first: first!, second: second!, third: third! };
  };

  it("postpones a head with a note, and what is behind it waits", async () => {
    const { store, events, first } = await openQueue();
    const state = '{ "tries":1, "\u{1F512}": "\'" }';
    const dueAt = millis(store.clock.now() + 10 * minute);
    expect(await settle(store, first, { kind: "postponed", dueAt, state })).toBe(true);
    expect(await listAll(store, false)).toContainEqual({ destination, event: events[0], dueAt, state, dead: false });
    store.clock.advance(10 * minute - 1);
    expect(await takeKeys(store)).toStrictEqual([]);
    store.clock.advance(1);
    expect(await take(store)).toStrictEqual([
      { destination, event: events[0], dueAt: store.clock.now() + minute, state, dead: false },
    ]);
  });

  it("lets the next of a queue be taken at once when its head is delivered or given up", async () => {
    const { store, events, first, second, third } = await openQueue();
    expect(await settle(store, first, { kind: "delivered" })).toBe(true);
    expect(await takeKeys(store)).toStrictEqual([second]);
    const state = '{"status":410}';
    expect(await settle(store, second, { kind: "dead", state })).toBe(true);
    expect(await takeKeys(store)).toStrictEqual([third]);
    expect(await listAll(store, true)).toMatchObject([{ event: events[1], state, dead: true }]);
    expect(keysOf(await listAll(store, false))).toStrictEqual([third]);
    store.clock.advance(1000 * minute);
    expect(await takeKeys(store)).toStrictEqual([third]);
  });

  it("brings a dead entry back to its place, before what was appended after it", async () => {
    const { store, events, first, second } = await openQueue();
    await settle(store, first, { kind: "dead", state: '{"tries":9}' });
    expect(await takeKeys(store)).toStrictEqual([second]);
    const dueAt = millis(store.clock.now() + 1000);
    await settle(store, first, { kind: "postponed", dueAt, state: '{"tries":0}' });
    expect(await listAll(store, true)).toStrictEqual([]);
    expect(await takeKeys(store)).toStrictEqual([]);
    store.clock.advance(1000);
    expect(await take(store)).toMatchObject([{ event: events[0], state: '{"tries":0}', dead: false }]);
    await settle(store, first, { kind: "delivered" });
    expect(await takeKeys(store)).toStrictEqual([second]);
  });

  it("leaves a queue alone when a dead entry of it is thrown away or given up again", async () => {
    const { store, first, second, third } = await openQueue();
    await settle(store, first, { kind: "dead", state: "{}" });
    expect(await takeKeys(store)).toStrictEqual([second]);
    expect(await settle(store, first, { kind: "dead", state: '{"again":true}' })).toBe(true);
    expect(await listAll(store, true)).toMatchObject([{ state: '{"again":true}' }]);
    expect(await takeKeys(store)).toStrictEqual([]);
    expect(await settle(store, first, { kind: "delivered" })).toBe(true);
    expect(await takeKeys(store)).toStrictEqual([]);
    expect(keysOf(await listAll(store, false)).toSorted()).toStrictEqual([second, third].toSorted());
  });

  it("says of an entry that is not there that it is not", async () => {
    const { store, first } = await openQueue();
    await settle(store, first, { kind: "delivered" });
    const dueAt = store.clock.now();
    for (const key of [first, "", "nothing", first.toUpperCase()])
      for (const settlement of [
        { kind: "delivered" },
        { kind: "dead", state: "{}" },
        { kind: "postponed", dueAt, state: "{}" },
      ] as const)
        expect(await settle(store, key, settlement)).toBe(false);
  });

  it("has one of twenty that says delivered", async () => {
    const { store, first, second } = await openQueue();
    const settled = await atOnce(20, () => settle(store, first, { kind: "delivered" }));
    expect(settled.filter(Boolean)).toHaveLength(1);
    expect(await takeKeys(store)).toStrictEqual([second]);
  });
};
