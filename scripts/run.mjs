import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";

const root = new URL("..", import.meta.url).pathname;

/**
 * Runs a command at the root of the repository with its output shown, on standard error: standard output is for what this
 * program has to say. Ends this process when it fails.
 */
export const run = (/** @type {string} */ command, /** @type {string[]} */ ...args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["inherit", 2, 2] });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
};

/** Builds all packages, as `npm run build` does. */
export const build = () => {
  // Checkers that run at once do much of their work twice.
  run("npx", "tsc", "-b", "--checkers", "1");
  run("node", "packages/dashboard/bundle.mjs");
};

/**
 * Runs commands at the root of the repository at once, and shows what each said when it has ended.
 * @param {readonly (readonly [string, ...string[]])[]} commands
 * @returns {Promise<boolean>} whether all succeeded
 */
export const runAtOnce = async (...commands) => {
  const succeeded = commands.map(async ([command, ...args]) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const [status] = await once(child, "close");
    process.stderr.write(status === 0 ? said : `${said}${command} ${args.join(" ")} failed\n`);
    return status === 0;
  });
  return (await Promise.all(succeeded)).every(Boolean);
};

/** Installs a folder that keeps a lockfile of its own (`e2e`, `bench`), unless what is installed is that already. */
export const installPackageOf = (/** @type {string} */ folder) => {
  const installed = `${root}${folder}/node_modules/.package-lock.json`;
  const wanted = `${root}${folder}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  run("npm", "ci", "--prefix", folder, "--no-audit", "--no-fund");
};
