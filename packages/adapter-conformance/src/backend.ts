import type { CoreOptions, EmbeddedOptions } from "@pawl/node";
import { MemoryStorage, type Storage, StorageError } from "@pawl/storage";
import type { TestClock } from "./test-clock.js";

/** What a test wants of the rules of sessions; the others are at their defaults. */
export interface KitRules {
  /** ms */
  readonly idleTimeout?: number;
  /** ms */
  readonly absoluteTimeout?: number;
  /** ms */
  readonly refreshTokenValidity?: number;
  readonly maxSessionsPerUser?: number;
  readonly identityProviders?: NonNullable<EmbeddedOptions["identityProviders"]>;
  readonly checkDatabase?: boolean;
  readonly deviceBinding?: EmbeddedOptions["deviceBinding"];
  /** ms */
  readonly accessTokenValidity?: number;
  /** ms */
  readonly reuseWindow?: number;
}

/** Where the kit's sessions are kept: an engine in the process, or a core. */
export interface KitBackend {
  readonly options: Pick<EmbeddedOptions, "storage"> | Pick<CoreOptions, "core">;
  /** What its sessions are kept in, for what no API does to them. */
  readonly storage: Storage;
  /** While it is set, nothing is known of any session. */
  isDown: boolean;
  /** While it is set, whatever is asked waits for it. */
  delay?: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** Opens an empty backend whose time is that of the clock. */
export type OpenBackend = (rules: KitRules, clock: TestClock) => Promise<KitBackend>;

/** The engine in this process, on memory. */
export const openEmbedded: OpenBackend = async (rules, clock) => {
  const memory = new MemoryStorage({ clock });
  const storage = new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        const call = (): unknown => Reflect.apply(value, target, given);
        if (name === "now" || name === "close") return call();
        if (backend.isDown) return Promise.reject(new StorageError("unavailable", "out of reach, for the test"));
        return backend.delay === undefined ? call() : backend.delay().then(call);
      };
    },
  });
  const backend: KitBackend = {
    options: { storage, ...rules },
    storage: memory,
    isDown: false,
    close: async () => undefined,
  };
  return backend;
};
