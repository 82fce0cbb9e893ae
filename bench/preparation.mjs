import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Runs a command; what it says goes to standard error, so that standard output stays the report's. */
const run = (/** @type {string} */ command, /** @type {string[]} */ parameters) => {
  const { status, error } = spawnSync(command, parameters, { cwd: here(".."), stdio: ["ignore", 2, 2] });
  if (error) throw error;
  return status === 0;
};

/** The packages measured here, and what is loaded at run time; what they need is built with them. */
const measured = ["core", "node", "storage-postgres", "storage-mysql", "storage-redis", "test-servers"];

/**
 * Builds what is measured, where it is not up to date, and installs the peers.
 * @throws {Error} that says what to do
 */
export const prepare = () => {
  if (!existsSync(here("../node_modules/.bin/tsc"))) throw new Error("the project is not installed: run  npm ci");
  if (!run(here("../node_modules/.bin/tsc"), ["-b", ...measured.map((name) => `packages/${name}`)]))
    throw new Error("the project does not build: see  npm run build");
  const installed = here("node_modules/.package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(here("package-lock.json")).mtimeMs) return;
  process.stderr.write("installing the peers (bench/package-lock.json)\n");
  if (!run("npm", ["ci", "--prefix", "bench", "--no-audit", "--no-fund", "--loglevel=error"]))
    throw new Error("the peers could not be installed: run  npm ci --prefix bench");
};
