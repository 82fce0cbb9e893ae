/** Those whom a store wakes when revocations were committed. */
export class WakeListeners {
  readonly #listeners = new Set<() => void>();
  readonly #begin: () => void;
  readonly #end: () => void;

  /** @param watch.begin is called for the first listener, `watch.end` when the last one has stopped, or on `close`. */
  constructor(watch: { readonly begin: () => void; readonly end: () => void }) {
    this.#begin = watch.begin;
    this.#end = watch.end;
  }

  /** @returns stop. */
  add(wake: () => void): () => void {
    const isFirst = this.#listeners.size === 0;
    this.#listeners.add(wake);
    if (isFirst) this.#begin();
    return () => {
      if (this.#listeners.delete(wake) && this.#listeners.size === 0) this.#end();
    };
  }

  /** Wakes every listener that has not stopped when its turn comes. */
  wake(): void {
    for (const listener of this.#listeners) queueMicrotask(() => this.#listeners.has(listener) && listener());
  }

  close(): void {
    this.#listeners.clear();
    this.#end();
  }
}
