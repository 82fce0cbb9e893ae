import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, MemoryStorage, type RotationResult, type SessionRecord, StorageError } from "@pawl/storage";

const DOWN = "the storage is down, as a simulation wants it";

/** Keeps the warnings to itself that are about storage which is down on purpose. @returns what ends that. */
export const withoutPlannedWarnings = (): (() => void) => {
  const before = process.emitWarning.bind(process) as (...given: readonly unknown[]) => void;
  process.emitWarning = (...given: readonly unknown[]): void => {
    if (!String(given[0]).endsWith(DOWN)) before(...given);
  };
  return () => void (process.emitWarning = before);
};

/** What a request made a storage do. */
export interface Work {
  /** Sessions that were created or refreshed, by id. */
  readonly renewed: Set<string>;
}

// One for all storages: Node.js 20 asks each that was ever used at every promise.
const requests = new AsyncLocalStorage<Work>();

/** A storage in memory that can be told to fail, and that knows which request it works for. */
export class WatchedStorage {
  readonly #memory: MemoryStorage;
  isDown = false;
  /** Whether nobody asks any more. Nothing is answered then, so that what an application does from time to time stands still. */
  isOver = false;
  wasUsed = false;
  /** What the application is given. */
  readonly line: MemoryStorage;

  constructor(clock: Clock) {
    this.#memory = new MemoryStorage({ clock });
    const calls = new Map<PropertyKey, unknown>();
    this.line = new Proxy(this.#memory, {
      get: (memory, name) => {
        const method = Reflect.get(memory, name) as unknown;
        if (typeof method !== "function" || name === "now" || name === "watchFeeds" || name === "close") return method;
        if (!calls.has(name)) calls.set(name, this.#watched(name, method));
        return calls.get(name);
      },
    });
  }

  /** Serves a request. @returns with what was done for it. */
  async serve<Answer>(request: () => Promise<Answer>): Promise<readonly [Answer, Work]> {
    const work: Work = { renewed: new Set() };
    return [await requests.run(work, request), work];
  }

  /** The session of a handle, live or not. */
  session(handle: string): Promise<SessionRecord | undefined> {
    return this.#memory.getSession(handle.split("_", 1)[0] as SessionRecord["id"]);
  }

  #watched(name: PropertyKey, method: object) {
    return async (...given: readonly unknown[]): Promise<unknown> => {
      if (this.isOver) return new Promise(() => undefined);
      if (this.isDown) throw new StorageError("unavailable", DOWN);
      const result = (await Reflect.apply(method as never, this.#memory, given)) as unknown;
      if (name === "createSession") {
        this.wasUsed = true;
        requests.getStore()?.renewed.add((given[0] as SessionRecord).id);
      }
      const { minted, record } = name === "rotate" ? (result as RotationResult) : {};
      if (minted === true && record !== undefined) requests.getStore()?.renewed.add(record.id);
      return result;
    };
  }
}
