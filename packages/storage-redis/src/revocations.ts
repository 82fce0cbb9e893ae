import {
  type EndReason,
  type Millis,
  type RevocationCursor,
  type RevocationPage,
  type RevocationRecord,
  type SessionId,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { decodeCursor, encodeCursor, type FeedPosition } from "./feed-position.js";
import { storeTag, type Tag, userTags } from "./key-space.js";
import { applyMigrations } from "./migrations.js";
import { runOn, type Store } from "./store.js";
import * as scripts from "./scripts/store-scripts.js";
import { takeFromTags } from "./take-from-tags.js";

/** The most entries of each tag in a page. */
const tagLimit = 100;

interface Entry {
  readonly number: number;
  readonly revocation: RevocationRecord;
  /** The latest time up to here: a server's clock may have been set back. */
  readonly until: number;
}

interface TagPage {
  readonly tag: Tag;
  readonly entries: readonly Entry[];
  /** The number of the newest entry that there is. */
  readonly newest: number | undefined;
  readonly isCut: boolean;
}

type From = { readonly cursor: RevocationCursor } | { readonly at: Millis };

/** Reads a page of the feed. */
export const readRevocations = async (store: Store, from: From): Promise<RevocationPage> => {
  const start = "at" in from ? undefined : decodeCursor(from.cursor);
  if (!("at" in from) && start === undefined) return { kind: "unknown_cursor" };
  const [epoch, pages] = await Promise.all([
    readEpoch(store),
    Promise.all(userTags.map((tag) => readTag(store, tag, "at" in from ? from.at : start?.position))),
  ]);
  if (start !== undefined && start.epoch !== epoch) return { kind: "unknown_cursor" };
  return pageOf(pages, { epoch, start: start?.position ?? new Map<Tag, number>() });
};

const readEpoch = async (store: Store): Promise<string> => {
  const { values } = await runOn(store, storeTag, { script: scripts.readEpoch, keys: ["schema"] });
  if (typeof values[0] === "string") return values[0];
  await applyMigrations(store);
  return readEpoch(store);
};

const readTag = async (store: Store, tag: Tag, from: Millis | FeedPosition | undefined): Promise<TagPage> => {
  const args = typeof from === "number" ? ["at", Math.max(0, from)] : ["after", from?.get(tag) ?? ""];
  const { values } = await runOn(store, tag, { script: scripts.readFeed, keys: ["feed"], args: [...args, tagLimit] });
  const [newest, ...flat] = values as readonly string[];
  let until = 0;
  const entries = Array.from({ length: flat.length / 6 }, (_, index): Entry => {
    const [number, id, tenantId, userId, at, reason] = flat.slice(6 * index, 6 * index + 6);
    until = Math.max(until, Number(at));
    const session = { id: id as SessionId, tenantId: tenantId as TenantId, userId: userId as UserId };
    const revocation = { ...session, at: Number(at) as Millis, reason: reason as EndReason };
    return { number: Number(number), revocation, until };
  });
  return {
    tag,
    // Numbers are times that may run ahead where many sessions end at once.
    entries: typeof from === "number" ? entries.filter(({ revocation }) => revocation.at >= from) : entries,
    newest: newest === "" ? undefined : Number(newest),
    isCut: entries.length > 0 && entries.at(-1)?.number !== Number(newest),
  };
};

/**
 * Where a tag has more than its share of a page, what is later than the end of that share is left to the next page, so that
 * pages follow each other in time.
 */
const pageOf = (
  pages: readonly TagPage[],
  { epoch, start }: { readonly epoch: string; readonly start: FeedPosition },
): RevocationPage => {
  const horizon = Math.min(...pages.filter(({ isCut }) => isCut).map(({ entries }) => entries.at(-1)?.until ?? 0));
  const position = new Map<Tag, number>();
  const revocations: RevocationRecord[] = [];
  for (const { tag, entries, newest, isCut } of pages) {
    const given = entries.filter(({ until }) => until <= horizon);
    revocations.push(...given.map(({ revocation }) => revocation));
    const reached = isCut || given.length < entries.length ? (given.at(-1)?.number ?? start.get(tag)) : newest;
    if (reached !== undefined) position.set(tag, reached);
  }
  return {
    kind: "page",
    revocations: revocations.toSorted((left, right) => left.at - right.at),
    cursor: encodeCursor(epoch, position),
    more: horizon !== Number.POSITIVE_INFINITY,
  };
};

export const deleteRevocations = (store: Store, before: Millis, limit: number): Promise<number> =>
  takeFromTags(store, limit, {
    count: scripts.countRevocations,
    take: scripts.deleteRevocations,
    keys: ["feed"],
    before: Math.max(0, before),
  });
