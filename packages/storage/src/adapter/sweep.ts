import type { EndedByTime, OnEndedByTime } from "../storage.js";

/** What a sweep came to: how many rows it looked at, and how many of them it deleted. */
export interface SweepStep {
  readonly seen: number;
  readonly deleted: number;
  /** Those that had not ended. */
  readonly ended: readonly EndedByTime[];
}

/**
 * Sweeps until `limit` rows are deleted or there is nothing more to look at.
 * @param options.most how many rows one sweep looks at, at most.
 * @returns how many were deleted.
 */
export const sweepAll = async (
  limit: number,
  sweep: (wanted: number) => Promise<SweepStep>,
  { most = limit, onEnded }: { readonly most?: number; readonly onEnded?: OnEndedByTime | undefined } = {},
): Promise<number> => {
  let deleted = 0;
  for (;;) {
    const wanted = Math.min(limit - deleted, most);
    const swept = await sweep(wanted);
    deleted += swept.deleted;
    if (swept.ended.length > 0) onEnded?.(swept.ended);
    if (deleted === limit || swept.seen < wanted) return deleted;
  }
};
