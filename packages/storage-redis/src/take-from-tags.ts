import { type Tag, userTags } from "./key-space.js";
import type { Script } from "./scripts/lua.js";
import { eventPlace, runOn, type Store } from "./store.js";

/** The most rows changed in one step, so that a server is held for a few milliseconds only. */
export const stepLimit = 100;

/** How many steps of one task run at once: a server works through what one client sent before it serves another. */
const lanes = 4;

/** Does something with each, a few at a time. @returns what came of it, in order. */
export const inLanes = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
};

/**
 * Deletes at most `limit` things from all tags: asks each how many there are, then deletes from those that have some, each
 * in one step, and never more in all. Safe on every node at once: a node that finds them gone asks again.
 * @param call.count, call.take take `eventPlace`, `before` and how many at most; their first answer is a number.
 * @returns how many were deleted.
 */
export const takeFromTags = async (
  store: Store,
  limit: number,
  {
    count,
    take,
    keys,
    before,
    onTaken = () => undefined,
  }: {
    readonly count: Script;
    readonly take: Script;
    readonly keys: readonly string[];
    readonly before: string | number;
    /** Given what `take` answers beside the number. */
    readonly onTaken?: ((told: readonly string[]) => void) | undefined;
  },
): Promise<number> => {
  const run = async (script: Script, tag: Tag, most: number): Promise<number> => {
    const { values } = await runOn(store, tag, { script, keys, args: [eventPlace(store, tag), before, most] });
    const [count, ...told] = values;
    if (told.length > 0) onTaken(told.map(String));
    return count as number;
  };
  let taken = 0;
  while (taken < limit) {
    const most = Math.min(limit - taken, stepLimit);
    const counts = await Promise.all(userTags.map((tag) => run(count, tag, most)));
    let left = limit - taken;
    const quotas = counts.map((present) => {
      const quota = Math.min(present, left);
      left -= quota;
      return quota;
    });
    if (quotas.every((quota) => quota === 0)) break;
    const numbers = await inLanes(
      quotas.flatMap((quota, index) => (quota === 0 ? [] : [{ tag: userTags[index]!, quota }])),
      ({ tag, quota }) => run(take, tag, quota),
    );
    taken += numbers.reduce((sum, number) => sum + number, 0);
  }
  return taken;
};
