import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { createUseNotes, type SeenUse, type UseReport } from "@pawl/engine";
import type { BackendSettings } from "./session-backend.js";

/** Notes that wait while they cannot be sent; further ones are dropped, for a later use is noted again. */
const MOST_WAITING = 10_000;
/** Notes in one message, as the core's API takes them. */
const BATCH = 1000;
/** How long the notes that wait may hold up a close, in milliseconds. */
const LAST_ATTEMPT = 1000;
/** Pause after a failed message, in milliseconds. */
const PAUSE = 1000;

export interface UseReportsOptions {
  readonly send: (uses: readonly UseReport[]) => Promise<void>;
  readonly settings: () => Pick<BackendSettings, "reuseWindow" | "activityInterval">;
}

/**
 * Reports to the backend, in the background and in batches, which access tokens are in use: the first use of an unconfirmed
 * one that is older than the reuse window (it brings a theft to light early), and each session's activity once per activity
 * interval. It delays no request; what cannot be sent is tried again.
 */
export class UseReports {
  readonly #send: UseReportsOptions["send"];
  readonly #settings: UseReportsOptions["settings"];
  readonly #worth = createUseNotes();
  #waiting: UseReport[] = [];
  #sending: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ send, settings }: UseReportsOptions) {
    this.#send = send;
    this.#settings = settings;
  }

  /** Takes note of a verified token. */
  note(use: SeenUse, now: number): void {
    const report = this.#worth(use, now, this.#settings());
    if (report === undefined) return;
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(report);
    this.#startSending();
  }

  /** Sends what waits. Resolves when it was sent, could not be, or a second has passed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (limit = setTimeout(resolve, LAST_ATTEMPT)));
    const sent = Promise.resolve(this.#sending).then(() => this.#sendAll());
    await Promise.race([sent, late]);
    clearTimeout(limit);
  }

  #startSending(): void {
    if (this.#sending !== undefined || this.#pause !== undefined || this.#closed) return;
    this.#sending = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#sendAll())
      .finally(() => (this.#sending = undefined));
  }

  /** Notes that arrive while a batch is on its way make the next one. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      try {
        await this.#send(batch);
      } catch {
        this.#waiting = [...batch, ...this.#waiting].slice(0, MOST_WAITING);
        if (this.#closed) return;
        this.#pause = setTimeout(() => {
          this.#pause = undefined;
          this.#startSending();
        }, PAUSE).unref();
        return;
      }
    }
  }
}
