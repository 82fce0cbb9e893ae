// `npm run prove`: longer proofs than the tests', on the build. Prints what was counted, and fails when anything failed.
import { parseArgs } from "node:util";
import { existsSync } from "node:fs";
import { startMariaDb, startPostgres, startRedis, startRedisCluster } from "@pawl/test-servers";
import { aborts } from "./aborts.mjs";
import { crashes } from "./crashes.mjs";
import { faults } from "./faults.mjs";
import { histories, thefts } from "./histories.mjs";
import { thieves } from "./thieves.mjs";
import { forgeries, substitutions } from "./forgeries.mjs";
import { fuzz } from "./fuzz.mjs";
import { interleavings } from "./interleavings.mjs";
import { parallelRefreshes } from "./parallel-refreshes.mjs";
import { redisAborts } from "./redis-aborts.mjs";
import { postgresVersions } from "./postgres-versions.mjs";
import { nextJs } from "./nextjs.mjs";
import { firefox, tabs } from "./browsers.mjs";
import { nodeProofs } from "./nodes.mjs";
import { storeNames } from "./nodes/stores.mjs";
import { transfers } from "./transfers.mjs";
import { leakage } from "./leakage.mjs";
import { listing } from "./listing.mjs";
import { month } from "./month.mjs";
import { mutation } from "./mutation.mjs";

/** Each proof: `run(size, seed, progress)` gives `{ count, failures, note }`. */
const proofs = [
  ...interleavings,
  ...faults,
  {
    name: "honest-histories",
    run: histories,
    size: 20_000,
    short: 500,
    what: "random lives of honest browsers; a failure is a false alarm or a logout",
  },
  {
    name: "thefts",
    run: thefts,
    size: 20_000,
    short: 500,
    what: "lives with a thief who copies the jar; a failure is a theft never noticed",
  },
  {
    name: "thefts-by-strategy",
    run: thieves,
    size: 60,
    short: 3,
    what: "what a thief may do with a copied jar, for thirty days; a failure is one that is not caught although he can be",
  },
  {
    name: "forgeries",
    run: forgeries,
    size: 90_000,
    short: 4_000,
    what: "access tokens that a forger writes without a private key; a failure is one that was accepted",
  },
  {
    name: "substitutions",
    run: substitutions,
    size: 1,
    short: 1,
    what: "every kind of token in every place; a failure is one that passed for another",
  },
  ...fuzz,
  {
    name: "aborts",
    run: aborts,
    size: 100_000,
    short: 3_000,
    what: "requests cut on shared connections; a failure is an answer that went to somebody else",
  },
  {
    name: "leakage",
    run: leakage,
    size: 10,
    short: 1,
    what: "lives in every dialect; a failure is a token, key or password in a log, error, address, event or file, or an answer with a token that may be kept",
  },
  {
    name: "month",
    run: month,
    size: 10_000,
    short: 100,
    what: "thirty days of users in simulated time; a failure is a false refusal, a false theft, or something left over",
  },
  {
    name: "mutation",
    run: mutation,
    size: 1,
    what: "changes of the code that decides; a failure is one that no test noticed, where more than a tenth are",
  },
  {
    name: "listing",
    run: listing,
    size: 1_000_000,
    short: 20_000,
    what: "all sessions of a store; a failure is one that is missing or comes twice",
  },
  {
    name: "crashes-sqlite",
    run: crashes,
    size: 100,
    short: 4,
    what: "kill -9 under load on SQLite; a failure is an acknowledged write lost, or a revoked session alive or not logged",
  },
  ...storeNames.map((name) => ({
    name: `transfers-${name}`,
    run: transfers(name),
    size: 100,
    short: name === "sqlite" ? 3 : 0,
    what: `kill -9 of export and import between SQLite and ${name}; a failure is a session lost, changed or there twice`,
  })),
  {
    name: "browser-tabs",
    run: tabs,
    size: 200,
    short: 10,
    what: "expiries of five tabs and a service worker in Chromium; a failure is a second refresh or a logout",
  },
  {
    name: "firefox",
    run: firefox,
    size: 20,
    // It needs another browser.
    short: 0,
    what: "expiries of five tabs in Firefox, from login to sign-out; a failure is a second refresh or another surprise",
  },
  ...nodeProofs,
  {
    name: "parallel-refreshes-postgres",
    run: parallelRefreshes(startPostgres),
    size: 10_000,
    short: 100,
    what: "a token presented twenty times at once on PostgreSQL; a failure is two winners, none, or an answer unlike the others",
  },
  {
    name: "postgres-versions",
    run: postgresVersions,
    size: 3,
    // It installs 200 MB.
    short: 0,
    what: "the adapter's tests on PostgreSQL 18, 17 and 16; a failure is a version on which one fails",
  },
  {
    name: "parallel-refreshes-mysql",
    run: parallelRefreshes(startMariaDb),
    size: 10_000,
    short: 100,
    what: "a token presented twenty times at once on MariaDB; a failure is two winners, none, or an answer unlike the others",
  },
  {
    name: "parallel-refreshes-redis",
    run: parallelRefreshes(startRedis),
    size: 10_000,
    short: 100,
    what: "a token presented twenty times at once on Redis; a failure is two winners, none, or an answer unlike the others",
  },
  {
    name: "parallel-refreshes-redis-cluster",
    run: parallelRefreshes(startRedisCluster),
    size: 10_000,
    short: 100,
    what: "the same on a Redis Cluster of three masters",
  },
  {
    name: "aborts-redis",
    run: redisAborts,
    size: 100_000,
    short: 3_000,
    what: "calls to Redis given up before their answers came; a failure is an answer that went to another call",
  },
  {
    name: "nextjs",
    run: nextJs,
    size: 5,
    // It takes minutes to build.
    short: 0,
    what: "the example for Next.js in Chromium; a failure is a page that shows or asks something else than it says",
  },
];

