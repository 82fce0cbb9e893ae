import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const source = (path: string): string => new URL(path, import.meta.url).pathname;

/** What takes long for its size: browsers, servers, installations, compilers. */
const long =
  /published|chromium|browser-|frameworks|supertokens-website|nginx|\/(?:storage|failure|cluster|pgbouncer|guide)[^/]*$/;

/** The longest files first, so that the workers end together. Without times of an earlier run only their sizes are known. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => long.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Unit tests run on the sources; tests that start a process use the build. */
export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@pawl\/engine\/(host|identity-provider|telemetry|webhooks)$/,
        replacement: source("./packages/engine/src/$1/index.ts"),
      },
      { find: /^@pawl\/storage\/adapter$/, replacement: source("./packages/storage/src/adapter/index.ts") },
      { find: /^@pawl\/node\/(adopt|backend|http|sockets)$/, replacement: source("./packages/node/src/$1/index.ts") },
      { find: /^@pawl\/node\/([a-z-]+)$/, replacement: source("./packages/node/src/adapters/$1.ts") },
      { find: /^@pawl\/([a-z-]+)\/([a-z-]+)$/, replacement: source("./packages/$1/src/$2.ts") },
      { find: /^@pawl\/([a-z-]+)$/, replacement: source("./packages/$1/src/index.ts") },
    ],
  },
  test: {
    include: [
      "scripts/test/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
      "e2e/test/**/*.test.ts",
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
