// How many changes of the code of rotation, tokens and cookies the tests notice: Stryker, with an installation of its own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const root = new URL("..", import.meta.url).pathname;
const REPORT = `${root}artifacts/mutation.json`;
/** Of a hundred changes, so many have to be noticed. */
const WANTED = 90;

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
};

export const mutation = async () => {
  if (!existsSync(`${root}prove/mutation/node_modules`)) run("npm", "ci", "--prefix", "prove/mutation");
  run(
    "node",
    "prove/mutation/node_modules/@stryker-mutator/core/bin/stryker.js",
    "run",
    "prove/mutation/stryker.config.mjs",
  );
  const { files } = JSON.parse(readFileSync(REPORT, "utf8"));
  const mutants = Object.values(files).flatMap((file) => file.mutants);
  const noticed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length;
  const count = mutants.filter(({ status }) => ["Killed", "Timeout", "Survived", "NoCoverage"].includes(status)).length;
  const score = (100 * noticed) / count;
  return {
    count,
    failures: score < WANTED ? count - noticed : 0,
    note: `${score.toFixed(1)} % noticed in ${Object.keys(files).length} files; texts of messages are not changed`,
  };
};
