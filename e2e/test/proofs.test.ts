import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const prove = (...parameters: readonly string[]) =>
  spawnSync(process.execPath, ["prove/run.mjs", ...parameters], { cwd: root, encoding: "utf8" });

test("npm run prove prints the figures of the proofs that are named, and with --json nothing else", () => {
  const { status, stdout } = prove("substitutions", "listing", "--short", "--json");
  const { figures } = JSON.parse(stdout) as { readonly figures: readonly object[] };
  const figure = { count: expect.any(Number), failures: 0, seconds: expect.any(Number), note: expect.any(String) };
  expect(figures).toEqual([
    { name: "substitutions", ...figure },
    { name: "listing", ...figure },
  ]);
  expect(status).toBe(0);
}, 60_000);

test.each([
  [["nothing", "listing"], /^unknown proof nothing; there are: .*\blisting\b/],
  [["--sed", "1"], /^Unknown option '--sed'; see npm run prove -- --help$/m],
  [["--seed", "x"], /^--seed must be a whole number, not x$/m],
])("npm run prove %j is refused in one line", (parameters, message) => {
  const { status, stdout, stderr } = prove(...parameters, "--json");
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect([status, stdout]).toEqual([2, ""]);
});
