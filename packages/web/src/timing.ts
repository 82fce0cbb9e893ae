/** How long a refresh may take, in ms: a third of the server's reuse window (30 s), as the protocol wants it. */
export const REFRESH_DEADLINE = 10_000;
/** Pauses after unanswered refreshes: from half a second to a minute, in ms. */
export const FIRST_PAUSE = 500;
export const LONGEST_PAUSE = 60_000;
/** After new tokens (or their absence) were refused, no refresh is tried for this long, in ms. */
export const REFUSED_PAUSE = 60_000;
/** How often to look for a turn, in ms, where there are no Web Locks. */
export const POLL = 50;
/** A browser that takes longer than this, in ms, counts as one without storage. */
export const STORAGE_DEADLINE = 2000;

/** Aborts when a refresh has taken too long, by the clock of the page; or before, by its owner. */
export const refreshDeadline = (): AbortController => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), REFRESH_DEADLINE);
  return controller;
};

/**
 * Ms since the epoch when the page was opened, counted on from there steadily, whatever the device's clock does. Older
 * React Native tells no origin, and counts from the start.
 */
export const monotonicTime = (): number => (performance.timeOrigin ?? 0) + performance.now();
