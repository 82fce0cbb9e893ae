import { writeFileSync } from "node:fs";
import { formatMicros, rounded } from "./figures.mjs";
import { formatMachine } from "./machine.mjs";
import { docs, replaceMarked } from "./marked-page.mjs";
import { draw, ink } from "./plot.mjs";
import { isOtherLevel } from "./storage-rows.mjs";
import { cellsOf } from "./tables.mjs";

/**
 * @typedef {import("./report.mjs").ReportRow} ReportRow
 * @typedef {ReportRow & { title: string, all: import("./report.mjs").Figures[] }} TitledRow `all` is ours first
 */

const table = (/** @type {TitledRow} */ { all }) => {
  const [heads = [], ...lines] = cellsOf(all);
  const [first = [], ...rest] = lines;
  const text = [heads, heads.map((_, i) => (i === 0 ? "---" : "--:")), [`**${first[0]}**`, ...first.slice(1)], ...rest];
  return text.map((line) => `| ${line.join(" | ")} |`).join("\n");
};

const section = (/** @type {TitledRow} */ row, /** @type {Record<string, any>} */ machine) => {
  const { name, title, ratio, met, target, goals, notes = [] } = row;
  const asked = goals?.map((goal) => `${goal.text}: ${goal.measured}, ${goal.met ? "met" : "**not met**"}`);
  const verdict = `Target: ${asked?.join("; ") ?? `${target}: ${met ? "met" : "**not met**"}`}. Ratio ${rounded(ratio)}.`;
  const more = notes.length > 0 ? `\n\nPawl ${notes.join(", ")}.` : "";
  return `### \`${name}\`: ${title}\n\n${table(row)}\n\n${verdict}${more}\n\n${formatMachine(machine)}.`;
};

/** Room for the names of contenders, in pixels. */
const LABELS = 340;
const bar = /** @type {const} */ ({ type: "bar", height: 11 });
const label = /** @type {const} */ ({ type: "text", align: "left", dx: 4, color: ink.text });
const heading = /** @type {const} */ ({
  anchor: "start",
  frame: "group",
  dx: -LABELS,
  fontSize: 13,
  subtitleFontSize: 11,
  limit: 0,
});

/** @param {TitledRow} row */
const panel = ({ name, title, all }) => {
  const values = all
    .filter((one) => !isOtherLevel(one.name))
    .map((one, place) => ({
      name: one.name,
      cpu: one.cpuMicros,
      label: formatMicros(one.cpuMicros),
      isOurs: place === 0 || one.name.includes("@pawl/"),
    }));
  const y = /** @type {const} */ ({
    field: "name",
    type: "nominal",
    sort: null,
    axis: { title: null, domain: false, ticks: false, labelLimit: 0, minExtent: LABELS, maxExtent: LABELS },
  });
  const x = /** @type {const} */ ({ field: "cpu", type: "quantitative", axis: null });
  return {
    title: { text: name, subtitle: title, ...heading },
    width: 440,
    height: { step: 17 },
    data: { values },
    encoding: { y, x },
    layer: [
      {
        mark: bar,
        encoding: { color: { condition: { test: "datum.isOurs", value: ink.ours }, value: ink.plain } },
      },
      { mark: label, encoding: { text: { field: "label" } } },
    ],
  };
};

/**
 * Puts the figures that were measured last into `docs/reference/performance.md`, and their plot beside it.
 * @param {import("./report.mjs").Report} report
 * @param {readonly import("./rows.mjs").Row[]} rows
 */
export const writePerformancePage = async (report, rows) => {
  const measured = rows.flatMap((row) => {
    const found = row.growth ? undefined : report.rows.find(({ name }) => name === row.name);
    return found === undefined
      ? []
      : [{ ...found, title: row.title, all: [{ ...found, name: found.ours ?? row.ours }, ...found.peers] }];
  });
  const plot = await draw({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    padding: 8,
    spacing: 18,
    vconcat: measured.map(panel),
    resolve: { scale: { x: "independent", y: "independent" } },
  });
  writeFileSync(docs("reference/performance.svg"), plot);
  const sections = measured.map((row) => section(row, row.machine ?? report.machine));
  const picture = "![CPU per operation of Pawl and its peers, a panel for each row](performance.svg)";
  replaceMarked("reference/performance.md", "table of the last run", [picture, ...sections].join("\n\n"));
};
