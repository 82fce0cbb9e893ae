import { StorageError } from "../errors.js";
import type { EventType } from "../records.js";
import { checkDestination } from "../storable-text.js";
import type { OutboxDestination } from "../storage.js";

/** The ids of the destinations that want events of a type; of a type that none wants there is nothing. */
export type OutboxTypes = ReadonlyMap<EventType, readonly string[]>;

/**
 * Turns destinations round.
 * @throws StorageError `invalid_record` for an id that is none, or that two of them have.
 */
export const outboxTypesOf = (destinations: readonly OutboxDestination[] = []): OutboxTypes => {
  const types = new Map<EventType, string[]>();
  const ids = new Set<string>();
  for (const { id, types: wanted } of destinations) {
    checkDestination(id);
    if (ids.has(id)) throw new StorageError("invalid_record", `two destinations of the outbox are ${id}`);
    ids.add(id);
    for (const type of new Set(wanted)) types.set(type, [...(types.get(type) ?? []), id]);
  }
  return types;
};
