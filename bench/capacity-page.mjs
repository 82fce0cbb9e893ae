import { writeFileSync } from "node:fs";
import { growthOf, REFRESH } from "./growth.mjs";
import { formatMachine } from "./machine.mjs";
import { docs, replaceMarked } from "./marked-page.mjs";
import { draw } from "./plot.mjs";

const count = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** @typedef {ReturnType<typeof growthOf>[number] & { storage: string }} Point */

/** @param {readonly Point[]} points */
const plot = (points) =>
  draw({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 560,
    height: 300,
    data: { values: points.filter(({ operation }) => operation === REFRESH) },
    mark: { type: "line", point: true },
    encoding: {
      x: {
        field: "size",
        type: "quantitative",
        scale: { type: "log" },
        axis: { title: "sessions in the store", format: "~s" },
      },
      y: {
        field: "perSecond",
        type: "quantitative",
        scale: { zero: true },
        axis: { title: "refreshes per second", format: "~s" },
      },
      color: { field: "storage", type: "nominal", title: null },
    },
  });

const micros = (/** @type {number} */ perSecond) => `${count.format(1e6 / perSecond)} µs`;

/** @param {readonly Point[]} points */
const table = (points) => {
  const storages = [...new Set(points.map(({ storage }) => storage))];
  const sections = storages.map((storage) => {
    const own = points.filter((point) => point.storage === storage);
    const sizes = [...new Set(own.map(({ size }) => size))].toSorted((a, b) => a - b);
    const operations = [...new Set(own.map(({ operation }) => operation))];
    const head = `| ${storage} | ${sizes.map((size) => `${count.format(size)} sessions`).join(" | ")} |`;
    const lines = operations.map((operation) => {
      const cells = sizes.map((size) => {
        const point = own.find((one) => one.operation === operation && one.size === size);
        if (point === undefined) return "";
        return /in flight/.test(operation) ? `${count.format(point.perSecond)}/s` : micros(point.perSecond);
      });
      return `| ${operation} | ${cells.join(" | ")} |`;
    });
    const bytes = sizes.map((size) => {
      const taken = own.find((one) => one.size === size && one.bytesPerSession !== undefined)?.bytesPerSession;
      return taken === undefined ? "" : `${count.format(taken)}`;
    });
    return `${head}\n|---|${sizes.map(() => "--:").join("|")}|\n${lines.join("\n")}\n| bytes a session, with its indexes | ${bytes.join(" | ")} |`;
  });
  return sections.join("\n\n");
};

/**
 * What the measured figures come to for a store of so many sessions and so many refreshes a second.
 * @param {readonly Point[]} points
 * @param {import("./report.mjs").Report} report
 */
const model = (points, report) => {
  const SESSIONS = 100_000_000;
  const REFRESHES = 30_000;
  const core = report.rows.find(({ name }) => name === "core-postgres");
  const cpu = core?.cpuMicros;
  const lines = [
    `| | ${count.format(SESSIONS)} sessions, ${count.format(REFRESHES)} refreshes a second |`,
    "|---|---|",
  ];
  if (cpu !== undefined)
    lines.push(
      `| Core nodes | ${count.format(cpu)} µs of CPU a refresh (\`core-postgres\`, ES256) × ${count.format(REFRESHES)} = ${count.format((cpu * REFRESHES) / 1e6)} cores busy; at 60 % load ${Math.ceil((cpu * REFRESHES) / 1e6 / 0.6)} cores, two to a node: ${Math.ceil((cpu * REFRESHES) / 1e6 / 0.6 / 2)} nodes |`,
    );
  for (const storage of new Set(points.map((point) => point.storage))) {
    const own = points.filter((point) => point.storage === storage);
    const largest = own.filter(({ operation }) => operation === REFRESH).toSorted((a, b) => b.size - a.size)[0];
    const bytes = own
      .filter(({ bytesPerSession }) => bytesPerSession !== undefined)
      .toSorted((a, b) => b.size - a.size)[0]?.bytesPerSession;
    if (largest === undefined || bytes === undefined) continue;
    const gigabytes = (bytes * SESSIONS) / 1e9;
    const shards = Math.ceil(REFRESHES / largest.perSecond);
    lines.push(
      `| ${storage} | ${count.format(bytes)} bytes × ${count.format(SESSIONS)} = ${count.format(gigabytes)} GB; ${count.format(largest.perSecond)} refreshes a second at ${count.format(largest.size)} sessions on this machine, client included: ${count.format(REFRESHES)} take ${shards} such machines' worth |`,
    );
  }
  return lines.join("\n");
};

/**
 * Puts the growth figures that were measured last into `docs/operate/capacity.md`, and their plot beside it.
 * @param {import("./report.mjs").Report} report
 */
export const writeCapacityPage = async (report) => {
  const machines = new Set(
    report.rows
      .filter(({ name }) => name.startsWith("growth-"))
      .map(({ machine }) => formatMachine(machine ?? report.machine)),
  );
  const points = report.rows
    .filter(({ name }) => name.startsWith("growth-"))
    .flatMap((row) => growthOf(row).map((point) => ({ ...point, storage: row.name.slice("growth-".length) })));
  writeFileSync(docs("operate/growth.svg"), await plot(points));
  const text = `${[...machines].join("; ")}.\n\n![Refreshes per second as the store grows](growth.svg)\n\n${table(points)}\n\n## For a hundred million\n\n${model(points, report)}`;
  replaceMarked("operate/capacity.md", "figures of the last run", text);
};
