import { spawnSync } from "node:child_process";

const root = new URL("..", import.meta.url).pathname;

/** Runs a command at the root of the repository with its output shown; ends this process when it fails. */
export const run = (command, ...args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
};
