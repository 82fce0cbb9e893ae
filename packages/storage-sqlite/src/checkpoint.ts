import { statSync } from "node:fs";
import { type Database, walLimit } from "./database.js";

/**
 * Copies the WAL back into the database file, and only while this process holds the write lock. SQLite before 3.51.3 can
 * lose data when a commit that restarts the WAL falls into another connection's checkpoint (sqlite.org/wal.html, the
 * "WAL-reset bug"); with the lock held there is no such commit. See docs/decisions/0003-sqlite-wal-lock.md.
 */
export class Checkpoint {
  readonly #writer: Database;
  /** A connection of its own: SQLite refuses to checkpoint on one that is inside a transaction. */
  readonly #copier: Database;
  readonly #walPath: string | undefined;
  #threshold = walLimit;
  #scheduled = false;

  /** @param options.walPath absent for a database in memory, which has no WAL. */
  constructor(options: { readonly writer: Database; readonly copier: Database; readonly walPath?: string }) {
    this.#writer = options.writer;
    this.#copier = options.copier;
    this.#walPath = options.walPath;
  }

  /** To be called after each commit: checkpoints, after the callers had their answers, when the WAL has grown. */
  afterCommit(): void {
    if (this.#scheduled || this.#walPath === undefined) return;
    const size = statSync(this.#walPath, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= walLimit) this.#threshold = walLimit;
    if (size <= this.#threshold) return;
    // A reader elsewhere may keep the WAL from starting again: then wait until it has grown as much once more.
    this.#threshold = size + walLimit;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.run();
    });
  }

  /** Copies what can be copied now. Failures are left to the next time: nothing is lost, the WAL only grows. */
  run(): void {
    if (this.#walPath === undefined) return;
    try {
      this.#writer.exec("BEGIN IMMEDIATE");
    } catch {
      return;
    }
    try {
      this.#copier.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // A full disk or a locked file shows itself to the next writer, with a message of its own.
    } finally {
      this.#writer.exec("ROLLBACK");
    }
  }

  close(): void {
    this.#copier.close();
  }
}
