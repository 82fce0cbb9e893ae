import { pageOf } from "../adapter/page.js";
import type { Millis, TenantId, UserId } from "../identifiers.js";
import type { EventRecord, EventType, OutboxRecord } from "../records.js";
import type { OutboxSettlement, Page, PageRequest } from "../storage.js";

const queueOf = ({ event }: OutboxRecord): string => event.sessionId ?? event.key;

/** The outbox of a `MemoryStorage`: entries in the order of their appending, by the keys of their events. */
export class MemoryOutbox {
  readonly #entries = new Map<string, OutboxRecord>();
  readonly #types: ReadonlySet<EventType>;

  constructor(types: readonly EventType[] = []) {
    this.#types = new Set(types);
  }

  append(event: EventRecord): void {
    if (!this.#types.has(event.type) || this.#entries.has(event.key)) return;
    this.#put({ event, dueAt: event.at, state: "{}", dead: false });
  }

  take(limit: number, { now, until }: { readonly now: Millis; readonly until: Millis }): readonly OutboxRecord[] {
    return [...this.#heads().values()]
      .filter(({ dueAt }) => dueAt <= now)
      .toSorted((left, right) => left.dueAt - right.dueAt)
      .slice(0, limit)
      .map((entry) => this.#put({ ...entry, dueAt: until }));
  }

  settle(key: string, settlement: OutboxSettlement, now: Millis): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const { kind, ...noted } = settlement;
    const wasHead = this.#heads().get(queueOf(entry)) === entry;
    if (kind === "delivered") this.#entries.delete(key);
    else this.#put({ ...entry, ...noted, dead: kind === "dead" });
    if (wasHead && kind !== "postponed") this.#hasten(queueOf(entry), now);
    return true;
  }

  list(dead: boolean, { limit, after }: PageRequest): Page<OutboxRecord> {
    const found = [...this.#entries.values()]
      .filter((entry) => entry.dead === dead && (after === undefined || entry.event.key > after))
      .toSorted((left, right) => (left.event.key < right.event.key ? -1 : 1));
    return pageOf(found, limit, ({ event }) => event.key);
  }

  deleteOfUser(
    { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
    limit: number | undefined,
  ): void {
    const named = [...this.#entries.values()]
      .filter(({ event }) => event.tenantId === tenantId && event.userId === userId)
      .slice(0, limit);
    for (const { event } of named) this.#entries.delete(event.key);
  }

  deleteDead(before: Millis, limit: number): number {
    const old = [...this.#entries.values()].filter(({ dead, event }) => dead && event.at < before).slice(0, limit);
    for (const { event } of old) this.#entries.delete(event.key);
    return old.length;
  }

  /** The first of each queue that is not dead. */
  #heads(): ReadonlyMap<string, OutboxRecord> {
    const heads = new Map<string, OutboxRecord>();
    for (const entry of this.#entries.values())
      if (!entry.dead && !heads.has(queueOf(entry))) heads.set(queueOf(entry), entry);
    return heads;
  }

  /** An entry that was taken or postponed waits no longer once a revived one before it is gone. */
  #hasten(queue: string, now: Millis): void {
    const head = this.#heads().get(queue);
    if (head !== undefined && head.dueAt > now) this.#put({ ...head, dueAt: now });
  }

  /** A key that is there keeps its place. */
  #put(entry: OutboxRecord): OutboxRecord {
    const stored = Object.freeze(entry);
    this.#entries.set(entry.event.key, stored);
    return stored;
  }
}
