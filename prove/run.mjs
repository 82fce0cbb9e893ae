// `npm run prove`: longer proofs than the tests', on the build. Prints what was counted, and fails when anything failed.
import { parseArgs } from "node:util";
import { existsSync } from "node:fs";
import { aborts } from "./aborts.mjs";
import { adoptionProofs } from "./adopt.mjs";
import { crashes } from "./crashes.mjs";
import { detection } from "./detection.mjs";
import { deviceBinding } from "./device-binding.mjs";
import { deviceForgeries } from "./device-binding/forgeries.mjs";
import { faults } from "./faults.mjs";
import { histories, thefts } from "./histories.mjs";
import { forgeries, substitutions } from "./forgeries.mjs";
import { frameworks } from "./frameworks.mjs";
import { fuzz } from "./fuzz.mjs";
import { interleavings } from "./interleavings.mjs";
import { parallelRefreshes } from "./parallel-refreshes.mjs";
import { redisAborts } from "./redis-aborts.mjs";
import { postgresVersions } from "./postgres-versions.mjs";
import { nextJs } from "./nextjs.mjs";
import { firefox, tabs } from "./browsers.mjs";
import { nodeProofs } from "./nodes.mjs";
import { operateProofs } from "./operate.mjs";
import { verifyAnywhere } from "./verify-anywhere.mjs";
import { transfers } from "./transfers.mjs";
import { leakage } from "./leakage.mjs";
import { listing } from "./listing.mjs";
import { manySessionProofs } from "./many-sessions.mjs";
import { month } from "./month.mjs";
import { mutation } from "./mutation.mjs";
import { socketProofs } from "./sockets.mjs";

/**
 * @typedef {(size: number, seed: number, progress: (done: number) => void) => Promise<Result>} Run
 * @typedef {{ count: number, failures: number, note: string }} Result
 * @typedef {{ name: string, run: Run, size: number, short?: number, what: string }} Proof
 *   without `short` there is no short form: it takes minutes, or another installation
 */

/** @type {readonly Proof[]} */
const proofs = [
  ...interleavings,
  ...deviceBinding,
  ...adoptionProofs,
  ...faults,
  {
    name: "honest-histories",
    run: histories,
    size: 20_000,
    short: 500,
    what: "a failure is a false alarm or a logout",
  },
  { name: "thefts", run: thefts, size: 20_000, short: 500, what: "a failure is a theft that is never noticed" },
  {
    name: "detection",
    run: detection,
    size: 100_000,
    short: 300,
    what: "what thieves do, under Pawl's rule and others'; a failure is a thief who could be caught and is not, one who gets a token of a bound session, or an honest user logged out",
  },
  {
    name: "forgeries",
    run: forgeries,
    size: 90_000,
    short: 4_000,
    what: "a failure is a forged token that was accepted",
  },
  {
    name: "forgeries-of-proofs",
    run: deviceForgeries,
    size: 10_000,
    short: 600,
    what: "a failure is a session refreshed, or bound, without the key that it is for",
  },
  {
    name: "substitutions",
    run: substitutions,
    size: 1,
    short: 1,
    what: "a failure is a token that passed for another",
  },
  ...fuzz,
  {
    name: "aborts",
    run: aborts,
    size: 100_000,
    short: 3_000,
    what: "a failure is an answer that went to another request",
  },
  {
    name: "leakage",
    run: leakage,
    size: 10,
    short: 1,
    what: "a failure is a secret where it may be read, or may be kept",
  },
  {
    name: "month",
    run: month,
    size: 10_000,
    short: 100,
    what: "a failure is a false refusal or theft, or something left over",
  },
  ...manySessionProofs,
  {
    name: "mutation",
    run: mutation,
    size: 1,
    what: "a failure is a change of the code that no test notices, of more than a tenth",
  },
  {
    name: "listing",
    run: listing,
    size: 1_000_000,
    short: 20_000,
    what: "a failure is a session missing, or listed twice",
  },
  {
    name: "crashes-sqlite",
    run: crashes,
    size: 100,
    short: 4,
    what: "kill -9 under load; a failure is an acknowledged write lost",
  },
  ...transfers,
  {
    name: "browser-tabs",
    run: tabs,
    size: 200,
    short: 10,
    what: "five tabs in Chromium; a failure is a second refresh or a logout",
  },
  { name: "firefox", run: firefox, size: 20, what: "five tabs in Firefox; a failure is a second refresh or a logout" },
  ...nodeProofs,
  ...parallelRefreshes,
  ...socketProofs,
  ...operateProofs,
  {
    name: "postgres-versions",
    run: postgresVersions,
    size: 3,
    what: "the adapter's tests on PostgreSQL 18, 17 and 16",
  },
  {
    name: "aborts-redis",
    run: redisAborts,
    size: 100_000,
    short: 3_000,
    what: "a failure is an answer that went to another call",
  },
  {
    name: "frameworks",
    run: frameworks,
    size: 2,
    short: 1,
    what: "the adapters' kit and the guide's programs on every framework; a failure is a test that failed",
  },
  {
    name: "verify-anywhere",
    run: verifyAnywhere,
    size: 2,
    short: 1,
    what: "one file of cases for @pawl/verify in every runtime; a failure is a case that does not hold in one",
  },
  {
    name: "nextjs",
    run: nextJs,
    size: 5,
    what: "the example in Chromium; a failure is a page that shows or asks something else",
  },
];

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

/** A proof that cannot be carried out is one that failed; the others go on. */
const failed = (/** @type {unknown} */ error) => {
  console.error(error);
  return {
    count: 0,
    failures: 1,
    note: `not carried out: ${String(error instanceof Error ? error.message : error).split("\n", 1)[0]}`,
  };
};

const figures = [];
const chosen = names.length === 0 ? proofs : proofs.filter((proof) => names.some((name) => isNamed(proof, name)));
for (const { name, run, size, short = 0, what } of chosen) {
  const total = options.short ? short : size;
  if (total === 0) continue;
  const started = performance.now();
  const progress = (/** @type {number} */ done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name} ${Math.floor((100 * done) / total)} %  `);
  };
  const { count, failures, note } = await run(total, seed, progress).catch(failed);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  figures.push({ name, count, failures, seconds, note });
  if (!options.json)
    console.log(
      `${name.padEnd(WIDTH)} ${String(count).padStart(9)} run, ${failures} failures, ${seconds} s  (${what}; ${note})`,
    );
}
if (options.json) console.log(JSON.stringify({ figures }));
else console.log(`seed ${seed}; repeat with --seed ${seed}`);
process.exit(figures.every(({ failures }) => failures === 0) ? 0 : 1);
