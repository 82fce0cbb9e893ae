import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { adminEvent, claimImportedCore, type ImportedCore, systemRandom } from "@pawl/engine";
import { claimMasterKeyFile, masterKeySource } from "@pawl/engine/host";
import { millis } from "@pawl/storage";
import type { ForeignTables } from "@pawl/storage/adapter";
import type { Command } from "commander";
import { readConfig } from "../../config/read-config.js";
import { CommandError, usageError } from "../command-error.js";
import { type CommandOptions, examples, localCommand, someText } from "../command-options.js";
import { localCaller, type LocalStorage, withStorage } from "../local-storage.js";
import { createProgress } from "../progress.js";
import { jsonText, printResult, type Terminal } from "../terminal.js";
import { findSuperTokens, type SuperTokensSource } from "../../transfer/supertokens-source.js";
import { type ReportLine, takeOver, type TakenOver, type TakeOverOptions } from "../../transfer/supertokens-import.js";

interface TakeOverCommandOptions extends CommandOptions {
  readonly database: string;
  readonly tablePrefix?: string;
  readonly report?: string;
  readonly dryRun?: true;
}

const importSuperTokens = async (options: TakeOverCommandOptions, terminal: Terminal): Promise<void> => {
  const { dryRun = false } = options;
  const tables = await openTables(options.database);
  const progress = createProgress(terminal, { total: undefined, quiet: options.json === true });
  let report: Report | undefined;
  try {
    report = await openReport(options, terminal);
    const source = await findSuperTokens(tables, { prefix: options.tablePrefix });
    const common = {
      report: report.write,
      onProgress: (sessions: number) => progress.show(sessions, `${sessions} sessions`),
    };
    const { taken, into } = await (dryRun
      ? tryOut(source, options, { terminal, common })
      : withStorage({ ...options, mayBeNew: true }, terminal, (local) => importInto(local, source, common)));
    progress.clear();
    printResult(terminal, options, { json: { ...taken, dryRun }, text: summary(taken, into) });
  } finally {
    progress.clear();
    await report?.close();
    await tables.close();
  }
};

interface Report {
  readonly write: (lines: readonly ReportLine[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

type Common = Pick<TakeOverOptions, "report" | "onProgress">;
interface Outcome {
  readonly taken: TakenOver;
  /** Absent: nothing was written. */
  readonly into?: string;
}

const importInto = async (
  { storage, config, shown }: LocalStorage,
  source: SuperTokensSource,
  common: Common,
): Promise<Outcome> => {
  const { policy, masterKey, masterKeyFile } = config;
  const keys = masterKeySource({ storage: config.storage, masterKey, masterKeyFile });
  if (keys === undefined) throw new CommandError("storage in the memory of a process keeps no sessions");
  const core = await claimImportedCore({
    storage,
    masterKeys: await (keys.isOwnFile ? claimMasterKeyFile(keys.file, { storage, random: systemRandom }) : keys.read()),
    refreshTokenValidity: policy.refreshTokenValidity,
    refreshTokenKey: source.refreshTokenKey,
    random: systemRandom,
  });
  const taken = await takeOver(source, { ...common, core, storage, policy, now: () => storage.now() });
  const act = { act: "sessions_imported", from: "supertokens", ...taken, by: localCaller() };
  await storage.appendEvents([adminEvent(storage.now(), act)]);
  return { taken, into: shown };
};

/** Judges every session as an import would, without a store. */
const tryOut = async (
  source: SuperTokensSource,
  { config: file }: TakeOverCommandOptions,
  { terminal: { env, cwd }, common }: { readonly terminal: Terminal; readonly common: Common },
): Promise<Outcome> => {
  const { policy } = readConfig({ env, cwd, file });
  const core: ImportedCore = { refreshTokenKey: source.refreshTokenKey, secret: systemRandom.bytes(32) };
  const report: Common["report"] = (lines) => common.report(lines.map(({ new: _unknown, ...line }) => line));
  const now = () => millis(Date.now());
  return { taken: await takeOver(source, { ...common, report, core, storage: undefined, policy, now }) };
};

const openTables = async (url: string): Promise<ForeignTables> => {
  if (/^postgres(?:ql)?:/.test(url))
    return (await import("@pawl/storage-postgres/foreign-tables")).openForeignTables(url);
  if (/^(?:mysql|mariadb):/.test(url))
    return (await import("@pawl/storage-mysql/foreign-tables")).openForeignTables(url);
  throw usageError(
    "--database must be the URL of the core's own database, postgres://host/supertokens or mysql://host/supertokens",
  );
};

/** Lines of JSON, for the owner of the file alone; of a further run anew. */
const openReport = async ({ report: file }: TakeOverCommandOptions, { cwd }: Terminal): Promise<Report> => {
  if (file === undefined) return { write: async () => undefined, close: async () => undefined };
  const path = resolve(cwd, file);
  const handle = await open(path, "w", 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`cannot write ${path}: ${cause.code}`, { cause });
  });
  return {
    write: (lines: readonly ReportLine[]): Promise<void> =>
      handle.appendFile(lines.map((line) => `${jsonText(line)}\n`).join("")),
    close: (): Promise<void> => handle.close(),
  };
};

const summary = ({ sessions, imported, present, changed, expired, refused }: TakenOver, into?: string): string =>
  [
    into === undefined
      ? `${imported} of ${sessions} sessions would be imported (nothing was changed)`
      : `Imported ${imported} of ${sessions} sessions into ${into}`,
    ...(present > 0 ? [`Were there already, and stay as they are: ${present}`] : []),
    ...(changed > 0
      ? [`Of those the old core has refreshed since their import, so that their tokens will look stolen: ${changed}`]
      : []),
    ...(expired > 0 ? [`Had expired: ${expired}`] : []),
    ...Object.entries(refused).map(([reason, count]) => `Refused, because ${reason}: ${count}`),
  ].join("\n");

/** `pawl import` */
export const addTakeOverCommand = (program: Command, terminal: Terminal): void => {
  const parent = examples(program.command("import").description("Take over live sessions of another system"), [
    "pawl import supertokens --database postgres://db/supertokens",
    "those of a SuperTokens core",
  ]);
  localCommand(
    parent
      .command("supertokens")
      .description(
        "Take over the live sessions of a SuperTokens core from its database, into the storage of the configuration: nobody logs in again. Stop that core first. Opens both directly, changes nothing in the core's database, and resumes when run again",
      )
      .requiredOption(
        "--database <url>",
        "the core's own database; ?schema=… where its tables are not in public",
        someText,
      )
      .option(
        "--table-prefix <prefix>",
        "as the core's postgresql_table_names_prefix or mysql_table_names_prefix",
        someText,
      )
      .option("--report <file>", "write what became of each session, with its old and its new handle", someText)
      .option("--dry-run", "only read, and tell what would be imported")
      .action((options: TakeOverCommandOptions) => importSuperTokens(options, terminal)),
    ["pawl import supertokens --database postgres://db/supertokens --dry-run", "what would come over?"],
    ["pawl import supertokens --database postgres://db/supertokens --report moved.ndjson", "with the handles"],
  );
};
