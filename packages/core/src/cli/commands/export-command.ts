import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { PUBLIC_TENANT, type TenantId, type UserId } from "@pawl/storage";
import type { Command } from "commander";
import { CommandError, usageError } from "../command-error.js";
import { someText, storageCommand } from "../command-options.js";
import { type StorageCommandOptions, withStorage } from "../local-storage.js";
import { createProgress } from "../progress.js";
import { jsonText, printResult, type Terminal } from "../terminal.js";

interface ExportOptions extends StorageCommandOptions {
  readonly user?: string;
  readonly tenant?: string;
  readonly resume?: true;
}

const exportAll = async (file: string | undefined, options: ExportOptions, terminal: Terminal): Promise<void> => {
  if (file === undefined) throw usageError("say which file to write, or --user <id> for the data of one user");
  const path = resolve(terminal.cwd, file);
  const { createExportFile, resumeExportFile } = await import("../../transfer/export-file.js");
  const { exportSessions } = await import("../../transfer/session-export.js");
  await withStorage(options, terminal, async ({ storage }) => {
    const target = options.resume === true ? await resumeExportFile(path) : await createExportFile(path);
    const progress = createProgress(terminal, { total: undefined, quiet: options.json === true });
    try {
      const sessions = target.isComplete
        ? target.sum.sessions
        : await exportSessions(storage, target, {
            tenantId: options.tenant as TenantId | undefined,
            onProgress: (count) => progress.show(count, `${count} sessions`),
          });
      progress.clear();
      printResult(terminal, options, {
        json: { file: path, sessions, wasComplete: target.isComplete },
        text: target.isComplete
          ? `${path} was complete already: ${sessions} sessions`
          : `Wrote ${sessions} sessions to ${path}; with the master key they can be taken over, so keep it safe`,
      });
    } finally {
      progress.clear();
      await target.handle.close();
    }
  });
};

const exportOfUser = async (
  file: string | undefined,
  options: ExportOptions & { readonly user: string },
  terminal: Terminal,
): Promise<void> => {
  if (options.resume === true) throw usageError("--resume is for the export of sessions, not for that of a user");
  const { exportUser } = await import("../../transfer/user-export.js");
  const user = { tenantId: (options.tenant ?? PUBLIC_TENANT) as TenantId, userId: options.user as UserId };
  await withStorage(options, terminal, async ({ storage }) => {
    if (file === undefined) {
      for await (const text of exportUser(storage, user)) terminal.stdout.write(text);
      return;
    }
    const path = resolve(terminal.cwd, file);
    const target = await open(path, "wx", 0o600).catch((cause: NodeJS.ErrnoException) => {
      throw new CommandError(`cannot write ${path}: ${cause.code === "EEXIST" ? "it is there already" : cause.code}`, {
        cause,
      });
    });
    try {
      for await (const text of exportUser(storage, user)) await target.appendFile(text);
      await target.sync();
    } finally {
      await target.close();
    }
    const text = `Wrote what is stored about user ${jsonText(options.user)} to ${path}`;
    printResult(terminal, options, { json: { file: path }, text });
  });
};

/** `pawl sessions export` */
export const addExportCommand = (parent: Command, terminal: Terminal): void => {
  storageCommand(
    parent
      .command("export")
      .description(
        "Write all live sessions to a file, to be imported into another storage; or all that is stored about one user, as JSON. Opens the storage directly",
      )
      .argument(
        "[file]",
        "file to write, readable by its owner alone; with --user standard output unless given",
        someText,
      )
      .option("--user <id>", "what is stored about this user (of the tenant of --tenant, else of public)", someText)
      .option("--tenant <id>", "sessions of this tenant only, or with --user the tenant of the user", someText)
      .option("--resume", "resume an interrupted export")
      .action((file: string | undefined, options: ExportOptions) => {
        const { user } = options;
        return user === undefined
          ? exportAll(file, options, terminal)
          : exportOfUser(file, { ...options, user }, terminal);
      }),
    ["pawl sessions export sessions.ndjson", "those of the configured storage"],
    ["pawl sessions export sessions.ndjson --resume", "after an interruption"],
    ["pawl sessions export --user alice alice.json", "for a data-protection request"],
  );
};
