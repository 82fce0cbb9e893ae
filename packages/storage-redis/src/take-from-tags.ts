import { type Tag, userTags } from "./key-space.js";

/**
 * Takes at most `limit` things from all tags: asks each how many there are, then takes from those that have some, each in
 * one step, and never more in all. Safe on every node at once: who finds them gone asks again.
 * @returns how many were taken.
 */
export const takeFromTags = async (
  limit: number,
  {
    count,
    take,
  }: {
    /** How many a tag has, at most `most`. */
    readonly count: (tag: Tag, most: number) => Promise<number>;
    /** Takes at most so many. */
    readonly take: (tag: Tag, most: number) => Promise<number>;
  },
): Promise<number> => {
  let taken = 0;
  while (taken < limit) {
    const most = Math.min(limit - taken, stepLimit);
    const counts = await Promise.all(userTags.map((tag) => count(tag, most)));
    let left = limit - taken;
    const quotas = counts.map((present) => {
      const quota = Math.min(present, left);
      left -= quota;
      return quota;
    });
    if (quotas.every((quota) => quota === 0)) break;
    const numbers = await Promise.all(
      quotas.flatMap((quota, index) => (quota === 0 ? [] : [take(userTags[index]!, quota)])),
    );
    taken += numbers.reduce((sum, number) => sum + number, 0);
  }
  return taken;
};

/** So many in one step at most, so that the server is held for some milliseconds only. */
const stepLimit = 500;
