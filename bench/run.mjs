import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compare } from "./comparison.mjs";
import { hold } from "./contest.mjs";
import { requirePrograms, withDatabases } from "./databases.mjs";
import { describeMachine, formatMachine, loadNow } from "./machine.mjs";
import { readOptions, UsageError } from "./options.mjs";
import { prepare } from "./preparation.mjs";
import { readLatest, reportRow, save } from "./report.mjs";
import { rows } from "./rows.mjs";
import { isOtherLevel } from "./storage-rows.mjs";
import { formatRow } from "./tables.mjs";

const SHORT = { rounds: 2, sliceMillis: 150, warmMillis: 300 };
/** Fewer rounds for rows with many processes, so that all rows together take less than an hour. */
const fullPace = (/** @type {number} */ processes) => ({
  rounds: processes > 24 ? 8 : processes > 8 ? 12 : 18,
  sliceMillis: 500,
  warmMillis: 2000,
});

/** Shows what is being done, on one line of a terminal, or as lines where it is none. */
const progress = (/** @type {string} */ text) =>
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);

const clearProgress = () => process.stderr.isTTY && process.stderr.write("\r\x1b[K");

/**
 * Databases are opened beside the project, where a commit reaches a disk: a temporary folder is often memory.
 * @template T
 * @param {(directory: string) => Promise<T>} use
 */
const withDirectory = async (use) => {
  const parent = fileURLToPath(new URL(".data/", import.meta.url));
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(parent);
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Most sessions of a contender in a short run: making them would take longer than what is measured. */
const SHORT_SESSIONS = 1000;

/**
 * A contender of a short run, or nothing where it is left out.
 * @param {import("./contest.mjs").Contender} contender
 * @returns {import("./contest.mjs").Contender[]}
 */
const shortened = (contender) => {
  if (isOtherLevel(contender.name)) return [];
  const { settings } = contender;
  if (typeof settings !== "object" || settings["sessions"] === undefined) return [{ ...contender, processes: 1 }];
  const sessions = Math.min(settings["sessions"], SHORT_SESSIONS);
  return [{ ...contender, processes: 1, settings: { ...settings, sessions } }];
};

/**
 * @typedef {Exclude<ReturnType<typeof readOptions>, { help: string }>} Options
 *
 * @param {import("./rows.mjs").Row} row
 * @param {{ directory: string, databases: import("./databases.mjs").Databases, options: Options, tell: (text: string) => void }} using
 */
const scoresOf = async (row, { directory, databases, options, tell }) => {
  if (row.measure !== undefined) return row.measure({ directory, databases }, options.short, tell);
  const { lanes } = row;
  const contenders = row.contenders(directory, databases);
  const processes = contenders.reduce((sum, contender) => sum + (contender.processes ?? 1), 0);
  return hold(
    {
      contenders: options.short ? contenders.flatMap(shortened) : contenders,
      ...(lanes === undefined ? {} : { lanes }),
    },
    options.short ? SHORT : fullPace(processes),
    tell,
    options.profile === undefined ? {} : { profile: options.profile },
  );
};

const writeDocs = async () => {
  const report = readLatest();
  // Loaded here: they need packages that only this folder has.
  const { writeCapacityPage } = await import("./capacity-page.mjs");
  const { writePerformancePage } = await import("./performance-page.mjs");
  await writeCapacityPage(report);
  await writePerformancePage(report, rows);
};

/** @param {Options} options */
const measure = async (options) => {
  prepare();
  // Asks a driver of a package that may just have been built.
  const { describeSqlite } = await import("./contenders/sqlite.mjs");
  const machine = describeMachine(describeSqlite());
  const say = (/** @type {string} */ text) => void (options.json || process.stdout.write(text));
  say(`${formatMachine(machine)}\n`);

  const chosen = rows.filter(({ name }) => options.names.includes(name));
  await requirePrograms(chosen);
  const reported = [];
  for (const [place, row] of chosen.entries()) {
    const tell = (/** @type {string} */ text) => progress(`[${place + 1}/${chosen.length}] ${row.name}: ${text}`);
    const startedAt = performance.now();
    const scores = await withDirectory((directory) =>
      withDatabases(row.databases ?? [], (databases) => scoresOf(row, { directory, databases, options, tell })),
    );
    const verdict = row.judge((name) => {
      const found = scores.find((score) => score.name === name);
      if (found === undefined) throw new Error(`${row.name} has no contender ${name}`);
      return found;
    }, scores);
    clearProgress();
    say(formatRow(row, scores, verdict));
    reported.push(reportRow(row, scores, verdict, performance.now() - startedAt));
  }

  const report = { machine: { ...machine, loadAtEnd: loadNow() }, rows: reported };
  if (options.compare) (options.json ? process.stderr : process.stdout).write(compare(report, options));
  if (!options.short && options.profile === undefined) save(report);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
};

try {
  const options = readOptions(process.argv.slice(2), rows);
  if ("help" in options) process.stdout.write(options.help);
  else if (options.writeDocs) await writeDocs();
  else await measure(options);
} catch (error) {
  clearProgress();
  const { message, stack } = /** @type {Error} */ (error);
  process.stderr.write(`bench: ${error instanceof UsageError ? message : process.env["DEBUG"] ? stack : message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
