import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, whyMissing } from "@pawl/test-servers";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { listen, testFolder } from "../listening-core.js";

const operate = new URL("../../../../docs/operate/", import.meta.url).pathname;
const read = (name: string): string => readFileSync(operate + name, "utf8");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly runbook: string };
}
const { groups } = parse(read("alerts.yaml")) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap(({ rules: ofGroup }) => ofGroup);

interface Board {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}
const board = JSON.parse(read("grafana.json")) as Board;
const queries = board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

test("docs/operate/alerts.md has a heading for each alert, and no other", () => {
  const headings = [...read("alerts.md").matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(rules.map(({ alert }) => alert));
  for (const { alert, annotations, labels } of rules) {
    expect(annotations.runbook).toBe(`docs/operate/alerts.md#${alert.toLowerCase()}`);
    expect(["page", "ticket"]).toContain(labels.severity);
  }
});

test("rules and board ask for metrics, labels and values that a core has", async () => {
  const core = await listen();
  await core.send("POST", "/v1/sessions", { body: { userId: "alice" } });
  await core.send("GET", "/nowhere");
  const { text } = await core.send("GET", "/metrics");
  // The labels of counters that have counted nothing yet stand on the page that is held equal to the table.
  const page = read("metrics.md");
  const told = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = "", kind]) =>
      kind === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
  const asked = [...queries, ...rules.map(({ expr }) => expr)];
  const names = asked.flatMap((expr) => expr.match(/\b(?:pawl|nodejs|process)_\w+/g) ?? []);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !told.has(name))).toEqual([]);
  const labels = asked.flatMap((expr) => [
    ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", ")),
    ...[...expr.matchAll(/(\w+)[!=]~?"/g)].map(([, label = ""]) => label),
  ]);
  const known = new Set(["job", "instance", "le", ...[...page.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word)]);
  expect(labels.filter((label) => !known.has(label))).toEqual([]);
  const values = asked.flatMap((expr) =>
    [...expr.matchAll(/[!=]~?"([a-z_|]+)"/g)].flatMap(([, list = ""]) => list.split("|")),
  );
  expect(
    values.filter((value) => value !== "pawl" && !new RegExp(`\`${value}\``).test(page) && value !== "invalid_record"),
  ).toEqual([]);
});

const noPromtool = whyMissing("promtool");
if (noPromtool !== undefined) process.stderr.write(`The alert rules are not run: ${noPromtool}\n`);

const promtool = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(findProgram("promtool"), args, { encoding: "utf8" });
  return { status, said: stdout + stderr };
};

test.skipIf(noPromtool !== undefined)(
  "Prometheus takes the rules, and each fires when it has to, and only then",
  async () => {
    expect(promtool("check", "rules", `${operate}alerts.yaml`)).toMatchObject({ status: 0 });
    expect(promtool("test", "rules", `${operate}alerts.test.yaml`)).toMatchObject({ status: 0 });
    const tests = read("alerts.test.yaml");
    for (const { alert } of rules)
      for (const how of ["fires", "is silent"]) expect(tests).toContain(`name: ${alert} ${how}\n`);
    // The test itself can fail: rules that never fire.
    const folder = await testFolder();
    copyFileSync(`${operate}alerts.test.yaml`, join(folder, "alerts.test.yaml"));
    const silent = rules.map((rule) => ({ ...rule, expr: `(${rule.expr}) and on() vector(1) == 2` }));
    writeFileSync(join(folder, "alerts.yaml"), JSON.stringify({ groups: [{ name: "silent", rules: silent }] }));
    const { status, said } = promtool("test", "rules", join(folder, "alerts.test.yaml"));
    expect(status).toBe(1);
    for (const { alert } of rules) expect(said).toContain(`name: ${alert} fires`);
  },
);

test.skipIf(noPromtool !== undefined)("each query of the board is PromQL", async () => {
  const folder = await testFolder();
  const asRules = queries.map((query, place) => ({
    record: `board:query_${place}`,
    expr: query.replaceAll("$__rate_interval", "5m").replaceAll("$job", "pawl"),
  }));
  writeFileSync(join(folder, "board.yaml"), JSON.stringify({ groups: [{ name: "board", rules: asRules }] }));
  expect(promtool("check", "rules", join(folder, "board.yaml"))).toMatchObject({ status: 0 });
});
