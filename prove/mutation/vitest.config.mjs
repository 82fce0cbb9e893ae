import config from "../../vitest.config.js";
import { group } from "./groups.mjs";

/** @typedef {{ task: import("vitest").RunnerTestFile }} Module what Vitest keeps to itself of a module */

/** A change that keeps a file of tests from loading is noticed; Stryker, which looks for failed tests, needs to see one. */
const unloadable = {
  onTestRunEnd(/** @type {readonly Module[]} */ modules) {
    for (const { task: file } of modules)
      if (file.result?.state === "fail" && file.tasks.length === 0)
        file.tasks.push(
          /** @type {any} */ ({ type: "test", name: "is loaded", mode: "run", file, result: file.result }),
        );
  },
};

export default {
  ...config,
  root: new URL("../..", import.meta.url).pathname,
  test: {
    ...config.test,
    include: group().tests,
    setupFiles: ["prove/mutation/fast-check.mjs"],
    reporters: [unloadable],
    isolate: false,
    // A request that a change leaves without an answer; the tests take milliseconds.
    testTimeout: 5_000,
    // Cores take seconds to start where the machine is busy.
    env: { PAWL_TEST_BACKEND: "embedded" },
    hookTimeout: 5_000,
  },
};
