import { formatLatency, formatMemory, formatMicros, formatRate, formatRatio } from "./figures.mjs";

/** @param {string[][]} lines the first one the heads; the first column is text, the others are numbers */
export const columns = (lines) => {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
};

/**
 * Figures as cells, with their heads: columns of latency only where it was measured.
 * @template {import("./report.mjs").Figures} F
 * @param {readonly F[]} all ours first
 * @returns {string[][]} the heads, then a line for each
 */
export const cellsOf = (all) => {
  const hasLatency = all.some(({ p50Micros }) => p50Micros !== undefined);
  const ours = /** @type {F} */ (all[0]);
  return [
    ["", "CPU per operation", "compared", "per second", ...(hasLatency ? ["p50", "p99"] : []), "memory"],
    ...all.map((one) => [
      one.name,
      formatMicros(one.cpuMicros),
      one === ours ? "1" : formatRatio(one.cpuMicros / ours.cpuMicros),
      formatRate(one.perSecond),
      ...(hasLatency ? [formatLatency(one.p50Micros), formatLatency(one.p99Micros)] : []),
      one.memoryMb === 0 ? "–" : formatMemory(one.memoryMb),
    ]),
  ];
};

/**
 * The table of one row for a terminal.
 * @param {{ name: string, title: string }} row
 * @param {import("./contest.mjs").Score[]} scores
 * @param {import("./rows.mjs").Verdict} verdict
 */
export const formatRow = ({ name, title }, scores, { goals, notes = [] }) => {
  const judged = [
    ...goals.map(({ text, measured, met }) => `  ${met ? "met    " : "NOT met"}  ${text}: ${measured}`),
    ...notes.map((note) => `           ${note}`),
  ];
  return `\n${name}: ${title}\n\n${columns(cellsOf(scores)).replaceAll(/^/gm, "  ")}\n\n${judged.join("\n")}\n`;
};
