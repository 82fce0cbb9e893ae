import { type OutboxTypes, outboxTypesOf } from "../adapter/outbox-types.js";
import { pageOf } from "../adapter/page.js";
import type { Millis, TenantId, UserId } from "../identifiers.js";
import type { EventRecord, OutboxKey, OutboxRecord } from "../records.js";
import type { OutboxDestination, OutboxSettlement, Page, PageRequest } from "../storage.js";

const nameOf = ({ destination, key }: OutboxKey): string => `${destination} ${key}`;

const nameOfEntry = ({ destination, event: { key } }: OutboxRecord): string => nameOf({ destination, key });

const queueOf = ({ destination, event }: OutboxRecord): string => `${destination} ${event.sessionId ?? event.key}`;

/** The outbox of a `MemoryStorage`: entries in the order of their appending, by destination and key. */
export class MemoryOutbox {
  readonly #entries = new Map<string, OutboxRecord>();
  readonly #types: OutboxTypes;

  constructor(destinations: readonly OutboxDestination[] | undefined) {
    this.#types = outboxTypesOf(destinations);
  }

  append(event: EventRecord): void {
    for (const destination of this.#types.get(event.type) ?? [])
      if (!this.#entries.has(nameOf({ destination, key: event.key })))
        this.#put({ destination, event, dueAt: event.at, state: "{}", dead: false });
  }

  take(limit: number, { now, until }: { readonly now: Millis; readonly until: Millis }): readonly OutboxRecord[] {
    return [...this.#heads().values()]
      .filter(({ dueAt }) => dueAt <= now)
      .toSorted((left, right) => left.dueAt - right.dueAt)
      .slice(0, limit)
      .map((entry) => this.#put({ ...entry, dueAt: until }));
  }

  settle(named: OutboxKey, settlement: OutboxSettlement, now: Millis): boolean {
    const entry = this.#entries.get(nameOf(named));
    if (entry === undefined) return false;
    const { kind, ...noted } = settlement;
    const wasHead = this.#heads().get(queueOf(entry)) === entry;
    if (kind === "delivered") this.#entries.delete(nameOf(named));
    else this.#put({ ...entry, ...noted, dead: kind === "dead" });
    if (wasHead && kind !== "postponed") this.#hasten(queueOf(entry), now);
    return true;
  }

  list(dead: boolean, { limit, after }: PageRequest): Page<OutboxRecord> {
    const found = [...this.#entries.values()]
      .filter((entry) => entry.dead === dead && (after === undefined || nameOfEntry(entry) > after))
      .toSorted((left, right) => (nameOfEntry(left) < nameOfEntry(right) ? -1 : 1));
    return pageOf(found, limit, nameOfEntry);
  }

  deleteOfUser(
    { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
    limit: number | undefined,
  ): void {
    const named = [...this.#entries.values()]
      .filter(({ event }) => event.tenantId === tenantId && event.userId === userId)
      .slice(0, limit);
    for (const entry of named) this.#entries.delete(nameOfEntry(entry));
  }

  deleteDead(before: Millis, limit: number): number {
    const old = [...this.#entries.values()].filter(({ dead, event }) => dead && event.at < before).slice(0, limit);
    for (const entry of old) this.#entries.delete(nameOfEntry(entry));
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

  /** One that is there keeps its place. */
  #put(entry: OutboxRecord): OutboxRecord {
    const stored = Object.freeze(entry);
    this.#entries.set(nameOfEntry(entry), stored);
    return stored;
  }
}
