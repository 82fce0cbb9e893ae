import { defineConfig } from "vitest/config";

const source = (path: string): string => new URL(path, import.meta.url).pathname;

/** Unit tests run on the sources; tests that start a process use the build. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@pawl\/engine\/host$/, replacement: source("./packages/engine/src/host/index.ts") },
      { find: /^@pawl\/storage\/adapter$/, replacement: source("./packages/storage/src/adapter/index.ts") },
      { find: /^@pawl\/node\/(backend|http)$/, replacement: source("./packages/node/src/$1/index.ts") },
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
  },
});
