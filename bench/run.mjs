import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hold } from "./contest.mjs";
import { databases, requirePrograms } from "./databases.mjs";
import { grow } from "./growth.mjs";
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
 * A server of its own for a row that needs one.
 * @template T
 * @param {import("./rows.mjs").Row} row
 * @param {(database?: import("./databases.mjs").Database) => Promise<T>} use
 */
const withDatabase = async ({ database: kind }, use) => {
  const database = kind && (await databases[kind].start());
  try {
    return await use(database);
  } finally {
    await database?.stop();
  }
};

/**
 * @typedef {Exclude<ReturnType<typeof readOptions>, { help: string }>} Options
 *
 * @param {import("./rows.mjs").Row} row
 * @param {{ directory: string, database: import("./databases.mjs").Database | undefined, options: Options, tell: (text: string) => void }} using
 */
const scoresOf = async (row, { directory, database, options, tell }) => {
  if (row.growth)
    return grow(
      { url: database?.storeUrl("growth") ?? `sqlite:${directory}/growth.db`, directory, database },
      options.short,
      tell,
    );
  const { contenders, lanes } = row;
  return hold(
    { contenders: contenders(directory, database), ...(lanes === undefined ? {} : { lanes }) },
    options.short ? SHORT : FULL,
    tell,
    options.profile === undefined ? {} : { profile: options.profile },
  );
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
  await requirePrograms(chosen.flatMap(({ database }) => database ?? []));
  const reported = [];
  for (const [place, row] of chosen.entries()) {
    const tell = (/** @type {string} */ text) => progress(`[${place + 1}/${chosen.length}] ${row.name}: ${text}`);
    const scores = await withDirectory((directory) =>
      withDatabase(row, (database) => scoresOf(row, { directory, database, options, tell })),
    );
    const verdict = row.judge((name) => {
      const found = scores.find((score) => score.name === name);
      if (found === undefined) throw new Error(`${row.name} has no contender ${name}`);
      return found;
    }, scores);
    clearProgress();
    say(formatRow(row, scores, verdict));
    reported.push(reportRow(row, scores, verdict));
  }

  const report = { machine: { ...machine, loadAtEnd: loadNow() }, rows: reported };
  if (options.compare) (options.json ? process.stderr : process.stdout).write(compare(report));
  if (!options.short && options.profile === undefined) process.stderr.write(`written to ${save(report)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
};

try {
  const options = readOptions(process.argv.slice(2), rows);
  if ("help" in options) process.stdout.write(options.help);
  else if (options.writeDocs) await writeDocs(rows);
  else await measure(options);
} catch (error) {
  clearProgress();
  const { message, stack } = /** @type {Error} */ (error);
  process.stderr.write(`bench: ${error instanceof UsageError ? message : process.env["DEBUG"] ? stack : message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
