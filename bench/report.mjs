import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatMemory, formatMicros, formatRate, formatRatio, rounded } from "./figures.mjs";
import { git } from "./machine.mjs";

/**
 * @typedef {import("./contest.mjs").Score} Score
 * @typedef {{ text: string, measured: string, met: boolean }} Goal
 * @typedef {{ name: string, perSecond: number, cpuMicros: number, memoryMb: number, bytesPerSession?: number }} Figures
 * @typedef {Figures & { peers: Figures[], ratio: number, target: string, met: boolean, machine?: Record<string, any> }} ReportRow
 *   `machine` tells where and when the row was measured
 * @typedef {{ machine: Record<string, any>, rows: ReportRow[] }} Report
 */

const latest = fileURLToPath(new URL("results/latest.json", import.meta.url));
const docs = fileURLToPath(new URL("../docs/reference/performance.md", import.meta.url));

/** @param {Score} score @returns {Figures} */
const figures = ({ name, perSecond, cpuMicros, memoryMb, bytesPerSession }) => ({
  name,
  perSecond: rounded(perSecond, 4),
  cpuMicros: rounded(cpuMicros, 4),
  memoryMb: Math.round(memoryMb),
  ...(bytesPerSession === undefined ? {} : { bytesPerSession }),
});

/**
 * A row of the report: ours first, the others as peers.
 * @param {{ name: string, growth?: true }} row
 * @param {Score[]} scores
 * @param {{ ratio: number, goals: Goal[] }} verdict
 * @returns {ReportRow}
 */
export const reportRow = ({ name, growth }, scores, { ratio, goals }) => {
  const [ours, ...peers] = /** @type {[Score, ...Score[]]} */ (scores);
  return {
    ...figures(ours),
    name,
    // Of a store that grows every figure is a peer of itself: the row's own name says nothing of its size.
    peers: (growth ? scores : peers).map(figures),
    ratio: rounded(ratio, 4),
    target: goals.map(({ text }) => text).join("; "),
    met: goals.every(({ met }) => met),
  };
};

/** @param {string[][]} lines the first one the heads; the first column is text, the others are numbers */
const columns = (lines) => {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("   "),
    )
    .join("\n");
};

/**
 * The table of one row for a terminal.
 * @param {{ name: string, title: string }} row
 * @param {Score[]} scores
 * @param {{ goals: Goal[] }} verdict
 */
export const formatRow = ({ name, title }, scores, { goals }) => {
  const ours = /** @type {Score} */ (scores[0]);
  const table = columns([
    ["", "CPU per operation", "compared", "per second", "memory"],
    ...scores.map((score) => [
      score.name,
      formatMicros(score.cpuMicros),
      score === ours ? "1" : formatRatio(score.cpuMicros / ours.cpuMicros),
      formatRate(score.perSecond),
      formatMemory(score.memoryMb),
    ]),
  ]);
  const judged = goals.map(({ text, measured, met }) => `  ${met ? "met    " : "NOT met"}  ${text}: ${measured}`);
  return `\n${name}: ${title}\n\n${table.replaceAll(/^/gm, "  ")}\n\n${judged.join("\n")}\n`;
};

/** @param {Report["machine"]} machine */
export const formatMachine = (machine) =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, SQLite ${machine.sqlite}, ` +
  `commit ${machine.commit}, ${machine.date.slice(0, 16).replace("T", " ")} UTC, load ${machine.loadAtStart}${machine.loadAtEnd === undefined ? "" : ` to ${machine.loadAtEnd}`}`;

/**
 * Keeps what a run measured, each row with its machine and moment; rows that it did not measure stay as they are.
 * @param {Report} report
 * @returns {string} where it was written
 */
export const save = ({ machine, rows }) => {
  const before = /** @type {Report} */ (JSON.parse(readFileSync(latest, "utf8")));
  const measured = rows.map((row) => ({ ...row, machine }));
  const names = new Set(rows.map(({ name }) => name));
  const kept = before.rows
    .filter(({ name }) => !names.has(name))
    .map((row) => ({ ...row, machine: row.machine ?? before.machine }));
  const text = `${JSON.stringify({ machine, rows: [...kept, ...measured] }, undefined, 2)}\n`;
  const name = `${machine["date"].slice(0, 10)}-${machine["commit"].replace("+", "")}.json`;
  mkdirSync(new URL("results/", import.meta.url), { recursive: true });
  writeFileSync(new URL(`results/${name}`, import.meta.url), text);
  writeFileSync(latest, text);
  return `bench/results/${name}`;
};

/**
 * What moved against the result that the last commit holds.
 * @param {Report} report
 */
export const compare = (report) => {
  const committed = git("show", "HEAD:./results/latest.json");
  if (committed === "") return "no committed result to compare with\n";
  const before = /** @type {Report} */ (JSON.parse(committed));
  const lines = report.rows.flatMap((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    if (old === undefined) return [[row.name, "new", "", "", ""]];
    return [
      [
        row.name,
        formatMicros(old.cpuMicros),
        formatMicros(row.cpuMicros),
        change(row.cpuMicros, old.cpuMicros),
        `${formatRatio(old.ratio)} → ${formatRatio(row.ratio)}`,
      ],
    ];
  });
  const heading = `against ${before.machine.commit} of ${before.machine.date.slice(0, 10)}, CPU per operation:`;
  return `\n${heading}\n\n${columns([["", "then", "now", "change", "ratio"], ...lines])}\n`;
};

/** @param {number} now @param {number} then */
const change = (now, then) => `${now >= then ? "+" : ""}${Math.round((now / then - 1) * 100)} %`;

const BEGIN = "<!-- table of the last run: begin -->";
const END = "<!-- table of the last run: end -->";

/**
 * Puts the table of the last full run between the marks of the documentation page.
 * @param {readonly import("./rows.mjs").Row[]} rows
 */
export const writeDocs = async (rows) => {
  /** @type {Report} */
  const report = JSON.parse(readFileSync(latest, "utf8"));
  // Loaded here: it needs packages that only this folder has.
  const { writeCapacityPage } = await import("./capacity-page.mjs");
  await writeCapacityPage(report);
  const tables = report.rows
    .filter(({ name }) => !name.startsWith("growth-"))
    .map((row) => {
      const { title, ours } = rows.find(({ name }) => name === row.name) ?? { title: "", ours: row.name };
      const lines = [{ ...row, name: `**${ours}**` }, ...row.peers].map(
        ({ name, cpuMicros, perSecond }) => `| ${name} | ${formatMicros(cpuMicros)} | ${formatRate(perSecond)} |`,
      );
      const where = formatMachine(row.machine ?? report.machine);
      const verdict = `Target: ${row.target}. **${row.met ? "Met" : "Not met"}**, ratio ${rounded(row.ratio)}, memory ${row.memoryMb} MB.\n\n${where}.`;
      return `### \`${row.name}\`: ${title}\n\n| | CPU per operation | per second |\n|---|--:|--:|\n${lines.join("\n")}\n\n${verdict}`;
    });
  const page = readFileSync(docs, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`docs/reference/performance.md has lost its marks: ${BEGIN} … ${END}`);
  writeFileSync(docs, `${before}${BEGIN}\n\n${tables.join("\n\n")}\n\n${END}${after}`);
};
