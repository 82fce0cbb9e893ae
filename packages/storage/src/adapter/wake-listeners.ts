import type { SessionReference } from "../records.js";
import type { Storage } from "../storage.js";

/** The listeners that a store wakes when lines of a feed were committed. */
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
    for (const listener of this.#listeners)
      void Promise.resolve().then(() => this.#listeners.has(listener) && listener());
  }

  close(): void {
    this.#listeners.clear();
    this.#end();
  }
}

/** The same storage, which also wakes its listeners after a call of its own that appended to a feed. */
export const wakingStorage = (storage: Omit<Storage, "watchFeeds">, listeners: WakeListeners): Storage => {
  const wakeAfter = (ended: readonly SessionReference[]): readonly SessionReference[] => {
    if (ended.length > 0) listeners.wake();
    return ended;
  };
  return {
    ...storage,
    createSession: async (record, limits) => wakeAfter(await storage.createSession(record, limits)),
    applyRotation: async (expected, change) => {
      const result = await storage.applyRotation(expected, change);
      if (result.kind === "applied") wakeAfter(result.ended);
      return result;
    },
    revokeSessions: async (selector, cause, limit) => wakeAfter(await storage.revokeSessions(selector, cause, limit)),
    eraseUser: async (user, limit) => {
      const erased = await storage.eraseUser(user, limit);
      wakeAfter(erased.ended);
      return erased;
    },
    changeSession: async (id, change) => {
      const result = await storage.changeSession(id, change);
      if (result.kind === "changed" && change.announced === true) listeners.wake();
      return result;
    },
    watchFeeds: (wake) => listeners.add(wake),
  };
};
