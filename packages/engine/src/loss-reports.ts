import type { Clock } from "@pawl/storage";

const MINUTE = 60_000;

/**
 * Limits reports of changes that the store has lost to one a minute: a failover may lose thousands.
 * @param report is given how many there were since the last report.
 * @returns a function that counts one.
 */
export const createLossReports = (clock: Clock, report: (count: number) => void): (() => void) => {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return () => {
    unreported += 1;
    const now = clock.now();
    if (now - reportedAt < MINUTE) return;
    report(unreported);
    reportedAt = now;
    unreported = 0;
  };
};
