import { deadline } from "./deadline.js";
import { monotonicTime } from "./shared-session.js";
import type { SessionState } from "./session-state.js";

/** How long to wait for another tab, in ms: as long as a refresh may take. */
const DEADLINE = 10_000;
/** How often to look, in ms, where there are no Web Locks. */
const POLL = 50;

/**
 * Does work in this context's turn: one refresh at a time in all tabs and workers. By Web Locks, or where there are none
 * (plain HTTP, old browsers) by a mark in the stored record. It only saves work, since two refreshes at once are harmless:
 * after the deadline a tab goes ahead.
 */
export const inTurn = async <Result>(
  key: string,
  state: Pick<SessionState, "update">,
  work: () => Promise<Result>,
): Promise<Result> => {
  let begun: Promise<Result> | undefined;
  const begin = (): Promise<Result> => (begun ??= work());
  const { locks } = navigator as Partial<Navigator>;
  if (locks !== undefined)
    // Rejects where the turn did not come in time, or where the browser denies locks as it denies storage.
    return locks.request(key, { signal: deadline(DEADLINE) }, begin).catch(begin);
  const until = monotonicTime() + DEADLINE;
  // oxlint-disable-next-line no-unmodified-loop-condition -- the update modifies it
  for (let isMine = false; !isMine;) {
    await state.update((kept) => {
      const now = monotonicTime();
      isMine = (kept.busyUntil ?? 0) < now || until < now;
      return isMine ? { ...kept, busyUntil: now + DEADLINE } : undefined;
    });
    if (!isMine) await new Promise((resolve) => setTimeout(resolve, POLL));
  }
  try {
    return await begin();
  } finally {
    await state.update((kept) => ({ ...kept, busyUntil: 0 }));
  }
};
