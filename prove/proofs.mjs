// Every proof, with what its failures are.
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
 * @typedef {{ name: string, run: Run, size: number, short?: number, what: string, isTimed?: boolean, installs?: string[] }} Proof
 *   without `short` there is no short form: it takes minutes, or another installation; `isTimed`: it judges how long things
 *   take, and nothing else may run beside it; `installs`: folders with lockfiles of their own
 */

/** @type {readonly Proof[]} */
export const proofs = [
  // What takes longest comes first, so that the processes end together.
  {
    name: "frameworks",
    run: frameworks,
    size: 2,
    short: 1,
    installs: ["e2e/runtimes", "e2e/frameworks"],
    what: "the adapters' kit and the guide's programs on every framework; a failure is a test that failed",
  },
  {
    name: "verify-anywhere",
    run: verifyAnywhere,
    size: 2,
    short: 1,
    installs: ["e2e/runtimes"],
    what: "one file of cases for @pawl/verify in every runtime; a failure is a case that does not hold in one",
  },
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
    isTimed: true,
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
    isTimed: true,
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
    installs: ["e2e"],
    what: "five tabs in Chromium; a failure is a second refresh or a logout",
  },
  {
    name: "firefox",
    run: firefox,
    size: 20,
    installs: ["e2e"],
    what: "five tabs in Firefox; a failure is a second refresh or a logout",
  },
  ...nodeProofs,
  ...parallelRefreshes,
  ...socketProofs,
  ...operateProofs,
  {
    name: "postgres-versions",
    run: postgresVersions,
    size: 3,
    installs: ["prove/postgres-versions"],
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
    name: "nextjs",
    run: nextJs,
    size: 5,
    installs: ["examples/nextjs"],
    what: "the example in Chromium; a failure is a page that shows or asks something else",
  },
];
