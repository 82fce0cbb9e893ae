import { formatMicros, formatRate, formatRatio } from "./figures.mjs";
import { git, momentOf } from "./machine.mjs";
import { columns } from "./tables.mjs";

/** @typedef {import("./report.mjs").ReportRow} ReportRow @typedef {import("./report.mjs").Report} Report */

/** @param {number} now @param {number} then */
const change = (now, then) => `${now >= then ? "+" : ""}${Math.round((now / then - 1) * 100)} %`;

const verdict = (/** @type {ReportRow} */ { met }) => (met ? "met" : "NOT met");

/** Whose figures a row's are; of a store that grows those of its largest size, which is smaller in a short run. */
const subjectOf = (/** @type {ReportRow} */ { name, ours, peers }) =>
  name.startsWith("growth-") ? peers[0]?.name : ours;

/** Contenders that the committed row does not have. */
const newIn = (/** @type {ReportRow} */ row, /** @type {ReportRow} */ old) => {
  const known = [old.ours ?? row.ours, ...old.peers.map(({ name }) => name)];
  return [row.ours, ...row.peers.map(({ name }) => name)].filter((name) => !known.includes(name));
};

/** What makes figures of then and now differ, besides the code. */
const circumstances = (
  /** @type {Record<string, any>} */ then,
  /** @type {Record<string, any>} */ now,
  /** @type {{ target: string }[]} */ [old, row],
) => {
  const others = ["cpu", "cores", "node"].filter((key) => then[key] !== now[key]);
  return [
    ...(others.length > 0
      ? [`on another machine (${others.map((key) => `${then[key]}`).join(", ")}), so look at the ratio`]
      : []),
    ...(old?.target === row?.target ? [] : ["its goals were others"]),
  ];
};

/**
 * What moved against the result that the last commit holds: only rows that this run measured.
 * @param {Report} report
 * @param {{ short: boolean }} options
 */
export const compare = ({ machine, rows }, { short }) => {
  const committed = git("show", "HEAD:./results/latest.json");
  if (committed === "") return "\nno committed result to compare with\n";
  const before = /** @type {Report} */ (JSON.parse(committed));
  /** @type {string[]} */
  const remarks = [];
  const lines = rows.flatMap((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    if (old === undefined) {
      remarks.push(`${row.name}: not in the committed result`);
      return [];
    }
    const added = newIn(row, old);
    const isNew = added.length > 0 ? [`new: ${added.join(", ")}`] : [];
    const subject = subjectOf(old);
    if (subject !== undefined && subject !== subjectOf(row)) {
      remarks.push([`${row.name}: not comparable, then it was about ${subject}`, ...isNew].join("; "));
      return [];
    }
    const then = old.machine ?? before.machine;
    const more = [...circumstances(then, machine, [old, row]), ...isNew];
    remarks.push([`${row.name}: then is ${then["commit"]} of ${momentOf(then)}`, ...more].join("; "));
    return [
      [
        row.name,
        formatMicros(old.cpuMicros),
        formatMicros(row.cpuMicros),
        change(row.cpuMicros, old.cpuMicros),
        formatRate(old.perSecond),
        formatRate(row.perSecond),
        change(row.perSecond, old.perSecond),
        `${formatRatio(old.ratio)} → ${formatRatio(row.ratio)}`,
        `${verdict(old)} → ${verdict(row)}`,
      ],
    ];
  });
  const heads = ["", "CPU then", "now", "change", "per second then", "now", "change", "ratio", "goals"];
  const table = lines.length === 0 ? "" : `${columns([heads, ...lines])}\n\n`;
  const caution = short ? "This run was a short one: a first look, not a measurement.\n" : "";
  return `\nagainst the committed result\n\n${table}${remarks.join("\n")}\n${caution}`;
};
