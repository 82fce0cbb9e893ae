import { decodeEventPosition, type EventPosition } from "../adapter/keyset-position.js";
import { eventPage } from "../adapter/page.js";
import type { Millis, TenantId, UserId } from "../identifiers.js";
import type { EventRecord } from "../records.js";
import type { EventSelector, Page, PageRequest } from "../storage.js";

/** Newest first; of the same time by key. */
const compareEvents = (left: EventPosition, right: EventPosition): number =>
  right.at - left.at || (left.key < right.key ? 1 : left.key > right.key ? -1 : 0);

/** The audit trail of a `MemoryStorage`. */
export class MemoryEvents {
  readonly #events = new Map<string, EventRecord>();
  readonly #onFirst: (event: EventRecord) => void;

  /** @param onFirst is told of each event whose key was not there. */
  constructor(onFirst: (event: EventRecord) => void) {
    this.#onFirst = onFirst;
  }

  append(events: readonly EventRecord[]): void {
    for (const event of events) {
      const present = this.#events.get(event.key);
      const stored = present === undefined ? { ...event } : { ...present, count: present.count + event.count };
      this.#events.set(event.key, Object.freeze(stored));
      if (present === undefined) this.#onFirst(stored);
    }
  }

  list(selector: EventSelector, page: PageRequest): Page<EventRecord> {
    const { sessionId, tenantId, userId, types } = selector;
    const after = page.after === undefined ? undefined : decodeEventPosition(page.after);
    const rows = [...this.#events.values()]
      .filter((event) => sessionId === undefined || event.sessionId === sessionId)
      .filter((event) => tenantId === undefined || event.tenantId === tenantId)
      .filter((event) => userId === undefined || event.userId === userId)
      .filter((event) => types === undefined || types.includes(event.type))
      .filter((event) => after === undefined || compareEvents(after, event) < 0)
      .toSorted(compareEvents);
    return eventPage(rows, page.limit);
  }

  deleteOfUser(
    { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
    limit: number | undefined,
  ): number {
    const named = [...this.#events.values()]
      .filter((event) => event.tenantId === tenantId && event.userId === userId)
      .slice(0, limit);
    for (const event of named) this.#events.delete(event.key);
    return named.length;
  }

  deleteBefore(before: Millis, limit: number): number {
    const old = [...this.#events.values()].filter((event) => event.at < before).slice(0, limit);
    for (const event of old) this.#events.delete(event.key);
    return old.length;
  }
}
