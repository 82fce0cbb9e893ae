import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";
import { type CountedFrom, type FeedState, settlingTime } from "./feeds.js";

/** How often the server is asked for lines of the feeds, in ms: at most this late does a listener wake. */
const pollInterval = 200;

type ReadStates = (from: readonly [CountedFrom, CountedFrom]) => Promise<readonly FeedState[]>;

/** What was seen of one feed. */
class SeenFeed implements CountedFrom {
  /** Numbers up to `base` are settled, those up to `mark` will be at `#turn`, by `performance.now()`. */
  base = 0;
  mark = 0;
  #turn = 0;
  #last: FeedState | undefined;

  /** @returns whether it has grown since it was noted last; true at first, because something may have come before. */
  note(state: FeedState): boolean {
    const last = this.#last;
    this.#last = state;
    if (performance.now() >= this.#turn) this.#move(state);
    return last === undefined || last.newest !== state.newest || last.afterBase !== state.afterBase;
  }

  /** What is old enough is counted no more. */
  #move(state: FeedState): void {
    this.#last = { ...state, afterBase: state.afterMark };
    this.base = this.mark;
    this.mark = state.newest;
    this.#turn = performance.now() + settlingTime;
  }
}

/**
 * Wakes listeners when lines of a feed were committed: at once by this process, and by polling for others. It polls only
 * while there is a listener, one poll at a time, and keeps no process alive.
 */
export class FeedWatch {
  readonly listeners = new WakeListeners({
    begin: () => {
      this.#seen = [new SeenFeed(), new SeenFeed()];
      this.#timer = setInterval(() => void this.#poll(), pollInterval).unref();
      void this.#poll();
    },
    end: () => clearInterval(this.#timer),
  });
  readonly #read: ReadStates;
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;
  #seen: readonly [SeenFeed, SeenFeed] = [new SeenFeed(), new SeenFeed()];

  constructor(read: ReadStates) {
    this.#read = read;
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      const seen = this.#seen;
      const states = await this.#read(seen);
      const grown = states.filter((state, index) => seen[index]?.note(state));
      if (grown.length > 0) this.listeners.wake();
    } catch {
      // Unreachable for now: the next poll asks again, and a reader of the feeds sees the failure.
    } finally {
      this.#isPolling = false;
    }
  }
}
