import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";

/** How often the database is asked for revocations of other processes, in ms: at most this late does a listener wake. */
const pollInterval = 100;

/**
 * Wakes listeners when another process has committed revocations; this one's own call `wake`. It polls only while
 * there is a listener, and keeps no process alive.
 * @param readLast reads the number of the newest revocation.
 */
export const pollForRevocations = (readLast: () => number): WakeListeners => {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const readNext = (): number => {
    try {
      return readLast();
    } catch {
      // Locked or unreadable for now: the next poll asks again, and a reader of the feed sees the failure.
      return last;
    }
  };
  const poll = (): void => {
    const next = readNext();
    if (next === last) return;
    last = next;
    listeners.wake();
  };
  const listeners = new WakeListeners({
    begin: () => {
      last = readNext();
      timer = setInterval(poll, pollInterval).unref();
    },
    end: () => clearInterval(timer),
  });
  return listeners;
};
