import { millis } from "@pawl/storage";
import { expect, it } from "vitest";
import { createSession, tenantId, type TestStore, userId } from "../store.js";
import { eventOf, keysOf, listAll, settle, takeKeys } from "./outbox-store.js";

/** Lists, erasure and the sweep of what is dead. */
export const testKeeping = (openOutbox: () => Promise<TestStore>): void => {
  it("lists dead entries and the others apart, each once, in pages of any size", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const events = Array.from({ length: 21 }, (_, index) => eventOf(store, index % 3 === 0 ? session : undefined));
    await store.storage.appendEvents(events);
    const dead = events.filter((_, index) => index % 2 === 0).map(({ key }) => key);
    const alive = events.filter((_, index) => index % 2 === 1).map(({ key }) => key);
    for (const key of dead) await settle(store, key, { kind: "dead", state: `{"key":"${key}"}` });
    for (const limit of [1, 4, 10, 11, 12]) {
      expect(keysOf(await listAll(store, true, limit)).toSorted(), `limit ${limit}`).toStrictEqual(dead.toSorted());
      expect(keysOf(await listAll(store, false, limit)).toSorted(), `limit ${limit}`).toStrictEqual(alive.toSorted());
    }
    for (const { event, state } of await listAll(store, true)) {
      expect(events).toContainEqual(event);
      expect(state).toBe(`{"key":"${event.key}"}`);
    }
  });

  it("goes on after an entry that is gone", async () => {
    const store = await openOutbox();
    const events = Array.from({ length: 6 }, () => eventOf(store));
    await store.storage.appendEvents(events);
    const first = await store.storage.listOutbox({ dead: false }, { limit: 3 });
    for (const { event } of first.items) await settle(store, event.key, { kind: "delivered" });
    const second = await store.storage.listOutbox({ dead: false }, { limit: 3, after: first.next });
    const found = [...first.items, ...second.items].map(({ event }) => event.key);
    expect(found.toSorted()).toStrictEqual(events.map(({ key }) => key).toSorted());
    expect(second.next).toBeUndefined();
  });

  it("loses all entries of a user that is erased, dead or not, and no others", async () => {
    const store = await openOutbox();
    const alice = await createSession(store);
    const others = [
      await createSession(store, { userId: userId("Alice") }),
      await createSession(store, { tenantId: tenantId("customer-1") }),
    ];
    const { tenantId: tenant, userId: user } = alice;
    const mine = [
      eventOf(store, alice),
      eventOf(store, alice),
      eventOf(store, undefined, { tenantId: tenant, userId: user }),
    ];
    const kept = [...others.map((session) => eventOf(store, session)), eventOf(store, undefined, { tenantId: tenant })];
    await store.storage.appendEvents([...mine, ...kept]);
    await settle(store, mine[0]!.key, { kind: "dead", state: "{}" });
    await settle(store, kept[0]!.key, { kind: "dead", state: "{}" });
    expect(await store.storage.eraseUser(alice)).toMatchObject({ rows: 1, events: 3 });
    expect(keysOf(await listAll(store, true))).toStrictEqual([kept[0]!.key]);
    expect(keysOf(await listAll(store, false)).toSorted()).toStrictEqual([kept[1]!.key, kept[2]!.key].toSorted());
    expect(await settle(store, mine[1]!.key, { kind: "delivered" })).toBe(false);
    expect((await takeKeys(store)).toSorted()).toStrictEqual([kept[1]!.key, kept[2]!.key].toSorted());
  });

  it("deletes dead entries of events before a time, at most so many, and keeps the others for ever", async () => {
    const store = await openOutbox();
    const start = store.clock.now();
    const events = Array.from({ length: 8 }, (_, index) => eventOf(store, undefined, { at: millis(start + index) }));
    await store.storage.appendEvents(events);
    for (const { key } of events.slice(1)) await settle(store, key, { kind: "dead", state: "{}" });
    const before = millis(start + 6);
    expect(await store.storage.deleteDeadOutbox(before, 3)).toBe(3);
    expect(await store.storage.deleteDeadOutbox(before, 3)).toBe(2);
    expect(await store.storage.deleteDeadOutbox(before, 3)).toBe(0);
    expect(keysOf(await listAll(store, true)).toSorted()).toStrictEqual(
      events
        .slice(6)
        .map(({ key }) => key)
        .toSorted(),
    );
    expect(keysOf(await listAll(store, false))).toStrictEqual([events[0]!.key]);
  });
};
