import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Rotation, tokens and cookies. */
const engine = [
  "rotation",
  "refresh-token",
  "access-token",
  "access-token-flat",
  "access-token-nested",
  "access-token-format",
  "access-token-verifier",
  "jwt",
  "ecdsa-signature",
  "anti-csrf",
  "presented-tokens",
].map((name) => `packages/engine/src/${name}.ts`);
const node = ["cookie-header", "cookie-name", "left-cookies", "cookie-size"].map(
  (name) => `packages/node/src/${name}.ts`,
);

export default {
  mutate: [...engine, ...node],
  testRunner: "vitest",
  vitest: { configFile: "prove/mutation/vitest.config.mjs", related: false },
  plugins: [here("node_modules/@stryker-mutator/vitest-runner/dist/src/index.js")],
  ignorePatterns: ["bench", "docs", "artifacts", "prove/mutation/node_modules", "**/dist", "**/*.tsbuildinfo"],
  // What a text says is not what the tests are about; messages are compared where they are documented.
  mutator: { excludedMutations: ["StringLiteral"] },
  coverageAnalysis: "perTest",
  concurrency: 2,
  tempDirName: "prove/mutation/.stryker",
  reporters: ["json", "progress-append-only"],
  jsonReporter: { fileName: "artifacts/mutation.json" },
  allowConsoleColors: false,
  // The TypeScript of this repository has no API that Stryker could rewrite its settings with.
  tsconfigFile: "none",
  logLevel: "info",
  disableTypeChecks: false,
};
