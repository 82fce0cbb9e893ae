import { statSync } from "node:fs";
import { resolve } from "node:path";
import { adminEvent } from "@pawl/engine";
import type { Command } from "commander";
import { someText, storageCommand } from "../command-options.js";
import { localCaller, type StorageCommandOptions, withStorage } from "../local-storage.js";
import { createProgress } from "../progress.js";
import { printResult, type Terminal } from "../terminal.js";

interface ImportOptions extends StorageCommandOptions {
  readonly dryRun?: true;
}

const importFile = async (file: string, options: ImportOptions, terminal: Terminal): Promise<void> => {
  const path = resolve(terminal.cwd, file);
  const { checkExport, importSessions } = await import("../../transfer/session-import.js");
  const total = statSync(path, { throwIfNoEntry: false })?.size;
  const progress = createProgress(terminal, { total, quiet: options.json === true });
  const onProgress =
    (what: string) =>
    (bytes: number): void =>
      progress.show(bytes, what);
  try {
    // All of it, before the first row is written: a file that was cut off is noticed here.
    const found = await checkExport(path, onProgress("checking"));
    if (options.dryRun === true) {
      progress.clear();
      return printResult(terminal, options, {
        json: { file: path, sessions: found, dryRun: true },
        text: `${path} is whole: ${found} sessions (nothing was changed)`,
      });
    }
    await withStorage({ ...options, mayBeNew: true }, terminal, async ({ storage, shown }) => {
      const done = await importSessions(storage, path, onProgress("importing"));
      const act = { act: "sessions_imported", ...done, by: localCaller() };
      await storage.appendEvents([adminEvent(storage.now(), act)]);
      progress.clear();
      const lines = [
        `Imported ${done.inserted} of ${done.sessions} sessions into ${shown}`,
        ...(done.present > 0 ? [`Were there already, and stay as they are: ${done.present}`] : []),
        ...(done.expired > 0 ? [`Have expired since: ${done.expired}`] : []),
      ];
      printResult(terminal, options, { json: { file: path, ...done, dryRun: false }, text: lines.join("\n") });
    });
  } finally {
    progress.clear();
  }
};

/** `pawl sessions import` */
export const addImportCommand = (parent: Command, terminal: Terminal): void => {
  storageCommand(
    parent
      .command("import")
      .description(
        "Import the sessions of an export after checking that it is complete; opens the storage directly, and resumes when run again",
      )
      .argument("<file>", "file that  pawl sessions export  has written", someText)
      .option("--dry-run", "only check the file")
      .action((file: string, options: ImportOptions) => importFile(file, options, terminal)),
    ["pawl sessions import sessions.ndjson --storage postgres://db/pawl", "into another storage"],
    ["pawl sessions import sessions.ndjson --dry-run", "is the file complete?"],
  );
};
