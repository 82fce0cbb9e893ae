import {
  type Millis,
  type OutboxKey,
  type OutboxRecord,
  type OutboxSettlement,
  type Page,
  type PageRequest,
  type SessionId,
} from "@pawl/storage";
import { pageOf } from "@pawl/storage/adapter";
import { groupByTag, type Tag, tagOfSession, tagOfText, userTags } from "../key-space.js";
import { compareBytes, mergeTags } from "../merge.js";
import * as scripts from "../scripts/event-scripts.js";
import { outboxKeys, runOn, type Store } from "../store.js";
import { takeFromTags } from "../take-from-tags.js";
import { eventOf, placeOf } from "./events.js";

/** Cuts what a script gives for each of many into pieces of the same size. */
const inPieces = (values: readonly unknown[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: values.length / size }, (_, index) =>
    (values as readonly string[]).slice(size * index, size * (index + 1)),
  );

/** An entry that a script gives as its destination, key, count, JSON and state. */
const entryOf = ([destination, key, count, json, state]: readonly string[]): Omit<OutboxRecord, "dueAt" | "dead"> => ({
  destination: destination!,
  event: eventOf(key!, count!, json!),
  state: state!,
});

/** A queue whose head is due. */
interface DueQueue {
  readonly tag: Tag;
  readonly queue: string;
  readonly since: number;
}

/** The queues of all tags whose heads are due, the longest first. */
const dueQueues = (store: Store, count: number): Promise<readonly DueQueue[]> =>
  mergeTags<DueQueue, number>({
    tags: userTags,
    count,
    compare: (left, right) => left.since - right.since,
    begin: 0,
    read: async (tag, offset, most) => {
      const { values } = await runOn(store, tag, { script: scripts.listDue, keys: ["due"], args: ["", offset, most] });
      const items = inPieces(values, 2).map(([queue, since]) => ({ tag, queue: queue!, since: Number(since) }));
      return { items, ...(items.length === most ? { next: offset + most } : {}) };
    },
  });

/** Each tag in one step. Looks again while others take some of what it has found. */
export const takeOutbox = async (store: Store, limit: number, until: Millis): Promise<readonly OutboxRecord[]> => {
  const taken: { readonly since: number; readonly entry: OutboxRecord }[] = [];
  for (let wanted = limit; wanted > 0;) {
    const due = await dueQueues(store, wanted);
    wanted = due.length;
    await Promise.all(
      [...groupByTag(due, ({ tag }) => tag)].map(async ([tag, ofTag]) => {
        const args = [store.keys.of(tag), until, ...ofTag.map(({ queue }) => queue)];
        const { values } = await runOn(store, tag, { script: scripts.takeOutbox, keys: outboxKeys, args });
        for (const [since, ...entry] of inPieces(values, 6)) {
          taken.push({ since: Number(since), entry: { ...entryOf(entry), dueAt: until, dead: false } });
          wanted -= 1;
        }
      }),
    );
  }
  return taken.toSorted((left, right) => left.since - right.since).map(({ entry }) => entry);
};

/** Where an event of this key may stand, the likely places first: a key mostly names its session, or decides alone. */
const tagsOfKey = (key: string): { readonly likely: readonly Tag[]; readonly others: readonly Tag[] } => {
  const [id] = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/u.exec(key) ?? [];
  const likely = [...(id === undefined ? [] : [tagOfSession(id as SessionId)]), tagOfText(key)];
  return { likely, others: userTags.filter((tag) => !likely.includes(tag)) };
};

/** @returns whether there is such an entry. */
export const settleOutbox = async (
  store: Store,
  { key, destination }: OutboxKey,
  settlement: OutboxSettlement,
): Promise<boolean> => {
  const dueAt = settlement.kind === "postponed" ? settlement.dueAt : "";
  const state = settlement.kind === "delivered" ? "" : settlement.state;
  const settle = async (tag: Tag): Promise<boolean> => {
    const args = [store.keys.of(tag), `${destination} ${key}`, settlement.kind, dueAt, state];
    const { values } = await runOn(store, tag, { script: scripts.settleOutbox, keys: outboxKeys, args });
    return values[0] === 1;
  };
  const { likely, others } = tagsOfKey(key);
  for (const tag of likely) if (await settle(tag)) return true;
  return (await Promise.all(others.map(settle))).includes(true);
};

/** By their places in the queues of a tag, which hold U+0000: so positions are in base64url. */
export const listOutbox = async (
  store: Store,
  { dead }: { readonly dead: boolean },
  { limit, after = "" }: PageRequest,
): Promise<Page<OutboxRecord>> => {
  const found = await mergeTags<{ readonly place: string; readonly entry: OutboxRecord }, string>({
    tags: userTags,
    count: limit + 1,
    compare: (left, right) => compareBytes(left.place, right.place),
    begin: Buffer.from(after, "base64url").toString(),
    read: async (tag, from, count) => {
      const args = [store.keys.of(tag), dead ? "d" : "q", from, count];
      const { values } = await runOn(store, tag, {
        script: scripts.listOutbox,
        keys: ["queues", "outbox", "due"],
        args,
      });
      const items = inPieces(values, 7).map(([place, dueAt, ...entry]) => ({
        place: place!,
        entry: { ...entryOf(entry), dueAt: Number(dueAt) as Millis, dead },
      }));
      const last = items.at(-1);
      return { items, ...(last !== undefined && items.length === count ? { next: last.place } : {}) };
    },
  });
  const page = pageOf(found, limit, ({ place }) => Buffer.from(place).toString("base64url"));
  return { ...page, items: page.items.map(({ entry }) => entry) };
};

export const deleteDeadOutbox = (store: Store, before: Millis, limit: number): Promise<number> =>
  takeFromTags(store, limit, {
    count: scripts.countDead,
    take: scripts.deleteDead,
    keys: ["queues", "outbox"],
    before: placeOf(before),
  });
