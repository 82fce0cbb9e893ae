import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, test, vi } from "vitest";

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

test("a proof whose process is killed has failed, and the next one is carried out by another", async () => {
  const running = spawn(process.execPath, ["prove/run.mjs", "thefts", "sockets-memory", "--short", "--json"], {
    cwd: root,
  });
  const stdout = text(running.stdout);
  const prover = await vi.waitFor(
    () => {
      const [found = 0] = spawnSync("pgrep", ["-P", String(running.pid)], { encoding: "utf8" }).stdout.split("\n");
      expect(Number(found)).toBeGreaterThan(0);
      return Number(found);
    },
    { timeout: 20_000, interval: 5 },
  );
  process.kill(prover, "SIGKILL");
  const { figures } = JSON.parse(await stdout) as { readonly figures: readonly object[] };
  expect(figures).toMatchObject([
    { name: "thefts", failures: 1, note: "not carried out: its process ended with SIGKILL" },
    { name: "sockets-memory", failures: 0 },
  ]);
  expect(running.exitCode ?? 1).toBe(1);
}, 60_000);
