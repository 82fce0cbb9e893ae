import { StorageError } from "@pawl/storage";
import { statSync } from "node:fs";

/**
 * The database file as it was when the storage was opened. SQLite goes on writing to a file that was removed or renamed
 * away, without an error, and everything it acknowledges then is lost with its last connection.
 */
export class DatabaseFile {
  readonly path: string;
  readonly #identity: string | undefined;

  constructor(path: string) {
    this.path = path;
    this.#identity = identityOf(path);
  }

  /** @throws StorageError `unavailable` when the file was removed, or another one has taken its place. */
  check(): void {
    if (identityOf(this.path) !== this.#identity)
      throw new StorageError(
        "unavailable",
        `the database file ${this.path} was removed or replaced; restart to open the one that is there`,
      );
  }
}

/** What tells a file from every other on this machine; undefined when there is none. */
const identityOf = (path: string): string | undefined => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}.${found.ino}`;
};
