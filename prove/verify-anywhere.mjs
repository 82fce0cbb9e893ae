// What @pawl/verify does, in every runtime that it is for.
import { countTests } from "./tests.mjs";

/** Left out of a short run. */
const otherVersions = "--exclude=e2e/runtimes/test/verify-node-versions.test.ts";

/** @param {number} size 1: one version of Node.js */
export const verifyAnywhere = async (size) => {
  const config = ["-c", "e2e/runtimes/vitest.config.ts"];
  const counted = countTests([process.execPath], [...config, ...(size > 1 ? [] : [otherVersions])]);
  return {
    ...counted,
    note: `${size > 1 ? "all versions of" : "one version of"} Node.js, Deno, Bun, workerd, Chromium`,
  };
};
