import { anywhereRows } from "./anywhere-rows.mjs";
import { bindingRows } from "./binding-rows.mjs";
import { coreRows } from "./core-rows.mjs";
import { growthRows } from "./growth.mjs";
import { pageRows } from "./page-rows.mjs";
import { socketRows } from "./socket-rows.mjs";
import { storageRows } from "./storage-rows.mjs";
import { telemetryRows } from "./telemetry-rows.mjs";
import { verifyRows } from "./verify-rows.mjs";
import { visitRows } from "./visit-rows.mjs";
import { writeRows } from "./write-rows.mjs";

/**
 * One benchmark: who takes part, ours first, and what is asked of ours. The limits are those of the project's design;
 * what is held against them was measured in the same run.
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {string} ours the contender that the row is about, which is the first
 * @property {number} [lanes] requests in flight, where it is over HTTP
 * @property {readonly import("./databases.mjs").DatabaseKind[]} [databases] a server of each is started for the row
 * @property {true} [growth] one store that grows, for a page of its own
 * @property {(directory: string, databases: import("./databases.mjs").Databases) => import("./contest.mjs").Contender[]} contenders database files
 *   go into the directory
 * @property {(place: { directory: string, databases: import("./databases.mjs").Databases }, isShort: boolean, tell: (text: string) => void) => Promise<import("./contest.mjs").Score[]>} [measure]
 *   where there is no contest
 * @property {(score: (name: string) => import("./contest.mjs").Score, scores: readonly import("./contest.mjs").Score[]) => Verdict} judge
 *
 * @typedef {object} Verdict
 * @property {number} ratio ours beside the peer or the least that it is held against
 * @property {import("./report.mjs").Goal[]} goals
 * @property {string[]} [notes] what is told beside the goals, and has no limit
 */

/** @type {readonly Row[]} */
export const rows = [
  ...verifyRows,
  ...anywhereRows,
  ...visitRows,
  ...writeRows,
  ...bindingRows,
  ...telemetryRows,
  ...pageRows,
  ...coreRows,
  ...storageRows,
  ...socketRows,
  ...growthRows,
];
