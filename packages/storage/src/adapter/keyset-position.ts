import { StorageError } from "../errors.js";
import { type Millis, millis } from "../identifiers.js";
import type { CountRecord, EventRecord } from "../records.js";

/** What orders events: newest first, of the same time by key. */
export type EventPosition = Pick<EventRecord, "at" | "key">;

/** What orders counts: by hour, of the same hour by name. */
export type CountPosition = Pick<CountRecord, "hour" | "name">;

/** The `next` of a page of events that ends with this one. */
export const encodeEventPosition = ({ at, key }: EventPosition): string => encode(at, key);

/**
 * Reads the `after` of a page of events.
 * @throws StorageError `invalid_record` when it is not one that `encodeEventPosition` wrote.
 */
export const decodeEventPosition = (after: string): EventPosition => {
  const { time, text } = decode(after);
  return { at: time, key: text };
};

/** The `next` of a page of counts that ends with this one. */
export const encodeCountPosition = ({ hour, name }: CountPosition): string => encode(hour, name);

/**
 * Reads the `after` of a page of counts.
 * @throws StorageError `invalid_record` when it is not one that `encodeCountPosition` wrote.
 */
export const decodeCountPosition = (after: string): CountPosition => {
  const { time, text } = decode(after);
  return { hour: time, name: text };
};

const encode = (time: Millis, text: string): string => `${time}.${text}`;

const decode = (after: string): { readonly time: Millis; readonly text: string } => {
  const [, time, text] = /^(-?\d{1,16})\.(.*)$/su.exec(after) ?? [];
  if (time === undefined || text === undefined) throw new StorageError("invalid_record", "no page starts there");
  return { time: millis(Number(time)), text };
};
