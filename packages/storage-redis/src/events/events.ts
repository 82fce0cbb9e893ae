import {
  type EventRecord,
  type EventSelector,
  type EventType,
  type Millis,
  type Page,
  type PageRequest,
  PUBLIC_TENANT,
  type SessionId,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { decodeEventPosition, eventPage } from "@pawl/storage/adapter";
import { groupByTag, shortOf, type Tag, tagOfSession, tagOfText, tagOfUser, userTags } from "../key-space.js";
import { compareBytes, mergeTags } from "../merge.js";
import * as scripts from "../scripts/event-scripts.js";
import { eventKeys, eventPlace, runOn, type Store } from "../store.js";
import { takeFromTags } from "../take-from-tags.js";

/** A time as text that sorts as the number does: as `place` in `trail.ts`. */
export const placeOf = (at: number): string =>
  at < 0 ? `-${String(at + 9e15).padStart(16, "0")}` : String(at).padStart(16, "0");

/** An event as scripts read it: key, count, and what else there is as a JSON array of texts. */
export const eventArguments = (event: EventRecord): readonly (string | number)[] => {
  const { key, at, type, tenantId, userId, sessionId, reason, detail, count } = event;
  const texts = [String(at), type, tenantId, userId, sessionId, reason, detail].map((text) => text ?? false);
  return [key, count, JSON.stringify(texts)];
};

/** An event that a script gives as its key, its count and the rest as JSON. */
export const eventOf = (key: string, count: string, json: string): EventRecord => {
  const [at, type, tenantId, userId, sessionId, reason, detail] = JSON.parse(json) as readonly (string | false)[];
  return {
    key,
    at: Number(at) as Millis,
    type: type as EventType,
    ...(typeof tenantId === "string" ? { tenantId: tenantId as TenantId } : {}),
    ...(typeof userId === "string" ? { userId: userId as UserId } : {}),
    ...(typeof sessionId === "string" ? { sessionId: sessionId as SessionId } : {}),
    ...(typeof reason === "string" ? { reason: reason as NonNullable<EventRecord["reason"]> } : {}),
    ...(typeof detail === "string" ? { detail } : {}),
    count: Number(count),
  };
};

const storedEvent = (key: string, stored: string): EventRecord => {
  const blank = stored.indexOf(" ");
  return eventOf(key, stored.slice(0, blank), stored.slice(blank + 1));
};

/** Where an event stands: with its user's sessions, with its session, or anywhere, always for the same key. */
export const tagOfEvent = ({ key, tenantId, userId, sessionId }: EventRecord): Tag => {
  if (tenantId !== undefined && userId !== undefined) return tagOfUser({ tenantId, userId });
  return sessionId === undefined ? tagOfText(key) : tagOfSession(sessionId);
};

/** Each tag in one step. */
export const appendEvents = async (store: Store, events: readonly EventRecord[]): Promise<void> => {
  await Promise.all(
    [...groupByTag(events, tagOfEvent)].map(([tag, ofTag]) => {
      const args = [eventPlace(store, tag), ...ofTag.flatMap(eventArguments)];
      return runOn(store, tag, { script: scripts.appendEvents, keys: eventKeys(store), args });
    }),
  );
};

/** The tags where a selector's events stand, and what their places in the trail begin with. */
const placesOf = (selector: EventSelector): { readonly tags: readonly Tag[]; readonly index: string } => {
  const { sessionId, tenantId, userId, types } = selector;
  if (sessionId !== undefined) return { tags: [tagOfSession(sessionId)], index: `s${shortOf(sessionId)}\0` };
  if (userId !== undefined)
    return {
      tags: tenantId === undefined ? userTags : [tagOfUser({ tenantId, userId })],
      index: `u${shortOf(userId)}\0`,
    };
  if (tenantId !== undefined && tenantId !== PUBLIC_TENANT) return { tags: userTags, index: `t${shortOf(tenantId)}\0` };
  if (types !== undefined && !types.includes("session_ended")) return { tags: userTags, index: "a\0" };
  return { tags: userTags, index: "g\0" };
};

const newestFirst = (left: EventRecord, right: EventRecord): number =>
  right.at - left.at || compareBytes(right.key, left.key);

export const listEvents = async (
  store: Store,
  selector: EventSelector,
  page: PageRequest,
): Promise<Page<EventRecord>> => {
  const { sessionId, tenantId, userId, types } = selector;
  const start = page.after === undefined ? undefined : decodeEventPosition(page.after);
  const { tags, index } = placesOf(selector);
  const isSelected = (event: EventRecord): boolean =>
    (sessionId === undefined || event.sessionId === sessionId) &&
    (tenantId === undefined || event.tenantId === tenantId) &&
    (userId === undefined || event.userId === userId) &&
    (types === undefined || types.includes(event.type));
  const items = await mergeTags<EventRecord, string>({
    tags,
    count: page.limit + 1,
    compare: newestFirst,
    begin: start === undefined ? "" : `${placeOf(start.at)}\0${start.key}`,
    read: async (tag, after, count) => {
      const args = ["", index, after, count];
      const { values } = await runOn(store, tag, { script: scripts.listEvents, keys: ["trail", "events"], args });
      const found = Array.from({ length: values.length / 2 }, (_, at) =>
        storedEvent(values[2 * at] as string, values[2 * at + 1] as string),
      );
      const last = found.at(-1);
      return {
        items: found.filter(isSelected),
        ...(last !== undefined && found.length === count ? { next: `${placeOf(last.at)}\0${last.key}` } : {}),
      };
    },
  });
  return eventPage(items, page.limit);
};

export const deleteEvents = (store: Store, before: Millis, limit: number): Promise<number> =>
  takeFromTags(store, limit, {
    count: scripts.countEvents,
    take: scripts.deleteEvents,
    keys: ["trail", "events"],
    before: placeOf(before),
  });
