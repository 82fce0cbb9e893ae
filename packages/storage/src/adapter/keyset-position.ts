import { StorageError } from "../errors.js";
import { type Millis, millis } from "../identifiers.js";
import type { CountRecord, EventRecord, OutboxKey } from "../records.js";

/** What orders events: newest first, of the same time by key. */
export type EventPosition = Pick<EventRecord, "at" | "key">;

/** What orders entries of the outbox: oldest first, of the same time by key, of the same key by destination. */
export type OutboxPosition = EventPosition & OutboxKey;

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

/** The `next` of a page of the outbox that ends with this entry. */
export const encodeOutboxPosition = ({ at, key, destination }: OutboxPosition): string =>
  encode(at, `${destination} ${key}`);

/**
 * Reads the `after` of a page of the outbox.
 * @throws StorageError `invalid_record` when it is not one that `encodeOutboxPosition` wrote.
 */
export const decodeOutboxPosition = (after: string): OutboxPosition => {
  const { time, text } = decode(after);
  const [destination = "", ...key] = text.split(" ");
  return { at: time, key: key.join(" "), destination };
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
