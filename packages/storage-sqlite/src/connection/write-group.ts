import { performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers";
import type { Checkpoint } from "./checkpoint.js";
import type { Database } from "./database.js";
import { asStorageError, isBusy, isOwnFailure } from "./failure.js";
import { retryDelay } from "./lock-wait.js";

/** One write: what to do inside a transaction, and its caller. `work` may run several times before its commit. */
interface Write {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** When the caller gives up, by `performance.now()`. */
  readonly deadline: number;
}

type Attempt =
  /** The first writes were done, as many as there are results. */
  | { readonly kind: "committed"; readonly results: readonly unknown[] }
  /** Nothing was done: another process holds the lock. */
  | { readonly kind: "busy"; readonly error: unknown }
  /** Nothing was done, because of this one. */
  | { readonly kind: "rejected"; readonly write: Write; readonly error: unknown }
  /** Nothing was done, because of the store. */
  | { readonly kind: "failed"; readonly error: unknown };

/** The most writes committed together, so that the event loop is held for a few milliseconds only. */
const groupLimit = 256;

/** After this many milliseconds of work a group is committed as it stands: one write may end many sessions. */
const workLimit = 25;

/**
 * Commits the writes that arrive in one turn of the event loop in one transaction. Each caller learns its own outcome, and
 * only after the commit. A write that fails is taken out and the others are done again without it, which costs nothing
 * while none fails; a failure of the store, or of the commit, is everyone's.
 */
export class WriteGroup {
  readonly #database: Database;
  readonly #lockTimeout: number;
  readonly #beforeBegin: () => void;
  readonly #checkpoint: Pick<Checkpoint, "isDue" | "run">;
  #waiting: Write[] = [];
  #scheduled = false;

  /** @param options.beforeBegin throws when nothing may be written now. */
  constructor(
    database: Database,
    options: {
      readonly lockTimeout: number;
      readonly beforeBegin: () => void;
      readonly checkpoint: Pick<Checkpoint, "isDue" | "run">;
    },
  ) {
    this.#database = database;
    this.#lockTimeout = options.lockTimeout;
    this.#beforeBegin = options.beforeBegin;
    this.#checkpoint = options.checkpoint;
  }

  /** Does the work inside the next transaction; resolves when that is durable. Writes are done in the order they came. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = performance.now() + this.#lockTimeout;
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject, deadline });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the poll phase: the requests of every socket that was readable in this turn end up in one transaction.
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const locked = this.#commit(this.#waiting.splice(0, groupLimit));
    this.#waiting.unshift(...locked);
    if (locked.length > 0) setTimeout(() => this.#flush(), retryDelay());
    else if (this.#checkpoint.isDue()) setImmediate(() => this.#runCheckpoint());
    else this.#goOn();
  }

  /** In a turn of the event loop of its own, after the callers had their answers: it takes as long as several groups. */
  #runCheckpoint(): void {
    this.#checkpoint.run();
    this.#goOn();
  }

  #goOn(): void {
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(() => this.#flush());
  }

  /** @returns the writes that have to wait for a lock. */
  #commit(group: readonly Write[]): readonly Write[] {
    let writes = group;
    while (writes.length > 0) {
      const attempt = this.#attempt(writes);
      switch (attempt.kind) {
        case "committed":
          for (const [index, result] of attempt.results.entries()) writes[index]?.resolve(result);
          this.#waiting.unshift(...writes.slice(attempt.results.length));
          return [];
        case "busy": {
          const now = performance.now();
          for (const write of writes) if (write.deadline <= now) write.reject(asStorageError(attempt.error));
          return writes.filter((write) => write.deadline > now);
        }
        case "rejected":
          attempt.write.reject(asStorageError(attempt.error));
          writes = writes.filter((write) => write !== attempt.write);
          break;
        case "failed":
          for (const write of writes) write.reject(asStorageError(attempt.error));
          return [];
      }
    }
    return [];
  }

  #attempt(writes: readonly Write[]): Attempt {
    try {
      this.#beforeBegin();
      // Not prepared: in libsql a prepared BEGIN that finds the database locked stays active and later holds the lock.
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (isBusy(error)) return { kind: "busy", error };
      this.#database.reset();
      return { kind: "failed", error };
    }
    const results: unknown[] = [];
    const deadline = performance.now() + workLimit;
    let current: Write | undefined;
    try {
      for (const write of writes) {
        current = write;
        results.push(write.work());
        if (performance.now() > deadline) break;
      }
      current = undefined;
      this.#database.exec("COMMIT");
      return { kind: "committed", results };
    } catch (error) {
      this.#rollBack();
      if (isBusy(error)) return { kind: "busy", error };
      if (current !== undefined && isOwnFailure(error)) return { kind: "rejected", write: current, error };
      return { kind: "failed", error };
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full, or there was no transaction.
    }
  }
}
