import type { Millis } from "@pawl/storage";
import type { SessionHandle } from "./session.js";
import { createTwoGenerations } from "./two-generations.js";

const HOUR = 3_600_000;
const MOST_SESSIONS = 10_000;

/**
 * Limits reports of theft to one per session and hour, as events are counted: with the theft action `report` the session
 * lives on, and a dead token may be presented any number of times.
 * @returns a function that counts one and says of how many to report now; undefined while the hour has its report.
 */
export const createTheftReports = (): ((handle: SessionHandle, now: Millis) => number | undefined) => {
  const reports = createTwoGenerations<SessionHandle, { readonly hour: number; unreported: number }>({
    most: MOST_SESSIONS,
  });
  return (handle, now) => {
    const hour = Math.floor(now / HOUR);
    const last = reports.get(handle);
    if (last?.hour === hour) {
      last.unreported += 1;
      return undefined;
    }
    reports.set(handle, { hour, unreported: 0 });
    return 1 + (last?.unreported ?? 0);
  };
};
