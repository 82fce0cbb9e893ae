// The adapters' kit and the guide's programs on every framework, and on Bun and Deno; the packages as they would be published.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { installPackageOf, run } from "../scripts/run.mjs";
import { countTests } from "./tests.mjs";

const root = new URL("..", import.meta.url).pathname;
const folder = "e2e/frameworks";

/** Applications that are built first, which takes minutes. */
const builds = {
  sveltekit: ["../node_modules/vite/bin/vite.js", "build"],
  astro: ["../node_modules/astro/bin/astro.mjs", "build"],
  "react-router": ["../node_modules/@react-router/dev/dist/cli/index.js", "build"],
  nuxt: ["node_modules/nuxt/bin/nuxt.mjs", "build"],
  nextjs: ["../node_modules/next/dist/bin/next", "build"],
};
/** What a short run builds: that of which most is our own. */
const SHORT = "nextjs";
const leftOut = [...Object.keys(builds), "guide-builds"]
  .filter((name) => name !== SHORT)
  .map((name) => `--exclude=${folder}/test/${name}.test.ts`);

const build = (/** @type {string} */ node, /** @type {boolean} */ isShort) => {
  if (!isShort) installPackageOf(`${folder}/nuxt`);
  for (const [name, command] of Object.entries(builds)) {
    if (isShort && name !== SHORT) continue;
    const cwd = join(root, folder, name);
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1" };
    const stdio = /** @type {import("node:child_process").StdioOptions} */ (["ignore", "pipe", "pipe"]);
    const { status, stdout, stderr } = spawnSync(node, command, { cwd, env, stdio, encoding: "utf8" });
    if (status !== 0) throw new Error(`${name} cannot be built: ${stdout}${stderr}`);
  }
};

const config = ["-c", `${folder}/vitest.config.ts`];

/** @param {number} size 1: without what has to be built, but for Next.js */
export const frameworks = async (size) => {
  run("npx", "tsc", "-p", folder);
  const { node, bun, deno } = await import("../e2e/runtimes/runtimes.mjs");
  build(node, size === 1);
  const tested = [
    countTests([node], [...config, ...(size > 1 ? [] : leftOut)]),
    countTests([bun, "--bun"], config),
    countTests([deno, "run", "-A"], config),
  ];
  return {
    count: tested.reduce((sum, { count }) => sum + count, 0),
    failures: tested.reduce((sum, { failures }) => sum + failures, 0),
    note: `${size > 1 ? "all" : "Next.js, and those that need no build"}, on Node.js, Bun and Deno`,
  };
};
