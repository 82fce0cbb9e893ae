import {
  type ChangeRecord,
  type EndReason,
  type FeedPage,
  type FeedStart,
  type Millis,
  type RevocationRecord,
  type SessionId,
  type SessionReference,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { storeTag, type Tag, userTags } from "../key-space.js";
import { applyMigrations } from "../migrations.js";
import * as scripts from "../scripts/feed-scripts.js";
import { readEpoch } from "../scripts/store-scripts.js";
import { runOn, type Store } from "../store.js";
import { takeFromTags } from "../take-from-tags.js";
import { decodeCursor, encodeCursor, type FeedPosition } from "./feed-position.js";

/** What every line of a feed tells. */
export type Told = SessionReference & { readonly at: Millis };

/** A feed: the stream of each tag that holds it, and its lines. */
export interface Feed<Line extends Told> {
  readonly stream: string;
  /** @param value is the last one of an entry. */
  readonly lineOf: (told: Told, value: string) => Line;
}

export const revocations: Feed<RevocationRecord> = {
  stream: "feed",
  lineOf: (told, reason) => ({ ...told, reason: reason as EndReason }),
};

export const changes: Feed<ChangeRecord> = {
  stream: "changes",
  lineOf: (told, version) => ({ ...told, payloadVersion: Number(version) }),
};

/** The most entries of each tag in a page. */
const tagLimit = 25;

interface Entry<Line> {
  readonly number: number;
  readonly line: Line;
  /** The latest time up to here: a server's clock may have been set back. */
  readonly until: number;
}

interface TagPage<Line> {
  readonly tag: Tag;
  readonly entries: readonly Entry<Line>[];
  /** The number of the newest entry that there is. */
  readonly newest: number | undefined;
  readonly isCut: boolean;
}

/** Reads a page of a feed. */
export const readFeed = async <Line extends Told>(
  store: Store,
  feed: Feed<Line>,
  from: FeedStart,
): Promise<FeedPage<Line>> => {
  const start = "at" in from ? undefined : decodeCursor(from.cursor);
  if (!("at" in from) && start === undefined) return { kind: "unknown_cursor" };
  const [epoch, pages] = await Promise.all([
    epochOf(store),
    Promise.all(
      userTags.map((tag) =>
        readTag(store, feed, { tag, from: "at" in from ? from.at : (start?.position ?? new Map()) }),
      ),
    ),
  ]);
  if (start !== undefined && start.epoch !== epoch) return { kind: "unknown_cursor" };
  return pageOf(pages, { epoch, start: start?.position ?? new Map<Tag, number>() });
};

const epochOf = async (store: Store): Promise<string> => {
  const { values } = await runOn(store, storeTag, { script: readEpoch, keys: ["schema"] });
  if (typeof values[0] === "string") return values[0];
  await applyMigrations(store);
  return epochOf(store);
};

const readTag = async <Line extends Told>(
  store: Store,
  { stream, lineOf }: Feed<Line>,
  { tag, from }: { readonly tag: Tag; readonly from: Millis | FeedPosition },
): Promise<TagPage<Line>> => {
  const args = typeof from === "number" ? ["at", Math.max(0, from)] : ["after", from.get(tag) ?? ""];
  const { values } = await runOn(store, tag, { script: scripts.readFeed, keys: [stream], args: [...args, tagLimit] });
  const [newest, ...flat] = values as readonly string[];
  let until = 0;
  const entries = Array.from({ length: flat.length / 6 }, (_, index): Entry<Line> => {
    const [number, id, tenantId, userId, time, value] = flat.slice(6 * index, 6 * index + 6);
    const at = Number(time) as Millis;
    until = Math.max(until, at);
    const told = { id: id as SessionId, tenantId: tenantId as TenantId, userId: userId as UserId, at };
    return { number: Number(number), line: lineOf(told, value!), until };
  });
  return {
    tag,
    // Numbers are times that may run ahead where many sessions end at once.
    entries: typeof from === "number" ? entries.filter(({ line }) => line.at >= from) : entries,
    newest: newest === "" ? undefined : Number(newest),
    isCut: entries.length > 0 && entries.at(-1)?.number !== Number(newest),
  };
};

/**
 * Where a tag has more than its share of a page, what is later than the end of that share is left to the next page, so that
 * pages follow each other in time.
 */
const pageOf = <Line extends Told>(
  pages: readonly TagPage<Line>[],
  { epoch, start }: { readonly epoch: string; readonly start: FeedPosition },
): FeedPage<Line> => {
  const horizon = Math.min(...pages.filter(({ isCut }) => isCut).map(({ entries }) => entries.at(-1)?.until ?? 0));
  const position = new Map<Tag, number>();
  const lines: Line[] = [];
  for (const { tag, entries, newest, isCut } of pages) {
    const given = entries.filter(({ until }) => until <= horizon);
    lines.push(...given.map(({ line }) => line));
    const reached = isCut || given.length < entries.length ? (given.at(-1)?.number ?? start.get(tag)) : newest;
    if (reached !== undefined) position.set(tag, reached);
  }
  return {
    kind: "page",
    items: lines.toSorted((left, right) => left.at - right.at),
    cursor: encodeCursor(epoch, position),
    more: horizon !== Number.POSITIVE_INFINITY,
  };
};

/** Deletes older entries. @returns how many. */
export const deleteFromFeed = (
  store: Store,
  { stream }: Pick<Feed<Told>, "stream">,
  { before, limit }: { readonly before: Millis; readonly limit: number },
): Promise<number> =>
  takeFromTags(store, limit, {
    count: scripts.countEntries,
    take: scripts.deleteEntries,
    keys: [stream],
    before: Math.max(0, before),
  });
