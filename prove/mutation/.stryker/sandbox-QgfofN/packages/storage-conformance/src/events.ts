import {
  type EventRecord,
  type EventSelector,
  type EventType,
  millis,
  PUBLIC_TENANT,
  type SessionId,
} from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, openTestStore, type OpenStore, sessionId, tenantId, type TestStore, userId } from "./store.js";

const readEvents = async (
  { storage }: TestStore,
  selector: EventSelector,
  limit: number,
): Promise<readonly EventRecord[]> => {
  const events: EventRecord[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await storage.listEvents(selector, after === undefined ? { limit } : { limit, after });
    events.push(...page.items);
    if (page.next === undefined) return events;
    expect(page.items).toHaveLength(limit);
    after = page.next;
  }
};

/** Events of two users and tenants, several of them at one time. */
const someEvents = (store: TestStore): readonly EventRecord[] => {
  const types: readonly EventType[] = ["session_ended", "token_reuse", "fast_forward", "forged_token", "admin"];
  const sessions = new Map<string, SessionId>();
  return Array.from({ length: 40 }, (_, index) => {
    if (index % 3 === 0) store.clock.advance(1000);
    const owner = {
      tenantId: index % 4 === 0 ? tenantId("customer-1") : PUBLIC_TENANT,
      userId: userId(index % 2 === 0 ? "alice" : "bob"),
    };
    const name = `${owner.tenantId} ${owner.userId}`;
    const named = { ...owner, sessionId: sessions.get(name) ?? sessionId(owner) };
    sessions.set(name, named.sessionId);
    return {
      key: `event-${String((index * 17) % 40).padStart(2, "0")}`,
      at: store.clock.now(),
      type: types[index % 5]!,
      ...(index % 10 === 9 ? {} : named),
      ...(index % 2 === 0 ? { reason: "token_reuse" as const, detail: `{"number": ${index}}` } : {}),
      count: 1 + (index % 3),
    };
  });
};

/** The audit trail. */
export const testEvents = (open: OpenStore): void => {
  describe("events", () => {
    it("come back whole, newest first, in pages of any size", async () => {
      const store = await openTestStore(open);
      const events = someEvents(store);
      await store.storage.appendEvents(events.toReversed());
      const expected = events.toSorted((left, right) => right.at - left.at || (left.key < right.key ? 1 : -1));
      for (const limit of [1, 3, 7, 39, 40, 41]) expect(await readEvents(store, {}, limit)).toStrictEqual(expected);
    });

    it("are selected by session, user, tenant and type, and by all of them", async () => {
      const store = await openTestStore(open);
      const events = someEvents(store);
      await store.storage.appendEvents(events);
      const { sessionId: session, tenantId: tenant } = events[0]!;
      const selectors: readonly EventSelector[] = [
        { sessionId: session! },
        { userId: userId("bob") },
        { tenantId: tenant! },
        { tenantId: PUBLIC_TENANT },
        { types: ["token_reuse"] },
        { types: ["session_ended"] },
        { types: ["session_ended", "admin"] },
        { types: ["fast_forward", "token_reuse", "forged_token"] },
        { types: [] },
        { tenantId: PUBLIC_TENANT, userId: userId("alice") },
        { tenantId: tenant!, userId: userId("alice"), sessionId: session!, types: ["session_ended"] },
        { sessionId: sessionId() },
      ];
      for (const selector of selectors) {
        const expected = events.filter(
          (event) =>
            (selector.sessionId ?? event.sessionId) === event.sessionId &&
            (selector.userId ?? event.userId) === event.userId &&
            (selector.tenantId ?? event.tenantId) === event.tenantId &&
            (selector.types ?? [event.type]).includes(event.type),
        );
        const found = (await readEvents(store, selector, 4)).map(({ key }) => key);
        expect(found.toSorted(), JSON.stringify(selector)).toStrictEqual(expected.map(({ key }) => key).toSorted());
      }
    });

    it("of one key are one event with their counts added", async () => {
      const store = await openTestStore(open);
      const event: EventRecord = { key: "hour", at: store.clock.now(), type: "token_reuse", count: 1 };
      await store.storage.appendEvents([event, { ...event, count: 2 }]);
      store.clock.advance(1000);
      const later = { ...event, at: store.clock.now(), type: "admin", detail: '{"later":true}' } as const;
      await store.storage.appendEvents([later]);
      await atOnce(20, () => store.storage.appendEvents([event]));
      expect((await store.storage.listEvents({}, { limit: 10 })).items).toStrictEqual([{ ...event, count: 24 }]);
    });

    it("are deleted before a time, at most so many", async () => {
      const store = await openTestStore(open);
      const start = store.clock.now();
      const events = Array.from({ length: 10 }, (_, index): EventRecord => ({
        key: `event-${index}`,
        at: millis(start + index),
        type: "admin",
        count: 1,
      }));
      await store.storage.appendEvents(events);
      const before = millis(start + 7);
      expect(await store.storage.deleteEvents(before, 4)).toBe(4);
      expect(await store.storage.deleteEvents(before, 4)).toBe(3);
      expect(await store.storage.deleteEvents(before, 4)).toBe(0);
      expect((await store.storage.listEvents({}, { limit: 10 })).items).toStrictEqual(events.slice(7).toReversed());
    });

    it("refuse a page that starts nowhere", async () => {
      const { storage } = await openTestStore(open);
      for (const after of ["", "x", "1", "1'; --", "\u{1F512}"])
        await expect(storage.listEvents({}, { limit: 1, after })).rejects.toMatchObject({ code: "invalid_record" });
    });
  });
};
