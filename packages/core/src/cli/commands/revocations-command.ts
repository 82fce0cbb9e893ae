import { statSync } from "node:fs";
import { resolve } from "node:path";
import { adminEvent, parseHandle } from "@pawl/engine";
import { type LoggedRevocation, parseLoggedRevocation } from "@pawl/engine/host";
import { type EndReason, isLive, type SessionId, type Storage } from "@pawl/storage";
import type { Command } from "commander";
import { CommandError } from "../command-error.js";
import { examples, pointInTime, storageCommand } from "../command-options.js";
import { localCaller, type StorageCommandOptions, withStorage } from "../local-storage.js";
import { createProgress } from "../progress.js";
import { printResult, type Terminal } from "../terminal.js";
import { readTextLines } from "../../transfer/text-lines.js";

interface ReplayOptions extends StorageCommandOptions {
  readonly since?: number;
  readonly dryRun?: true;
}

/** A line that could not be read. */
interface BadLine {
  readonly file: string;
  readonly line: number;
}

/** Sessions that are ended in one step. */
const BATCH = 500;
const MAX_LINE_BYTES = 65_536;
/** Bad lines that are named; the rest is counted. */
const NAMED = 20;

const sizeOf = (path: string): number => {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw Object.assign(new Error("no file"), { code: "it is no file" });
    return found.size;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(`the revocation log cannot be read (${code ?? "unknown error"}): ${path}`, { cause });
  }
};

/** Gathers revocations and ends what of them is still alive, some hundred in a step. */
const createReplay = (storage: Storage, { isDry }: { readonly isDry: boolean }) => {
  let waiting = new Map<EndReason, SessionId[]>();
  let count = 0;
  let ended = 0;
  const found = new Set<SessionId>();

  const isAlive = async (id: SessionId): Promise<boolean> => {
    const row = await storage.getSession(id);
    return row !== undefined && isLive(row, storage.now());
  };
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = new Map();
    count = 0;
    for (const [reason, ids] of batch) {
      if (isDry) {
        const alive = await Promise.all(ids.map(isAlive));
        for (const id of ids.filter((_, index) => alive[index])) found.add(id);
      } else ended += (await storage.revokeSessions({ kind: "ids", ids }, { reason, detail: "revocation log" })).length;
    }
  };
  return {
    flush,
    alive: () => (isDry ? found.size : ended),
    async take({ handle, reason }: LoggedRevocation): Promise<void> {
      const id = parseHandle(handle)?.id;
      if (id === undefined) return;
      const ids = waiting.get(reason);
      if (ids === undefined) waiting.set(reason, [id]);
      else ids.push(id);
      count += 1;
      if (count >= BATCH) await flush();
    },
  };
};

const replay = async (names: readonly string[], options: ReplayOptions, terminal: Terminal): Promise<void> => {
  const files = [...new Set(names.map((name) => resolve(terminal.cwd, name)))];
  const total = files.map(sizeOf).reduce((sum, size) => sum + size, 0);
  const { since = 0, dryRun, json } = options;
  await withStorage(options, terminal, async ({ storage }) => {
    const progress = createProgress(terminal, { total, quiet: json === true });
    const session = createReplay(storage, { isDry: dryRun === true });
    const bad: BadLine[] = [];
    const counts = { lines: 0, earlier: 0, bad: 0 };
    let read = 0;
    for (const file of files) {
      let size = 0;
      let isLog = false;
      for await (const line of readTextLines(file, { maxBytes: MAX_LINE_BYTES })) {
        size = line.end;
        progress.show(read + size, `${counts.lines} lines`);
        if (line.text?.trim() === "") continue;
        const revocation = line.text === undefined ? undefined : parseLoggedRevocation(line.text);
        if (revocation === undefined || parseHandle(revocation.handle) === undefined) {
          counts.bad += 1;
          if (bad.length < 1000) bad.push({ file, line: line.number });
          continue;
        }
        isLog = true;
        counts.lines += 1;
        if (revocation.at < since) counts.earlier += 1;
        else await session.take(revocation);
      }
      if (!isLog && size > 0) bad.push({ file, line: 0 });
      read += size;
    }
    await session.flush();
    progress.clear();
    if (dryRun !== true) {
      const act = { act: "revocations_replayed", ended: session.alive(), by: localCaller() };
      await storage.appendEvents([adminEvent(storage.now(), act)]);
    }
    report({ files, counts, bad, alive: session.alive() }, options, terminal);
  });
};

const report = (
  {
    files,
    counts,
    bad,
    alive,
  }: {
    readonly files: readonly string[];
    readonly counts: { readonly lines: number; readonly earlier: number; readonly bad: number };
    readonly bad: readonly BadLine[];
    readonly alive: number;
  },
  options: ReplayOptions,
  terminal: Terminal,
): void => {
  const isDry = options.dryRun === true;
  const strange = bad.filter(({ line }) => line === 0).map(({ file }) => file);
  const lines = bad.filter(({ line }) => line > 0);
  const earlier = counts.earlier === 0 ? "" : `, ${counts.earlier} of them before --since`;
  const text = [
    `Read ${counts.lines} revocations${earlier}: ${alive} ${alive === 1 ? "session was" : "sessions were"} still alive${isDry ? " (nothing was changed)" : " and ended now"}`,
    ...lines.slice(0, NAMED).map(({ file, line }) => `Not a revocation: ${file}, line ${line}`),
    ...(counts.bad > NAMED ? [`… and ${counts.bad - NAMED} more such lines`] : []),
  ].join("\n");
  const { bad: count, ...known } = counts;
  printResult(terminal, options, {
    json: { files, ...known, ended: isDry ? 0 : alive, alive, bad: { count, lines }, dryRun: isDry },
    text,
  });
  if (strange.length > 0) throw new CommandError(`no revocation log: ${strange.join(", ")}`);
};

/** `pawl revocations replay` */
export const addRevocationsCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("revocations").description("Revocation logs, after a backup was restored");
  examples(command, ["pawl revocations replay revocations.log", "ends again what was ended since the backup"]);
  storageCommand(
    command
      .command("replay")
      .description(
        "End again the sessions that the revocation logs name and a restored backup brought back; opens the storage directly, and may be run again",
      )
      .argument("<files...>", "revocation logs, of every node")
      .option("--since <time>", "only what ended then or later, such as 2026-03-01T00:00:00Z", pointInTime)
      .option("--dry-run", "only count what is still alive")
      .action((files: string[], options: ReplayOptions) => replay(files, options, terminal)),
    ["pawl revocations replay node1.log node2.log", "those of all nodes"],
    ["pawl revocations replay *.log --since 2026-03-01T00:00:00Z --dry-run", "what would be ended"],
  );
};
