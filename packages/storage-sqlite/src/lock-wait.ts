import { setTimeout as pause } from "node:timers/promises";
import { asStorageError, isBusy } from "./failure.js";

/** How long to wait before a locked database is tried again, in ms: at random, so that two processes do not keep step. */
export const retryDelay = (): number => 2 + Math.random() * 8;

/**
 * Tries until the database is not locked, without blocking the event loop in between; the first time at once.
 * @param onBusy is called after each attempt that found it locked.
 * @throws what the attempt threw, as a StorageError; `unavailable` when it is still locked after `timeout` ms.
 */
export const whenUnlocked = async <T>(
  attempt: () => T,
  options: { readonly timeout: number; readonly onBusy: () => void },
): Promise<T> => {
  const started = performance.now();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (isBusy(error)) options.onBusy();
      if (!isBusy(error) || performance.now() - started >= options.timeout) throw asStorageError(error);
    }
    await pause(retryDelay());
  }
};
