import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";

/** How often the database is asked for what other processes append, in ms: at most this late does a listener wake. */
const pollInterval = 100;

/**
 * Wakes listeners when another process has appended to a feed; what this one appends calls `wake`. It polls only while
 * there is a listener, and keeps no process alive.
 * @param readGrowth reads a number that grows whenever a feed does.
 */
export const pollFeeds = (readGrowth: () => number): WakeListeners => {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const readNext = (): number => {
    try {
      return readGrowth();
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
