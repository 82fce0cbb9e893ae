import { defineConfig } from "vitest/config";
import tests from "../vitest.config.js";

/** For proofs that are written as tests, but take too long, or need too much, for `npm test`. */
export default defineConfig({
  ...tests,
  root: new URL("..", import.meta.url).pathname,
  test: { ...tests.test, include: ["e2e/test/**/*.prove.ts"], testTimeout: 600_000 },
});
