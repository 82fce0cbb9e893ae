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

  /** @param options.walPath undefined for a database in memory, which has no WAL. */
  constructor(options: { readonly writer: Database; readonly copier: Database; readonly walPath: string | undefined }) {
    this.#writer = options.writer;
    this.#copier = options.copier;
    this.#walPath = options.walPath;
  }

  /** @returns whether the WAL has grown so much that it is time to run. To be asked after each commit. */
  isDue(): boolean {
    const size = this.#walSize();
    if (size <= walLimit) this.#threshold = walLimit;
    if (size <= this.#threshold) return false;
    // A reader elsewhere may keep the WAL from starting again: then wait until it has grown as much once more.
    this.#threshold = size + walLimit;
    return true;
  }

  /** Copies what can be copied now. A failure is left to the next time: nothing is lost, the WAL only grows. */
  run(): void {
    if (this.#walPath === undefined) return;
    try {
      this.#writer.exec("BEGIN IMMEDIATE");
      this.#copier.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // Another process is writing, or the disk is full: the next write reports that.
    }
    try {
      this.#writer.exec("ROLLBACK");
    } catch {
      // There was no transaction.
    }
  }

  /** In bytes; 0 when unknown. */
  #walSize(): number {
    if (this.#walPath === undefined) return 0;
    try {
      return statSync(this.#walPath).size;
    } catch {
      return 0;
    }
  }

  close(): void {
    this.#copier.close();
  }
}
