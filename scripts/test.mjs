// `npm test`: sets up what the tests need, builds, runs them all, and ends with one line "N passed, N failed".
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { build, installPackageOf, run } from "./run.mjs";

const root = new URL("..", import.meta.url);
/** What tests need and `npm ci` does not bring, as environment variables that name it. */
const findPrograms = async () => {
  run("npx", "tsc", "-b", "packages/test-servers");
  const { findOrInstallPrograms } = await import("../packages/test-servers/dist/index.js");
  try {
    return findOrInstallPrograms((titles) =>
      console.error(`Installing from Debian's packages, for the tests: ${titles.join(", ")} …`),
    );
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exit(1);
  }
};
const report = new URL("artifacts/test.json", root).pathname;

const programs = await findPrograms();
for (const folder of ["e2e", "examples/login"]) installPackageOf(folder);
if (process.env.CI) {
  run("npm", "run", "check");
  run("npm", "run", "prove", "--", "--short");
  run("npm", "run", "bench", "--", "--short");
} else build();

mkdirSync(new URL("artifacts", root), { recursive: true });
rmSync(report, { force: true });
const { status } = spawnSync(
  "npx",
  ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root.pathname, stdio: "inherit", env: { ...process.env, ...programs } },
);
if (!existsSync(report)) {
  console.error("The test runner ended without a report.");
  process.exit(status || 1);
}
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = JSON.parse(
  readFileSync(report, "utf8"),
);
const skipped = numPendingTests + numTodoTests;
console.log(`\n${numPassedTests} passed, ${numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(status === 0 && success ? 0 : status || 1);
