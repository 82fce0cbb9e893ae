import { defineConfig } from "vitest/config";
import tests from "../../vitest.config.js";

const runtime = process.versions["bun"] ?? process.versions["deno"];

/** The frameworks, which are installed in this folder, over the sources of our packages; on Bun and Deno what is for them. */
export default defineConfig({
  ...tests,
  root: new URL("../..", import.meta.url).pathname,
  test: { ...tests.test, include: [`e2e/frameworks/test/*.${runtime === undefined ? "test" : "runtime"}.ts`] },
});
