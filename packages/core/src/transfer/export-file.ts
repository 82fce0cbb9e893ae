import { type FileHandle, open, truncate } from "node:fs/promises";
import {
  createLineReader,
  emptySum,
  type ExportHeader,
  type ExportSum,
  MAX_LINE_BYTES,
} from "./session-export-format.js";
import { readTextLines } from "./text-lines.js";

/** Why a file cannot be exported to or imported; the message is for the operator. */
export class TransferError extends Error {
  override readonly name = "TransferError";
}

/** A file that an export goes on writing. */
export interface ExportFile {
  readonly handle: FileHandle;
  /** Absent in a new file, which has no first line yet. */
  readonly header?: ExportHeader | undefined;
  readonly sum: ExportSum;
  /** Where the next page of sessions begins; absent: at the first. */
  readonly after?: string | undefined;
  /** Whether the last line stands there. */
  readonly isComplete: boolean;
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown error";

/** Creates a file for its owner alone. @throws TransferError when it exists or cannot be created. */
export const createExportFile = async (path: string): Promise<ExportFile> => {
  try {
    return { handle: await open(path, "wx", 0o600), sum: emptySum(), isComplete: false };
  } catch (cause) {
    const why = codeOf(cause) === "EEXIST" ? "it is there already; --resume goes on with it" : codeOf(cause);
    throw new TransferError(`cannot write ${path}: ${why}`, { cause });
  }
};

/**
 * Opens the file of an interrupted export and cuts off what follows its last checkpoint.
 * @throws TransferError when it is not an export.
 */
export const resumeExportFile = async (path: string): Promise<ExportFile> => {
  const read = createLineReader();
  const { hash } = emptySum();
  let sessions = 0;
  let header: ExportHeader | undefined;
  let found: { readonly sum: ExportSum; readonly end: number; readonly after?: string | undefined } = {
    sum: emptySum(),
    end: 0,
  };
  let isComplete = false;
  try {
    for await (const { text = "", number, end, isWhole } of readTextLines(path, { maxBytes: MAX_LINE_BYTES })) {
      const line = isWhole ? read(text) : "cut off";
      if (typeof line === "string" || (number === 1) !== (line.kind === "header")) {
        // A first line that was not written to its end is that of an export which has just begun.
        if (number === 1 && (isWhole || !text.startsWith("{")))
          throw new TransferError(`${path} is no export of sessions`);
        break;
      }
      if (line.kind === "end") {
        isComplete = true;
        break;
      }
      hash.update(`${text}\n`);
      if (line.kind === "session") sessions += 1;
      if (line.kind === "header") ({ header } = line);
      if (line.kind === "header" || line.kind === "checkpoint")
        found = {
          sum: { sessions, hash: hash.copy() },
          end,
          after: line.kind === "checkpoint" ? line.after : undefined,
        };
    }
    if (!isComplete) await truncate(path, found.end);
    const { sum, after } = found;
    return {
      handle: await open(path, "a"),
      header: found.end === 0 ? undefined : header,
      sum: isComplete ? { sessions, hash } : sum,
      after,
      isComplete,
    };
  } catch (cause) {
    if (cause instanceof TransferError) throw cause;
    throw new TransferError(`cannot go on with ${path}: ${codeOf(cause)}`, { cause });
  }
};
