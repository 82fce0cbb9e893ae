import type { Tag } from "./key-space.js";

/** Compares two texts as bytes of UTF-8, as the server does. */
export const compareBytes = (left: string, right: string): number =>
  left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));

/** What one tag holds after a place, in order. */
interface Stretch<Item, Place> {
  readonly items: readonly Item[];
  /** Where to read on; absent when there is no more. */
  readonly next?: Place;
}

interface Source<Item, Place> {
  readonly tag: Tag;
  readonly items: Item[];
  next: Place | undefined;
}

/**
 * The first items of many tags in one order. Each tag is asked for its share, and for more only where its share did not
 * reach: a page costs one trip and a few items for each tag, however many rows there are.
 */
export const mergeTags = async <Item, Place>(options: {
  readonly tags: readonly Tag[];
  /** The most items. */
  readonly count: number;
  readonly compare: (left: Item, right: Item) => number;
  readonly begin: Place;
  readonly read: (tag: Tag, after: Place, count: number) => Promise<Stretch<Item, Place>>;
}): Promise<readonly Item[]> => {
  const { tags, count, compare, begin, read } = options;
  // A few more than the share: with random ids one trip is then mostly enough.
  let share = Math.min(count, Math.ceil((1.5 * count) / tags.length) + 2);
  const sources: Source<Item, Place>[] = tags.map((tag) => ({ tag, items: [], next: begin }));
  let pending = sources;
  for (;;) {
    await Promise.all(
      pending.map(async (source) => {
        const { items, next } = await read(source.tag, source.next as Place, share);
        source.items.push(...items);
        source.next = next;
      }),
    );
    // What lies behind the last item of a tag that has more is not known yet.
    const unfinished = sources.filter(({ next }) => next !== undefined);
    const empty = unfinished.filter(({ items }) => items.length === 0);
    share = Math.min(2 * share, 1000);
    if (empty.length > 0) {
      pending = empty;
      continue;
    }
    const merged = sources.flatMap(({ items }) => items).toSorted(compare);
    const wanted = merged.slice(0, count);
    const last = wanted.at(-1);
    pending = unfinished.filter(({ items }) => last !== undefined && compare(items.at(-1)!, last) < 0);
    if (wanted.length < count) pending = unfinished;
    if (pending.length === 0) return wanted;
  }
};
