/** What a sweep came to: how many rows it looked at, and how many of them it deleted. */
export interface SweepStep {
  readonly seen: number;
  readonly deleted: number;
}

/**
 * Sweeps until `limit` rows are deleted or there is nothing more to look at.
 * @param most how many rows one sweep looks at, at most.
 * @returns how many were deleted.
 */
export const sweepAll = async (
  limit: number,
  sweep: (wanted: number) => Promise<SweepStep>,
  most = limit,
): Promise<number> => {
  let deleted = 0;
  for (;;) {
    const wanted = Math.min(limit - deleted, most);
    const swept = await sweep(wanted);
    deleted += swept.deleted;
    if (deleted === limit || swept.seen < wanted) return deleted;
  }
};
