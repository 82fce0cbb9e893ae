import { createPawl } from "@pawl/node";
import { MemoryStorage, type Storage, StorageError } from "@pawl/storage";
import { afterEach } from "vitest";
import type { Hooks, KitPawl, KitPayload, Serve } from "./application.js";
import { TestClock } from "./test-clock.js";
import { type Received, Visitor } from "./visitor.js";

export const HOUR = 3_600_000;

/** A store that can be out of reach. */
const failing = (storage: Storage): { readonly storage: Storage; isDown: boolean } => {
  const state = {
    isDown: false,
    storage: new Proxy(storage, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (state.isDown && name !== "now" && name !== "close")
            return Promise.reject(new StorageError("unavailable", "out of reach, for the test"));
          return Reflect.apply(value, target, given) as unknown;
        };
      },
    }),
  };
  return state;
};

/** Headers of an answer that are ours: some frameworks vary by headers of their own, or say how to cache. */
export const ownHeaders = ({ headers }: Received): readonly string[] =>
  Object.entries({
    "set-cookie": /^/,
    vary: /origin|cookie/i,
    "cache-control": /^no-store$/,
    "access-control-allow-origin": /^/,
  })
    .filter(([name, own]) => headers[name] !== undefined && own.test(String(headers[name])))
    .map(([name]) => name);

export const sessionCookies = ({ setCookies }: Received): readonly string[] =>
  setCookies.filter((line) => line.includes("pawl-"));

export const statusAndBody = ({ status, json }: Received): readonly unknown[] => [status, json];

export interface StartOptions {
  readonly origins?: readonly string[];
  readonly basePath?: string;
  readonly idleTimeout?: string;
  readonly maxSessionsPerUser?: number;
}

/** Starts the kit's application; each is closed after its test. */
export type Start = ReturnType<typeof createStart>;

export const createStart = (serve: Serve) => {
  const open = new Set<() => Promise<void>>();
  afterEach(async () => {
    for (const close of open) await close();
    open.clear();
  });

  return async (options: StartOptions = {}) => {
    const clock = new TestClock();
    const store = failing(new MemoryStorage({ clock }));
    const thefts: string[] = [];
    let waits: () => void | Promise<void> = () => undefined;
    const pawl: KitPawl = createPawl<KitPayload>({
      storage: store.storage,
      clock,
      onTokenTheft: ({ handle }) => void thefts.push(handle),
      ...options,
    });
    const hooks: Hooks = { wait: async () => waits() };
    const { origin, close } = await serve(pawl, hooks);
    open.add(async () => {
      await close();
      await pawl.close();
    });
    const visitor = new Visitor(origin);
    return {
      clock,
      store,
      thefts,
      pawl,
      origin,
      visitor,
      onWait: (work: () => void | Promise<void>) => (waits = work),
      login: (role = "user"): Promise<Received> => visitor.ask(`/login?role=${role}`, { method: "POST" }),
    };
  };
};
