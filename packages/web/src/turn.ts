import type { SessionState } from "./session-state.js";
import { monotonicTime, POLL, REFRESH_DEADLINE, refreshDeadline } from "./timing.js";

/**
 * Does work in this context's turn: one refresh at a time in all tabs and workers. By Web Locks, or where there are none
 * (plain HTTP, old browsers, React Native) by a mark in the stored record. It only saves work, since two refreshes at once are harmless:
 * after the deadline a tab goes ahead.
 */
export const inTurn = async <Result>(
  key: string,
  state: Pick<SessionState, "update">,
  work: () => Promise<Result>,
): Promise<Result> => {
  let begun: Promise<Result> | undefined;
  const begin = (): Promise<Result> => (begun ??= work());
  const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  if (locks)
    // Rejects where the turn did not come in time, or where the browser denies locks as it denies storage.
    return locks.request(key, refreshDeadline(), begin).catch(begin);
  const until = monotonicTime() + REFRESH_DEADLINE;
  // oxlint-disable-next-line no-unmodified-loop-condition -- the update modifies it
  for (let isMine = false; !isMine;) {
    await state.update((kept) => {
      const now = monotonicTime();
      isMine = !(kept.busyUntil! > now) || until < now;
      return isMine ? { ...kept, busyUntil: now + REFRESH_DEADLINE } : undefined;
    });
    if (!isMine) await new Promise((resolve) => setTimeout(resolve, POLL));
  }
  // oxlint-disable-next-line typescript/no-misused-promises -- it is waited for
  return begin().finally(() => state.update((kept) => ({ ...kept, busyUntil: 0 })));
};
