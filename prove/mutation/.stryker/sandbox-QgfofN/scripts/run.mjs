import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const root = new URL("..", import.meta.url).pathname;

/** Runs a command at the root of the repository with its output shown; ends this process when it fails. */
export const run = (command, ...args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
};

/** Installs a folder that keeps a lockfile of its own (`e2e`, `bench`), unless what is installed is that already. */
export const installPackageOf = (folder) => {
  const installed = `${root}${folder}/node_modules/.package-lock.json`;
  const wanted = `${root}${folder}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  run("npm", "ci", "--prefix", folder, "--no-audit", "--no-fund");
};
