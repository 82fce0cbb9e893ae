import { readFileSync } from "node:fs";
import { type Metric, metricNames, metrics, prometheusName } from "@pawl/engine/telemetry";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../../../docs/operate/metrics.md", import.meta.url), "utf8");

test("docs/operate/metrics.md has a row for each metric of the table, and no other", () => {
  const rows = metricNames.map((name) => {
    const { kind, unit, help, labels }: Metric = metrics[name];
    const named = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${prometheusName(name)}\` | \`${name}\` | ${kind} | ${unit === "s" ? "seconds" : unit.slice(1, -1)} | ${named} | ${help} |`;
  });
  expect(page.match(/^\| `pawl_.*$/gm)).toEqual(rows);
});
