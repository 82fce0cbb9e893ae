import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;

/** Runs tests with a runtime, and prints what failed. @param {string[]} command @param {string[]} given to vitest */
export const countTests = ([program = "", ...flags], given) => {
  const results = mkdtempSync(join(tmpdir(), "pawl-tests-"));
  const report = join(results, "report.json");
  const vitest = ["node_modules/vitest/vitest.mjs", "run", ...given];
  const { stderr } = spawnSync(program, [...flags, ...vitest, "--reporter=json", `--outputFile=${report}`], {
    cwd: root,
    encoding: "utf8",
  });
  try {
    const { numTotalTests, numPassedTests, success, testResults } = JSON.parse(readFileSync(report, "utf8"));
    for (const { name, message, assertionResults } of testResults) {
      if (message) console.error(name, message);
      for (const { status, fullName, failureMessages } of assertionResults)
        if (status === "failed") console.error(fullName, failureMessages.join("\n"));
    }
    return { count: numTotalTests, failures: Math.max(numTotalTests - numPassedTests, success ? 0 : 1) };
  } catch (cause) {
    throw new Error(`no report of the tests on ${program}: ${stderr}`, { cause });
  } finally {
    rmSync(results, { recursive: true });
  }
};
