import {
  type EventRecord,
  millis,
  type OutboxDestination,
  type OutboxKey,
  type OutboxRecord,
  type OutboxSettlement,
  type SessionRecord,
} from "@pawl/storage";
import { expect } from "vitest";
import type { TestStore } from "../store.js";

/** Where the outbox of most tests leads to. */
export const destination = "1a2b3c4d";

export const outbox: readonly OutboxDestination[] = [
  { id: destination, types: ["session_ended", "token_reuse", "admin"] },
];

/** Two that both want what administrators do, and each something of its own. */
export const twoDestinations: readonly OutboxDestination[] = [
  { id: destination, types: ["admin", "session_ended"] },
  { id: "B", types: ["token_reuse", "admin"] },
];

export const minute = 60_000;

/** An event of its own; of a session, or of none. */
export const eventOf = (
  { clock }: TestStore,
  session?: SessionRecord,
  parts: Partial<EventRecord> = {},
): EventRecord => ({
  key: `admin:${crypto.randomUUID()}`,
  at: clock.now(),
  type: "admin",
  ...(session === undefined ? {} : { tenantId: session.tenantId, userId: session.userId, sessionId: session.id }),
  count: 1,
  ...parts,
});

/** All entries, dead or not. */
export const listAll = async ({ storage }: TestStore, dead: boolean, limit = 100): Promise<readonly OutboxRecord[]> => {
  const entries: OutboxRecord[] = [];
  let after: string | undefined;
  do {
    const page = await storage.listOutbox({ dead }, { limit, after });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    entries.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return entries;
};

export const keysOf = (entries: readonly OutboxRecord[]): readonly string[] => entries.map(({ event }) => event.key);

/** Takes what is due, for a minute. */
export const take = ({ storage, clock }: TestStore, limit = 100): Promise<readonly OutboxRecord[]> =>
  storage.takeOutbox(limit, millis(clock.now() + minute));

export const keyOfEntry = ({ destination: to, event: { key } }: OutboxRecord): OutboxKey => ({ key, destination: to });

/** Settles the entry of an event. */
export const settle = (
  { storage }: Pick<TestStore, "storage">,
  key: string,
  settlement: OutboxSettlement,
): Promise<boolean> => storage.settleOutbox({ key, destination }, settlement);

export const takeKeys = async (store: TestStore, limit?: number): Promise<readonly string[]> =>
  keysOf(await take(store, limit));
