import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rounded } from "./figures.mjs";

/**
 * @typedef {import("./contest.mjs").Score} Score
 * @typedef {{ text: string, measured: string, met: boolean }} Goal
 * @typedef {{ name: string, perSecond: number, cpuMicros: number, memoryMb: number, bytesPerSession?: number } & Partial<import("./latency.mjs").Latency>} Figures
 * @typedef {Figures & { ours?: string, peers: Figures[], ratio: number, target: string, met: boolean, goals?: Goal[], notes?: string[], seconds?: number, machine?: Record<string, any> }} ReportRow
 *   `name` is the row's, `ours` that of the contender whose figures these are (older results do not tell); `seconds` is how long the row took; `machine` tells where and when the row was measured
 * @typedef {{ machine: Record<string, any>, rows: ReportRow[] }} Report
 */

const latest = fileURLToPath(new URL("results/latest.json", import.meta.url));

/** @returns {Report} the figures that are kept, each row as it was measured last */
export const readLatest = () => JSON.parse(readFileSync(latest, "utf8"));

/** @param {Score} score @returns {Figures} */
const figures = ({ name, perSecond, cpuMicros, memoryMb, bytesPerSession, p50Micros, p99Micros }) => ({
  name,
  perSecond: rounded(perSecond, 4),
  cpuMicros: rounded(cpuMicros, 4),
  ...(p50Micros === undefined || p99Micros === undefined
    ? {}
    : { p50Micros: rounded(p50Micros, 4), p99Micros: rounded(p99Micros, 4) }),
  memoryMb: Math.round(memoryMb),
  ...(bytesPerSession === undefined ? {} : { bytesPerSession }),
});

/**
 * A row of the report: ours first, the others as peers.
 * @param {{ name: string, growth?: true }} row
 * @param {Score[]} scores
 * @param {import("./rows.mjs").Verdict} verdict
 * @param {number} millis how long it took
 * @returns {ReportRow}
 */
export const reportRow = ({ name, growth }, scores, { ratio, goals, notes }, millis) => {
  const [ours, ...peers] = /** @type {[Score, ...Score[]]} */ (scores);
  return {
    ...figures(ours),
    name,
    ours: ours.name,
    // Of a store that grows every figure is a peer of itself: the row's own name says nothing of its size.
    peers: (growth ? scores : peers).map(figures),
    ratio: rounded(ratio, 4),
    target: goals.map(({ text }) => text).join("; "),
    met: goals.every(({ met }) => met),
    goals,
    ...(notes === undefined ? {} : { notes }),
    seconds: Math.round(millis / 1000),
  };
};

/**
 * Keeps what a run measured, each row with its machine and moment; rows that it did not measure stay as they are.
 * @param {Report} report
 */
export const save = ({ machine, rows }) => {
  const before = readLatest();
  const measured = rows.map((row) => ({ ...row, machine }));
  const names = new Set(rows.map(({ name }) => name));
  const kept = before.rows
    .filter(({ name }) => !names.has(name))
    .map((row) => ({ ...row, machine: row.machine ?? before.machine }));
  writeFileSync(latest, `${JSON.stringify({ machine, rows: [...kept, ...measured] }, undefined, 2)}\n`);
};
