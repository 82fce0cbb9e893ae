import type { Storage } from "@pawl/storage";

/** One call on its way to the store. */
export interface StorageCall {
  readonly method: keyof Storage;
  /** Performs the call on the real store. */
  readonly proceed: () => Promise<unknown>;
}

/** A real store with a hand on every asynchronous call: to count, to break the line before or after the work is done. */
export const intercepted = (storage: Storage, hand: (call: StorageCall) => Promise<unknown>): Storage =>
  new Proxy(storage, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const method = name as keyof Storage;
      if (method === "now" || method === "watchFeeds") return member.bind(target) as unknown;
      return (...args: unknown[]) =>
        hand({ method, proceed: async () => (await Reflect.apply(member, target, args)) as unknown });
    },
  });
