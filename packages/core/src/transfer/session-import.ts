import { addImportedCores, addMasterKeyNeeds } from "@pawl/engine";
import type { SessionRecord, Storage } from "@pawl/storage";
import { TransferError } from "./export-file.js";
import { createLineReader, emptySum, type ExportLine, formatEnd, MAX_LINE_BYTES } from "./session-export-format.js";
import { readTextLines } from "./text-lines.js";

/** Rows that are written in one step, and their length at most. */
const BATCH_ROWS = 100;
const BATCH_LENGTH = 4_000_000;

/** The result of an import. */
export interface Imported {
  /** Sessions in the file. */
  readonly sessions: number;
  readonly inserted: number;
  /** Sessions whose id was taken: of an import before this one, or the store's own. Left as they were. */
  readonly present: number;
  /** Sessions that had expired by now, which no store needs. */
  readonly expired: number;
}

type OnProgress = (bytes: number) => void;

/**
 * Checks that an export is complete and correct, from end to end; writes nothing.
 * @returns how many sessions it holds.
 * @throws TransferError with the number of the line that is wrong.
 */
export const checkExport = async (path: string, onProgress: OnProgress): Promise<number> => {
  const { hash } = emptySum();
  let sessions = 0;
  let isComplete = false;
  for await (const { line, text, number, end } of exportLines(path)) {
    const fault = (what: string): TransferError => new TransferError(`${path}, line ${number}: ${what}`);
    if (isComplete) throw fault("stands behind the end of the export");
    if ((number === 1) !== (line.kind === "header")) throw fault("the first line, and no other, says what the file is");
    if (line.kind === "end") {
      isComplete = true;
      const own = JSON.parse(formatEnd({ sessions, hash })) as typeof line;
      if (line.sessions !== sessions) throw fault(`${line.sessions} sessions were exported, and ${sessions} are here`);
      if (line.sha256 !== own.sha256) throw fault("the checksum is another one: the file was changed");
      continue;
    }
    if (line.kind === "session") sessions += 1;
    hash.update(`${text}\n`);
    onProgress(end);
  }
  if (!isComplete) throw new TransferError(`${path} is not whole: its last line is missing`);
  return sessions;
};

/**
 * Writes the sessions of an export that `checkExport` has accepted, in bounded memory. After an interruption it is called
 * again: sessions that are already in the store are left alone.
 * @throws EngineError `master_key_wrong` when the store has another master key of the id of one that the sessions need.
 */
export const importSessions = async (storage: Storage, path: string, onProgress: OnProgress): Promise<Imported> => {
  const counts = { sessions: 0, inserted: 0, present: 0, expired: 0 };
  let batch: SessionRecord[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    const outcomes = await storage.importSessions(batch);
    const inserted = outcomes.filter(Boolean).length;
    counts.inserted += inserted;
    counts.present += outcomes.length - inserted;
    batch = [];
    length = 0;
  };
  for await (const { line, text, end } of exportLines(path)) {
    if (line.kind === "header") {
      await addMasterKeyNeeds(storage, line.header.masterKeys);
      await addImportedCores(storage, line.header.importedCores ?? []);
    }
    if (line.kind !== "session") continue;
    counts.sessions += 1;
    if (line.record.expiresAt <= storage.now()) counts.expired += 1;
    else batch.push(line.record);
    length += text.length;
    if (batch.length >= BATCH_ROWS || length >= BATCH_LENGTH) await flush();
    onProgress(end);
  }
  if (batch.length > 0) await flush();
  return counts;
};

async function* exportLines(path: string): AsyncGenerator<{
  readonly line: ExportLine;
  readonly text: string;
  readonly number: number;
  readonly end: number;
}> {
  const read = createLineReader();
  try {
    for await (const { text, number, end } of readTextLines(path, { maxBytes: MAX_LINE_BYTES })) {
      const line = text === undefined ? `longer than ${MAX_LINE_BYTES} bytes` : read(text);
      if (typeof line === "string") throw new TransferError(`${path}, line ${number}: ${line}`);
      yield { line, text: text ?? "", number, end };
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw cause;
    throw new TransferError(`cannot read ${path}: ${code}`, { cause });
  }
}
