import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hold } from "./contest.mjs";
import { describeMachine, loadNow } from "./machine.mjs";
import { readOptions, UsageError } from "./options.mjs";
import { prepare } from "./preparation.mjs";
import { compare, formatMachine, formatRow, reportRow, save, writeDocs } from "./report.mjs";
import { rows } from "./rows.mjs";

const FULL = { rounds: 18, sliceMillis: 500, warmMillis: 2000 };
const SHORT = { rounds: 3, sliceMillis: 250, warmMillis: 400 };

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

/**
 * Starts the servers that rows need before anything is measured: what is missing is told at once. Idle they cost nothing.
 * @template T
 * @param {import("./rows.mjs").Row[]} chosen
 * @param {(databases: Map<import("./rows.mjs").Row, import("./rows.mjs").Database>) => Promise<T>} use
 */
const withDatabases = async (chosen, use) => {
  const databases = new Map();
  try {
    for (const row of chosen) if (row.startDatabase !== undefined) databases.set(row, await row.startDatabase());
    return await use(databases);
  } finally {
    for (const database of databases.values()) await database.stop();
  }
};

/** @param {Exclude<ReturnType<typeof readOptions>, { help: string }>} options */
const measure = async (options) => {
  prepare();
  // Asks a driver of a package that may just have been built.
  const { describeSqlite } = await import("./contenders/sqlite.mjs");
  const machine = describeMachine(describeSqlite());
  const say = (/** @type {string} */ text) => void (options.json || process.stdout.write(text));
  say(`${formatMachine(machine)}\n`);

  const chosen = rows.filter(({ name }) => options.names.includes(name));
  const reported = await withDatabases(chosen, async (databases) => {
    const reports = [];
    for (const [place, row] of chosen.entries()) {
      const where = `[${place + 1}/${chosen.length}] ${row.name}: `;
      const { lanes } = row;
      const scores = await withDirectory((directory) =>
        hold(
          { contenders: row.contenders(directory, databases.get(row)), ...(lanes === undefined ? {} : { lanes }) },
          options.short ? SHORT : FULL,
          (text) => progress(where + text),
          options.profile === undefined ? {} : { profile: options.profile },
        ),
      );
      const verdict = row.judge((name) => {
        const found = scores.find((score) => score.name === name);
        if (found === undefined) throw new Error(`${row.name} has no contender ${name}`);
        return found;
      });
      clearProgress();
      say(formatRow(row, scores, verdict));
      reports.push(reportRow(row, scores, verdict));
    }
    return reports;
  });

  const report = { machine: { ...machine, loadAtEnd: loadNow() }, rows: reported };
  if (options.compare) (options.json ? process.stderr : process.stdout).write(compare(report));
  const isWhole = reported.length === rows.length && !options.short && options.profile === undefined;
  if (isWhole) process.stderr.write(`written to ${save(report)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
};

try {
  const options = readOptions(process.argv.slice(2), rows);
  if ("help" in options) process.stdout.write(options.help);
  else if (options.writeDocs) writeDocs(rows);
  else await measure(options);
} catch (error) {
  clearProgress();
  const { message, stack } = /** @type {Error} */ (error);
  process.stderr.write(`bench: ${error instanceof UsageError ? message : process.env["DEBUG"] ? stack : message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
