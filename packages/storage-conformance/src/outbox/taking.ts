import { millis, type SessionRecord } from "@pawl/storage";
import { expect, it } from "vitest";
import { atOnce, createSession, type TestStore, userId } from "../store.js";
import { eventOf, keysOf, listAll, minute, settle, take, takeKeys } from "./outbox-store.js";

/** Who may take what, and when. */
export const testTaking = (openOutbox: () => Promise<TestStore>): void => {
  it("gives the head of each queue alone, and each queue in the order of its appending", async () => {
    const store = await openOutbox();
    const sessions = [
      await createSession(store),
      await createSession(store),
      await createSession(store, { userId: userId("bob") }),
    ];
    const queues = sessions.map((session) => Array.from({ length: 5 }, () => eventOf(store, session)));
    // Of each queue the newer ones say an older time, and keys that come first: only the appending counts.
    const events = [0, 1, 2, 3, 4].flatMap((index) => queues.map((queue) => queue[index]!));
    for (const [index, event] of events.entries())
      await store.storage.appendEvents([
        { ...event, at: millis(event.at - index), key: `${9 - Math.floor(index / 3)}${event.key}` },
      ]);
    const seen: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const taken = await take(store);
      expect(new Set(taken.map(({ event }) => event.sessionId)).size).toBe(3);
      expect(await take(store)).toStrictEqual([]);
      for (const { event } of taken) {
        seen.push(`${event.sessionId} ${event.key[0]}`);
        expect(await settle(store, event.key, { kind: "delivered" })).toBe(true);
      }
    }
    for (const { id } of sessions)
      expect(seen.filter((text) => text.startsWith(id)).map((text) => text.at(-1))).toStrictEqual([
        "9",
        "8",
        "7",
        "6",
        "5",
      ]);
    expect(await listAll(store, false)).toStrictEqual([]);
  });

  it("keeps the order of one call of several events", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const events = Array.from({ length: 9 }, (_, index) => eventOf(store, session, { key: `${9 - index}` }));
    await store.storage.appendEvents(events);
    const seen: string[] = [];
    for (let [key] = await takeKeys(store); key !== undefined; [key] = await takeKeys(store)) {
      seen.push(key);
      await settle(store, key, { kind: "delivered" });
    }
    expect(seen).toStrictEqual(events.map(({ key }) => key));
  });

  it("makes each event without a session a queue of its own", async () => {
    const store = await openOutbox();
    const events = [eventOf(store), eventOf(store), eventOf(store, undefined, { userId: userId("alice") })];
    await store.storage.appendEvents(events);
    expect((await takeKeys(store)).toSorted()).toStrictEqual(events.map(({ key }) => key).toSorted());
  });

  it("gives a claimed entry again when its time is over, and never before", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const [first, second] = [eventOf(store, session), eventOf(store, session)];
    await store.storage.appendEvents([first, second]);
    expect(await takeKeys(store)).toStrictEqual([first.key]);
    store.clock.advance(minute - 1);
    expect(await takeKeys(store)).toStrictEqual([]);
    store.clock.advance(1);
    expect(await take(store)).toMatchObject([{ event: first, dueAt: store.clock.now() + minute }]);
    expect(await takeKeys(store)).toStrictEqual([]);
    // Whoever took it first may come late: it is delivered all the same.
    expect(await settle(store, first.key, { kind: "delivered" })).toBe(true);
    expect(await takeKeys(store)).toStrictEqual([second.key]);
  });

  it("gives those first that are due longest, at most so many", async () => {
    const store = await openOutbox();
    const events = Array.from({ length: 5 }, () => eventOf(store));
    await store.storage.appendEvents(events);
    const order = [3, 0, 4, 1, 2];
    for (const [index, place] of order.entries())
      await settle(store, events[place]!.key, {
        kind: "postponed",
        dueAt: millis(store.clock.now() + 1000 * (index + 1)),
        state: "{}",
      });
    const expected = order.map((place) => events[place]!.key);
    store.clock.advance(4000);
    expect((await takeKeys(store, 3)).toSorted()).toStrictEqual(expected.slice(0, 3).toSorted());
    expect(await takeKeys(store, 3)).toStrictEqual(expected.slice(3, 4));
    expect(await takeKeys(store, 3)).toStrictEqual([]);
    store.clock.advance(1000);
    expect(await takeKeys(store, 3)).toStrictEqual(expected.slice(4));
  });

  it("finds the heads behind hundreds of entries that wait", async () => {
    const store = await openOutbox();
    const busy = await createSession(store);
    await store.storage.appendEvents(Array.from({ length: 300 }, () => eventOf(store, busy)));
    store.clock.advance(1);
    const last = eventOf(store);
    await store.storage.appendEvents([last]);
    expect(await take(store, 10)).toHaveLength(2);
    await settle(store, last.key, { kind: "dead", state: "{}" });
    expect(await take(store, 10)).toStrictEqual([]);
  });

  it("gives each entry to one of twenty that take at once", async () => {
    const store = await openOutbox();
    const events = Array.from({ length: 30 }, () => eventOf(store));
    await store.storage.appendEvents(events);
    const taken = await atOnce(20, () => take(store, 3));
    for (const each of taken) expect(each.length).toBeLessThanOrEqual(3);
    const keys = [...keysOf(taken.flat()), ...(await takeKeys(store))];
    expect(keys.toSorted()).toStrictEqual(events.map(({ key }) => key).toSorted());
  });

  it("delivers every queue in its order, however many take and append at once", async () => {
    const store = await openOutbox();
    const sessions = await atOnce(6, (index) => createSession(store, { userId: userId(`user-${index}`) }));
    const delivered = new Map<string, string[]>();
    const append = (session: SessionRecord) => async () => {
      for (let index = 0; index < 8; index += 1)
        await store.storage.appendEvents([eventOf(store, session, { key: `${session.id}:${index}` })]);
    };
    const deliver = async (): Promise<void> => {
      for (let idle = 0; idle < 20; idle += 1)
        for (const { event } of await take(store, 2)) {
          idle = 0;
          const queue = delivered.get(event.sessionId!) ?? [];
          delivered.set(event.sessionId!, [...queue, event.key]);
          await settle(store, event.key, { kind: "delivered" });
        }
    };
    await Promise.all([...sessions.map((session) => append(session)()), ...Array.from({ length: 4 }, deliver)]);
    await deliver();
    for (const { id } of sessions)
      expect(delivered.get(id)).toStrictEqual(Array.from({ length: 8 }, (_, index) => `${id}:${index}`));
  });
};
