import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers";
import { type EndReason, endReasons, type Millis, nextFlight, StorageError } from "@pawl/storage";
import type { SessionHandle } from "../session.js";
import { syncFolder } from "./sync-folder.js";

/** One line of a revocation log: no secret, and nothing of the user. */
export interface LoggedRevocation {
  readonly handle: SessionHandle;
  readonly at: Millis;
  readonly reason: EndReason;
}

/** An append-only file of what was revoked, to be replayed when a backup of the store is restored. */
export interface RevocationLog {
  /**
   * Resolves when the lines, and all that an earlier call could not write, are on disk. Calls share a sync.
   * @throws StorageError `unavailable`; the lines are then written with the next call, whatever that brings.
   */
  append(revocations: readonly LoggedRevocation[]): Promise<void>;
  /** What the file ended with when it was opened; empty for a new one. */
  readonly tail: readonly LoggedRevocation[];
  close(): Promise<void>;
}

/** How much of the end of a file is read when it is opened: a few hundred lines. */
const TAIL_BYTES = 65_536;

/**
 * Opens the log at a path, or makes it (mode 0600). It may be renamed at any time: the next line begins a new file.
 * @throws StorageError `unavailable` when it cannot be written.
 */
export const openRevocationLog = async (path: string): Promise<RevocationLog> => {
  let handle: FileHandle | undefined;
  /** Whether what the file ends with may be half a line. */
  let isTorn = false;
  let unwritten = "";

  const letGo = async (): Promise<void> => {
    const closing = handle;
    handle = undefined;
    await closing?.close().catch(() => undefined);
  };

  const openFile = async (): Promise<FileHandle> => {
    await mkdir(dirname(path), { recursive: true });
    const opened = await open(path, "a+", 0o600);
    handle = opened;
    const { size } = await opened.stat();
    const last = size === 0 ? undefined : (await opened.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
    isTorn = last !== undefined && last !== 0x0a;
    await syncFolder(dirname(path));
    return opened;
  };

  /** The file that is there now under the name: lines in one that was removed would be lost. */
  const currentFile = async (): Promise<FileHandle> => {
    if (handle === undefined) return openFile();
    const [own, named] = [await handle.stat(), await stat(path).catch(() => undefined)];
    if (own.dev === named?.dev && own.ino === named.ino) return handle;
    await letGo();
    return openFile();
  };

  const flush = async (): Promise<void> => {
    if (unwritten === "") return;
    const lines = unwritten;
    try {
      const file = await currentFile();
      await file.appendFile(isTorn ? `\n${lines}` : lines);
      isTorn = false;
      await file.datasync();
      unwritten = unwritten.slice(lines.length);
    } catch (cause) {
      // After a failed sync it is unknown what is on disk, so everything is written again, to the file opened anew.
      await letGo();
      throw failure(path, cause);
    }
  };

  // Whatever else this turn of the event loop brings goes with the same sync.
  const flushSoon = nextFlight(flush, () => new Promise((resolve) => setImmediate(resolve)));

  let tail: readonly LoggedRevocation[];
  try {
    const file = await openFile();
    tail = await readTail(file);
  } catch (cause) {
    await letGo();
    throw failure(path, cause);
  }

  return {
    tail,
    async append(revocations) {
      for (const { handle: session, at, reason } of revocations)
        unwritten += `${JSON.stringify({ handle: session, at, reason })}\n`;
      if (unwritten !== "") await flushSoon();
    },
    async close() {
      await flushSoon().catch(() => undefined);
      await letGo();
    },
  };
};

const readTail = async (file: FileHandle): Promise<readonly LoggedRevocation[]> => {
  const { size } = await file.stat();
  const length = Math.min(size, TAIL_BYTES);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer
    .toString()
    .split("\n")
    .map(parseLoggedRevocation)
    .filter((line) => line !== undefined);
};

const reasons: ReadonlySet<unknown> = new Set(endReasons);

/** Reads a line of a revocation log; undefined when it is none, such as one that was cut off. */
export const parseLoggedRevocation = (line: string): LoggedRevocation | undefined => {
  try {
    const { handle, at, reason } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof handle !== "string" || !Number.isSafeInteger(at) || !reasons.has(reason)) return undefined;
    return { handle: handle as SessionHandle, at: at as Millis, reason: reason as EndReason };
  } catch {
    return undefined;
  }
};

const failure = (path: string, cause: unknown): StorageError => {
  const { code = "unknown error" } = cause as { readonly code?: string };
  return new StorageError("unavailable", `the revocation log ${path} cannot be written (${code})`, { cause });
};
