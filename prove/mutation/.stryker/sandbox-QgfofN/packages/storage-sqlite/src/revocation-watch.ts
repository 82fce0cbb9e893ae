/** How often another process is asked for revocations, in ms: at most this late does a listener wake. */
const pollInterval = 100;

/**
 * Wakes listeners when revocations were committed: at once by this process, and by polling for others. It polls only while
 * somebody listens, and keeps no process alive.
 */
export class RevocationWatch {
  readonly #listeners = new Set<() => void>();
  readonly #readLast: () => number;
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  /** @param readLast reads the number of the newest revocation. */
  constructor(readLast: () => number) {
    this.#readLast = readLast;
  }

  /** @returns stop. */
  add(wake: () => void): () => void {
    // A wrapper, so that a function listening twice is two listeners and stopping one leaves the other.
    const listener = (): void => wake();
    if (this.#timer === undefined) {
      this.#last = this.#read();
      this.#timer = setInterval(() => this.#poll(), pollInterval).unref();
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Wakes everyone. */
  wake(): void {
    for (const listener of this.#listeners) queueMicrotask(() => this.#listeners.has(listener) && listener());
  }

  close(): void {
    this.#listeners.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const last = this.#read();
    if (last === this.#last) return;
    this.#last = last;
    this.wake();
  }

  #read(): number {
    try {
      return this.#readLast();
    } catch {
      // Locked or unreadable for now: the next poll asks again, and whoever reads the feed is told.
      return this.#last;
    }
  }
}
