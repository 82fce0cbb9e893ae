import type { CountRecord, EventRecord, OutboxRecord, SessionReference } from "../records.js";
import type { MetaRecord, Page } from "../storage.js";
import { encodeCountPosition, encodeEventPosition, encodeOutboxPosition } from "./keyset-position.js";

/**
 * A page of what was read: one more than `limit` where there are more.
 * @param positionOf gives what the next page begins after, from the last item of this one.
 */
export const pageOf = <T>(found: readonly T[], limit: number, positionOf: (last: T) => string): Page<T> => {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last !== undefined ? { items, next: positionOf(last) } : { items };
};

/** A page of sessions, in the order of their ids. */
export const sessionPage = <T extends SessionReference>(found: readonly T[], limit: number): Page<T> =>
  pageOf(found, limit, ({ id }) => id);

/** A page of facts, in the order of their names. */
export const metaPage = (found: readonly MetaRecord[], limit: number): Page<MetaRecord> =>
  pageOf(found, limit, ({ name }) => name);

/** A page of events, in the order of `EventPosition`. */
export const eventPage = (found: readonly EventRecord[], limit: number): Page<EventRecord> =>
  pageOf(found, limit, encodeEventPosition);

/** A page of the outbox, in the order of `OutboxPosition`. */
export const outboxPage = (found: readonly OutboxRecord[], limit: number): Page<OutboxRecord> =>
  pageOf(found, limit, ({ event: { at, key }, destination }) => encodeOutboxPosition({ at, key, destination }));

/** A page of counts, in the order of `CountPosition`. */
export const countPage = (found: readonly CountRecord[], limit: number): Page<CountRecord> =>
  pageOf(found, limit, encodeCountPosition);
