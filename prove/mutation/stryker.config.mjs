import { fileURLToPath } from "node:url";
import { group } from "./groups.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const { name, sources } = group();

export default {
  mutate: sources,
  testRunner: "vitest",
  vitest: { configFile: "prove/mutation/vitest.config.mjs", related: false },
  plugins: [here("node_modules/@stryker-mutator/vitest-runner/dist/src/index.js")],
  ignorePatterns: [
    "bench",
    "docs",
    "artifacts",
    "prove/mutation/node_modules",
    "prove/mutation/.stryker",
    "**/dist",
    "**/*.tsbuildinfo",
  ],
  // What a text says is not what the tests are about; messages are compared where they are documented.
  mutator: { excludedMutations: ["StringLiteral"] },
  coverageAnalysis: "perTest",
  concurrency: 2,
  // Endless loops are counted, not timed: a machine that is busy with other work would be taken for one.
  timeoutMS: 20_000,
  tempDirName: `prove/mutation/.stryker/${name}`,
  reporters: ["json", "progress-append-only"],
  jsonReporter: { fileName: `artifacts/mutation/${name}.json` },
  allowConsoleColors: false,
  // The TypeScript of this repository has no API that Stryker could rewrite its settings with.
  tsconfigFile: "none",
  logLevel: "info",
  disableTypeChecks: false,
};
