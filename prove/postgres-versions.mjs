// The tests of the PostgreSQL adapter on other versions of the server than the one that is installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;

/** Newest first. */
const versions = ["18", "17", "16"];

/**
 * Vitest's report.
 * @typedef {object} Report
 * @property {boolean} success
 * @property {number} numFailedTests
 * @property {number} numPassedTests
 * @property {{ assertionResults: { status: string, fullName: string }[] }[]} testResults
 */

/** What needs nothing but the server itself: these binaries come without `pg_basebackup`. */
const files = ["storage", "pgbouncer", "nodes", "feed", "query-plan"];

/** @type {import("./proofs.mjs").Run} */
export const postgresVersions = async (count, _seed, progress) => {
  if (process.platform !== "linux" || process.arch !== "x64")
    return { count: 0, failures: 0, note: "there are binaries for Linux on x64 only" };
  const folder = mkdtempSync(join(tmpdir(), "pawl-versions-"));
  const notes = [];
  let failures = 0;
  for (const [done, version] of versions.slice(0, count).entries()) {
    const server = `${root}prove/postgres-versions/node_modules/postgres-${version}/native/bin/postgres`;
    const outcome = join(folder, `${version}.json`);
    const tests = files.map((name) => `packages/storage-postgres/test/${name}.test.ts`);
    spawnSync("npx", ["vitest", "run", ...tests, "--reporter=json", `--outputFile=${outcome}`], {
      cwd: root,
      env: { ...process.env, PAWL_POSTGRES: server },
      stdio: "ignore",
    });
    /** @type {Report | undefined} */
    const told = existsSync(outcome) ? JSON.parse(readFileSync(outcome, "utf8")) : undefined;
    const passed = told?.success === true && told.numFailedTests === 0 && told.numPassedTests > 0;
    if (!passed) failures += 1;
    const { stdout } = spawnSync(server, ["--version"], { encoding: "utf8" });
    const failed = (told?.testResults ?? [])
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === "failed")
      .map(({ fullName }) => ` "${fullName}"`);
    notes.push(
      `${stdout?.trim().split(" ").at(-1)}: ${told?.numPassedTests ?? 0} passed, failed:${failed.join() || (passed ? " none" : " all")}`,
    );
    progress(done + 1);
  }
  rmSync(folder, { recursive: true });
  return { count: Math.min(count, versions.length), failures, note: notes.join("; ") };
};