const WIDTH = Math.max(...proofs.map(({ name }) => name.length));
const complain = (message) => {
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
    return complain(`${error.message.split(". ", 1)[0]}; see npm run prove -- --help`);
  }
};
const { values: options, positionals: names } = readArguments();
if (options.help) {
  console.log("npm run prove -- [name…] [--short] [--seed <number>] [--json]\n");
  for (const { name, what } of proofs) console.log(`  ${name.padEnd(WIDTH)} ${what}`);
  process.exit(0);
}
/** A name stands for itself and for all that begin with it: `interleavings` for `interleavings-two-tabs`. */
const isNamed = (proof, name) => proof.name === name || proof.name.startsWith(`${name}-`);
const unknown = names.filter((name) => !proofs.some((proof) => isNamed(proof, name)));
if (unknown.length > 0)
  complain(`unknown proof ${unknown.join(", ")}; there are: ${proofs.map(({ name }) => name).join(", ")}`);
if (!existsSync(new URL("../packages/engine/dist/index.js", import.meta.url))) complain("Build first:  npm run build");
const seed = Number(options.seed ?? Date.now() % 1_000_000_007);
if (!Number.isSafeInteger(seed) || seed < 0) complain(`--seed must be a whole number, not ${options.seed}`);

/** A proof that cannot be carried out is one that failed; the others go on. */
const failed = (error) => {
  console.error(error);
  return { count: 0, failures: 1, note: `not carried out: ${String(error.message ?? error).split("\n", 1)[0]}` };
};

const figures = [];
for (const { name, run, size, short, what } of proofs) {
  if (names.length > 0 && !names.some((given) => isNamed({ name }, given))) continue;
  // What has no short form takes too long for one.
  if (options.short && short === undefined) continue;
  const started = performance.now();
  const total = options.short ? short : size;
  if (total === 0) continue;
  const progress = (done) => {
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
