import { millis, type OutboxRecord } from "@pawl/storage";
import { expect, it } from "vitest";
import { atOnce, createSession, type OpenStore, openTestStore, TestClock, type TestStore, userId } from "../store.js";
import { eventOf, keyOfEntry, listAll, minute, take, twoDestinations } from "./outbox-store.js";

const [A, B] = twoDestinations.map(({ id }) => id) as [string, string];

/** Entries as destination and key. */
const namesOf = (entries: readonly OutboxRecord[]): readonly string[] =>
  entries.map(({ destination, event }) => `${destination} ${event.key}`).toSorted();

const takeNames = async (store: TestStore, limit?: number): Promise<readonly string[]> =>
  namesOf(await take(store, limit));

/** Several destinations: what becomes of an entry of one is nothing to the others. */
export const testDestinations = (open: OpenStore): void => {
  const openOutbox = (): Promise<TestStore> => openTestStore(open, { outbox: twoDestinations });

  /** Three events of a session for both of them, whose heads were taken. */
  const openQueues = async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const events = ["1", "2", "3"].map((key) => eventOf(store, session, { key }));
    await store.storage.appendEvents(events);
    expect(await takeNames(store)).toStrictEqual([`${A} 1`, `${B} 1`]);
    return { store, session, events };
  };

  it("are given each event once that they want, however many append it", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const both = eventOf(store, session, { key: "both", count: 2 });
    await store.storage.appendEvents([
      both,
      eventOf(store, session, { key: "A alone", type: "session_ended" }),
      eventOf(store, undefined, { key: "B alone", type: "token_reuse" }),
      eventOf(store, session, { key: "none", type: "forged_token" }),
    ]);
    await atOnce(10, () => store.storage.appendEvents([{ ...both, count: 1 }]));
    const held = await listAll(store, false);
    expect(namesOf(held)).toStrictEqual([`${A} A alone`, `${A} both`, `${B} B alone`, `${B} both`].toSorted());
    expect(held.filter(({ event }) => event.key === "both")).toMatchObject([{ event: both }, { event: both }]);
    await store.storage.settleOutbox({ key: "both", destination: A }, { kind: "delivered" });
    await store.storage.appendEvents([both]);
    expect(await listAll(store, false)).toHaveLength(3);
    await store.storage.deleteEvents(millis(store.clock.now() + 1), 10);
    await store.storage.appendEvents([{ ...both, count: 7 }]);
    const again = (await listAll(store, false)).filter(({ event }) => event.key === "both");
    // The other one's was there all the while.
    expect(new Map(again.map(({ destination, event }) => [destination, event.count]))).toStrictEqual(
      new Map([
        [A, 7],
        [B, 2],
      ]),
    );
  });

  it("do not hold each other up: one that fails waits alone, and each goes in its order", async () => {
    const { store } = await openQueues();
    const dueAt = millis(store.clock.now() + 10 * minute);
    await store.storage.settleOutbox({ key: "1", destination: B }, { kind: "postponed", dueAt, state: "{}" });
    for (const [key, next] of [
      ["1", [`${A} 2`]],
      ["2", [`${A} 3`]],
      ["3", []],
    ] as const) {
      expect(await store.storage.settleOutbox({ key, destination: A }, { kind: "delivered" })).toBe(true);
      expect(await takeNames(store)).toStrictEqual(next);
    }
    expect(namesOf(await listAll(store, false))).toStrictEqual([`${B} 1`, `${B} 2`, `${B} 3`]);
    store.clock.advance(10 * minute);
    for (const key of ["1", "2", "3"]) {
      expect(await takeNames(store)).toStrictEqual([`${B} ${key}`]);
      await store.storage.settleOutbox({ key, destination: B }, { kind: "delivered" });
    }
    expect(await listAll(store, false)).toStrictEqual([]);
  });

  it("are settled one by one, dead or not", async () => {
    const { store, events } = await openQueues();
    const before = (await listAll(store, false)).filter(({ destination }) => destination === B);
    const state = '{"status":410}';
    expect(await store.storage.settleOutbox({ key: "1", destination: A }, { kind: "dead", state })).toBe(true);
    expect(await takeNames(store)).toStrictEqual([`${A} 2`]);
    expect(await listAll(store, true)).toMatchObject([{ destination: A, event: events[0], state }]);
    const dueAt = store.clock.now();
    await store.storage.settleOutbox({ key: "1", destination: A }, { kind: "postponed", dueAt, state: "{}" });
    expect(await takeNames(store)).toStrictEqual([`${A} 1`]);
    for (const key of ["1", "2", "3"])
      expect(await store.storage.settleOutbox({ key, destination: A }, { kind: "delivered" })).toBe(true);
    expect(await listAll(store, false)).toStrictEqual(before);
    for (const destination of [A, "b", "BB", "none"])
      expect(await store.storage.settleOutbox({ key: "1", destination }, { kind: "delivered" })).toBe(false);
    expect(await listAll(store, false)).toStrictEqual(before);
  });

  it("are taken from together, those due longest first, at most so many", async () => {
    const { store } = await openQueues();
    const entries = [A, B].map((destination) => ({ key: "1", destination }));
    for (const [index, entry] of entries.toReversed().entries()) {
      const dueAt = millis(store.clock.now() + 1000 * (index + 1));
      await store.storage.settleOutbox(entry, { kind: "postponed", dueAt, state: "{}" });
    }
    store.clock.advance(2000);
    expect(await takeNames(store, 1)).toStrictEqual([`${B} 1`]);
    expect(await takeNames(store, 1)).toStrictEqual([`${A} 1`]);
    expect(await takeNames(store, 1)).toStrictEqual([]);
    const taken = await atOnce(10, () => take(store, 1));
    expect(taken.flat()).toStrictEqual([]);
  });

  it("are listed apart, dead or not, each entry once in pages of any size", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const events = Array.from({ length: 7 }, (_, index) =>
      eventOf(store, index % 2 === 0 ? session : undefined, { key: `event ${index}` }),
    );
    await store.storage.appendEvents(events);
    for (const { key } of events.slice(2))
      await store.storage.settleOutbox({ key, destination: B }, { kind: "dead", state: "{}" });
    const [alive, dead] = [events.slice(0, 2), events.slice(2)].map((some) => some.map(({ key }) => `${B} ${key}`));
    for (const limit of [1, 2, 3, 10]) {
      expect(namesOf(await listAll(store, true, limit)), `limit ${limit}`).toStrictEqual(dead);
      expect(namesOf(await listAll(store, false, limit)), `limit ${limit}`).toStrictEqual(
        [...events.map(({ key }) => `${A} ${key}`), ...alive!].toSorted(),
      );
    }
    expect(await store.storage.deleteDeadOutbox(millis(store.clock.now() + 1), 3)).toBe(3);
    expect(await store.storage.deleteDeadOutbox(millis(store.clock.now() + 1), 3)).toBe(2);
    expect(await listAll(store, false)).toHaveLength(9);
  });

  it("all lose what is told of a user that is erased, at most so many entries at once", async () => {
    const { store, session } = await openQueues();
    const other = await createSession(store, { userId: userId("bob") });
    await store.storage.appendEvents([eventOf(store, other, { key: "other" })]);
    await store.storage.settleOutbox({ key: "1", destination: B }, { kind: "dead", state: "{}" });
    await store.storage.eraseUser(session, 4);
    expect([...(await listAll(store, false)), ...(await listAll(store, true))]).toHaveLength(2 + 2);
    await store.storage.eraseUser(session);
    expect(namesOf(await listAll(store, false))).toStrictEqual([`${A} other`, `${B} other`]);
    expect(await listAll(store, true)).toStrictEqual([]);
    expect(await takeNames(store)).toStrictEqual([`${A} other`, `${B} other`]);
  });

  it("are all taken from again when whoever took is gone", async () => {
    const { store, session } = await openQueues();
    store.clock.advance(minute);
    const taken = await take(store);
    expect(namesOf(taken)).toStrictEqual([`${A} 1`, `${B} 1`]);
    await store.storage.appendEvents([eventOf(store, session, { key: "4" })]);
    expect(await takeNames(store)).toStrictEqual([]);
    for (const entry of taken) await store.storage.settleOutbox(keyOfEntry(entry), { kind: "delivered" });
    expect(await takeNames(store)).toStrictEqual([`${A} 2`, `${B} 2`]);
  });

  it("have names of letters and digits, each its own", async () => {
    const store = await openOutbox();
    const at = { clock: new TestClock(), location: crypto.randomUUID() };
    for (const ids of [[""], ["a b"], ["a,b"], ["é"], ["a\n"], ["a".repeat(33)], ["a", "a"]]) {
      const outbox = ids.map((id) => ({ id, types: ["admin"] as const }));
      await expect((async () => open({ ...at, outbox }))(), ids.join()).rejects.toMatchObject({
        code: "invalid_record",
      });
    }
    for (const destination of ["", "a b", "a\n"])
      await expect(store.storage.settleOutbox({ key: "1", destination }, { kind: "delivered" })).rejects.toMatchObject({
        code: "invalid_record",
      });
  });
};
