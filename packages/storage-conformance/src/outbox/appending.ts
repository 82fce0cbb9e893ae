import { millis, type SessionRecord } from "@pawl/storage";
import { expect, it } from "vitest";
import {
  atOnce,
  createSession,
  openTestStore,
  type OpenStore,
  sessionId,
  sessionRecord,
  type TestStore,
  userId,
} from "../store.js";
import { destination, eventOf, keysOf, listAll, minute, settle, take, takeKeys } from "./outbox-store.js";

/** What comes into the outbox: each event of its types once, with whatever appended it. */
export const testAppending = (openOutbox: () => Promise<TestStore>, open: OpenStore): void => {
  it("holds the events of its types as they were when they were appended first", async () => {
    const store = await openOutbox();
    const session = await createSession(store);
    const detail = '{ "b" : "\u{1F512}",\n"a":1 }';
    const full = eventOf(store, session, { reason: "revoked", detail, count: 2 });
    const bare = eventOf(store);
    const others = (["forged_token", "fast_forward", "signing_key_created"] as const).map((type) =>
      eventOf(store, session, { type }),
    );
    await store.storage.appendEvents([...others, full, bare, { ...full, count: 5, detail: "{}" }]);
    await store.storage.appendEvents([
      { ...full, type: "forged_token" },
      { ...bare, count: 9 },
    ]);
    const taken = await take(store);
    const dueAt = store.clock.now() + minute;
    expect(taken).toHaveLength(2);
    for (const event of [full, bare])
      expect(taken).toContainEqual({ destination, event, dueAt, state: "{}", dead: false });
    expect((await store.storage.listEvents({ sessionId: session.id }, { limit: 9 })).items).toHaveLength(4);
    expect(new Set(await listAll(store, false))).toStrictEqual(new Set(taken));
  });

  it("holds what is counted onto no second time, also when it is delivered or appended anew", async () => {
    const store = await openOutbox();
    const event = eventOf(store);
    await store.storage.appendEvents([event]);
    expect(await takeKeys(store)).toStrictEqual([event.key]);
    await settle(store, event.key, { kind: "delivered" });
    await store.storage.appendEvents([event]);
    expect(await listAll(store, false)).toStrictEqual([]);
    const kept = eventOf(store);
    await store.storage.appendEvents([kept]);
    await settle(store, kept.key, { kind: "dead", state: '{"status":410}' });
    expect(await store.storage.deleteEvents(millis(store.clock.now() + 1), 10)).toBe(2);
    await store.storage.appendEvents([event, { ...kept, count: 7 }]);
    expect(await takeKeys(store)).toStrictEqual([event.key]);
    expect(await listAll(store, true)).toMatchObject([{ event: kept, state: '{"status":410}' }]);
  });

  it("holds one entry of an event that twenty append at once", async () => {
    const store = await openOutbox();
    const event = eventOf(store);
    await atOnce(20, () => store.storage.appendEvents([event]));
    expect(await listAll(store, false)).toMatchObject([{ event: { key: event.key, count: 1 } }]);
    expect((await store.storage.listEvents({}, { limit: 5 })).items).toMatchObject([{ count: 20 }]);
  });

  it("is filled by whatever appends an event", async () => {
    const store = await openOutbox();
    const { storage, clock } = store;
    const keys: string[] = [];
    const ended = ({ id }: SessionRecord) => keys.push(`session_ended:${id}`);
    const revoked = await createSession(store, { userId: userId("bob") });
    await storage.revokeSessions({ kind: "ids", ids: [revoked.id] }, { reason: "logout", detail: "bob" });
    ended(revoked);
    const limited = await createSession(store);
    await storage.createSession(sessionRecord(clock), { maxPerUser: 1 });
    ended(limited);
    const stolen = await createSession(store, { userId: userId("carol") });
    const alarm = eventOf(store, stolen, { type: "token_reuse" });
    await storage.applyRotation(stolen, { kind: "end", reason: "token_reuse", events: [alarm] });
    ended(stolen);
    keys.push(alarm.key);
    const forward = await createSession(store, { userId: userId("dave") });
    const noted = eventOf(store, forward);
    const change = { kind: "fast_forward", seq: 9, current: 0, issuedAt: clock.now(), events: [noted] } as const;
    await storage.applyRotation(forward, change);
    keys.push(noted.key);
    const changed = eventOf(store, forward);
    await storage.changeSession(forward.id, { events: [changed] });
    keys.push(changed.key);
    const expired = await createSession(store, { userId: userId("erin"), expiresAt: clock.now() });
    await storage.deleteExpired(clock.now(), 10);
    ended(expired);
    const held = await listAll(store, false);
    expect(keysOf(held).toSorted()).toStrictEqual(keys.toSorted());
    const events = (await storage.listEvents({}, { limit: 100 })).items;
    for (const { event } of held) expect(events).toContainEqual(event);
  });

  it("holds nothing of an event whose transaction came to nothing, or that was only imported or erased", async () => {
    const store = await openOutbox();
    const { storage, clock } = store;
    const record = await createSession(store);
    const event = eventOf(store, record);
    const expected = { id: record.id, current: 7, next: 7 };
    const end = { kind: "end", reason: "token_reuse", events: [event] } as const;
    expect(await storage.applyRotation(expected, end)).toStrictEqual({ kind: "conflict" });
    expect((await storage.changeSession(record.id, { events: [event], expected: { next: 7 } })).kind).toBe("conflict");
    expect((await storage.changeSession(sessionId(), { events: [event] })).kind).toBe("absent");
    await expect(storage.appendEvents([event, { ...event, detail: "\0" }])).rejects.toThrow();
    await storage.importSessions([sessionRecord(clock, { endedAt: clock.now(), endReason: "logout" })]);
    await storage.eraseUser(record);
    expect(await listAll(store, false)).toStrictEqual([]);
  });

  it("holds nothing where there is no destination", async () => {
    const store = await openTestStore(open);
    await store.storage.appendEvents([eventOf(store)]);
    expect(await take(store)).toStrictEqual([]);
    expect(await listAll(store, false)).toStrictEqual([]);
  });
};
