import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers";
import { asStorageError, isBusy, isOwnFailure } from "./failure.js";

/** How long to wait before a locked database is tried again, in ms: at random, so that two processes do not keep step. */
export const retryDelay = (): number => 2 + Math.random() * 8;

/**
 * Tries until the database is not locked, without blocking the event loop in between; the first time at once.
 * @param options.timeout for how many ms.
 * @param options.onFailure is called after each attempt that failed because of the store, locked or worse.
 * @throws what the attempt threw, as a StorageError; `unavailable` when it is still locked after `timeout` ms.
 */
export const whenUnlocked = async <T>(
  attempt: () => T,
  options: { readonly timeout: number; readonly onFailure: () => void },
): Promise<T> => {
  const started = performance.now();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isOwnFailure(error)) options.onFailure();
      if (!isBusy(error) || performance.now() - started >= options.timeout) throw asStorageError(error);
    }
    await new Promise((resolve) => setTimeout(resolve, retryDelay()));
  }
};
