// `npm run prove`: longer proofs than the tests', on the build. Prints what was counted, and fails when anything failed.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { installPackageOf } from "../scripts/run.mjs";
import { proofs } from "./proofs.mjs";
import { prove } from "./provers.mjs";

/** @typedef {import("./proofs.mjs").Proof} Proof */

const WIDTH = Math.max(...proofs.map(({ name }) => name.length));
/** @returns {never} */
const complain = (/** @type {string} */ message) => {
  console.error(message);
  process.exit(2);
};
const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        short: { type: "boolean" },
        seed: { type: "string" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    return complain(`${/** @type {Error} */ (error).message.split(". ", 1)[0]}; see npm run prove -- --help`);
  }
};
const { values: options, positionals: names } = readArguments();
if (options.help) {
  console.log("npm run prove -- [name…] [--short] [--seed <number>] [--json]\n");
  for (const { name, what } of proofs) console.log(`  ${name.padEnd(WIDTH)} ${what}`);
  process.exit(0);
}
/** A name stands for itself and for all that begin with it: `interleavings` for `interleavings-two-tabs`. */
const isNamed = (/** @type {Proof} */ proof, /** @type {string} */ name) =>
  proof.name === name || proof.name.startsWith(`${name}-`);
const unknown = names.filter((name) => !proofs.some((proof) => isNamed(proof, name)));
if (unknown.length > 0)
  complain(`unknown proof ${unknown.join(", ")}; there are: ${proofs.map(({ name }) => name).join(", ")}`);
if (!existsSync(new URL("../packages/engine/dist/index.js", import.meta.url))) complain("Build first:  npm run build");
const seed = Number(options.seed ?? Date.now() % 1_000_000_007);
if (!Number.isSafeInteger(seed) || seed < 0) complain(`--seed must be a whole number, not ${options.seed}`);

/** @type {import("./provers.mjs").Figures[]} */
const figures = [];
const chosen = (names.length === 0 ? proofs : proofs.filter((proof) => names.some((name) => isNamed(proof, name))))
  .map((proof) => ({ ...proof, total: (options.short ? proof.short : proof.size) ?? 0 }))
  .filter(({ total }) => total > 0);
for (const folder of new Set(chosen.flatMap(({ installs = [] }) => installs))) installPackageOf(folder);

const isTerminal = process.stderr.isTTY;
/** How far those are that are under way, in per cent. */
const underWay = new Map();
const tell = {
  /** @param {import("./provers.mjs").Task} task @param {number} done */
  progress({ name, total }, done) {
    underWay.set(name, Math.floor((100 * done) / total));
    const line = [...underWay].map(([proof, percent]) => `${proof} ${percent} %`).join(", ");
    if (isTerminal) process.stderr.write(`\r\u001b[K${line}`);
  },
  /** @param {import("./provers.mjs").Figures} told */
  figures(told) {
    const { name, count, failures, seconds, note } = told;
    underWay.delete(name);
    figures.push(told);
    if (isTerminal) process.stderr.write("\r\u001b[K");
    const what = chosen.find((proof) => proof.name === name)?.what;
    if (!options.json)
      console.log(
        `${name.padEnd(WIDTH)} ${String(count).padStart(9)} run, ${failures} failures, ${seconds} s  (${what}; ${note})`,
      );
  },
};
// What measures times has the machine to itself.
const tasks = (/** @type {boolean} */ isTimed) =>
  chosen.filter((proof) => (proof.isTimed ?? false) === isTimed).map(({ name, total }) => ({ name, total, seed }));
await prove(availableParallelism(), tasks(false), tell);
await prove(1, tasks(true), tell);
if (options.json) console.log(JSON.stringify({ figures }));
else console.log(`seed ${seed}; repeat with --seed ${seed}`);
process.exit(figures.every(({ failures }) => failures === 0) ? 0 : 1);
