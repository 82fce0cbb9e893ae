// How many changes of the code of each group the tests notice: Stryker, with an installation of its own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { groups } from "./mutation/groups.mjs";

const root = new URL("..", import.meta.url).pathname;
/** Of a hundred changes, so many have to be noticed. */
const WANTED = 90;

const run = (/** @type {string} */ command, /** @type {string[]} */ args, env = {}) => {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
};

/** Changes a group's files. @returns for each, how many changes were noticed of how many; others do not compile, or hold texts. */
const measure = (/** @type {string} */ group) => {
  const stryker = "prove/mutation/node_modules/@stryker-mutator/core/bin/stryker.js";
  run("node", [stryker, "run", "prove/mutation/stryker.config.mjs"], { PAWL_MUTATION: group });
  const { files } = JSON.parse(readFileSync(`${root}artifacts/mutation/${group}.json`, "utf8"));
  /** @type {[string, { mutants: { status: string }[] }][]} */
  const measured = Object.entries(files);
  return measured.map(([path, { mutants }]) => {
    const count = (/** @type {string[]} */ ...wanted) => mutants.filter(({ status }) => wanted.includes(status)).length;
    const noticed = count("Killed", "Timeout");
    return { name: basename(path), noticed, all: noticed + count("Survived", "NoCoverage") };
  });
};

/** @type {import("./proofs.mjs").Run} */
export const mutation = async (_size, _seed, progress) => {
  if (!existsSync(`${root}prove/mutation/node_modules`)) run("npm", ["ci", "--prefix", "prove/mutation"]);
  const names = Object.keys(groups);
  const files = names.flatMap((group, at) => {
    progress(at / names.length);
    return measure(group);
  });
  const sum = (/** @type {"noticed" | "all"} */ member) => files.reduce((total, file) => total + file[member], 0);
  const noticed = sum("noticed");
  const count = sum("all");
  const score = (100 * noticed) / count;
  const each = files.map((file) => `${file.name} ${file.noticed}/${file.all}`).join(", ");
  return {
    count,
    failures: score < WANTED ? count - noticed : 0,
    note: `${score.toFixed(1)} % noticed: ${each}; texts of messages are not changed`,
  };
};
