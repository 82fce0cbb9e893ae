import { defineConfig } from "vitest/config";
import tests from "../../vitest.config.js";

/** What is tried in every runtime: those that are installed in this folder, and those of `npm test`. */
export default defineConfig({
  ...tests,
  root: new URL("../..", import.meta.url).pathname,
  test: { ...tests.test, include: ["e2e/runtimes/test/*.test.ts", "packages/verify/test/anywhere.test.ts"] },
});
