import { StorageError } from "../errors.js";
import { type Millis, millis } from "../identifiers.js";
import type { EventRecord } from "../records.js";

/** What orders events: newest first, of the same time by key. */
export type EventPosition = Pick<EventRecord, "at" | "key">;

/** The `next` of a page of events that ends with this one. */
export const encodeEventPosition = ({ at, key }: EventPosition): string => `${at}.${key}`;

/**
 * Reads the `after` of a page of events.
 * @throws StorageError `invalid_record` when it is not one that `encodeEventPosition` wrote.
 */
export const decodeEventPosition = (after: string): EventPosition & { readonly at: Millis } => {
  const [, at, key] = /^(-?\d{1,16})\.(.*)$/su.exec(after) ?? [];
  if (at === undefined || key === undefined) throw new StorageError("invalid_record", "no event page starts there");
  return { at: millis(Number(at)), key };
};
