import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";
import { type FeedState, settlingTime } from "./revocations.js";

/** How often the server is asked for revocations, in ms: at most this late does a listener wake. */
const pollInterval = 200;

type ReadState = (from: { readonly base: number; readonly mark: number }) => Promise<FeedState>;

/**
 * Wakes listeners when revocations were committed: at once by this process, and by polling for others. It polls only while
 * there is a listener, one poll at a time, and keeps no process alive.
 */
export class RevocationWatch {
  readonly listeners = new WakeListeners({
    begin: () => {
      this.#last = undefined;
      this.#timer = setInterval(() => void this.#poll(), pollInterval).unref();
      void this.#poll();
    },
    end: () => clearInterval(this.#timer),
  });
  readonly #read: ReadState;
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;
  #last: FeedState | undefined;
  /** Numbers up to `#base` are settled, those up to `#mark` will be at `#turn`, by `performance.now()`. */
  #base = 0;
  #mark = 0;
  #turn = 0;

  constructor(read: ReadState) {
    this.#read = read;
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      const state = await this.#read({ base: this.#base, mark: this.#mark });
      const last = this.#last;
      // The first look wakes too: something may have been committed between the listener's reading and now.
      if (last === undefined || last.newest !== state.newest || last.afterBase !== state.afterBase)
        this.listeners.wake();
      this.#last = state;
      if (performance.now() >= this.#turn) this.#move(state);
    } catch {
      // Unreachable for now: the next poll asks again, and a reader of the feed sees the failure.
    } finally {
      this.#isPolling = false;
    }
  }

  /** What is old enough is counted no more. */
  #move(state: FeedState): void {
    this.#last = { ...state, afterBase: state.afterMark };
    this.#base = this.#mark;
    this.#mark = state.newest;
    this.#turn = performance.now() + settlingTime;
  }
}
