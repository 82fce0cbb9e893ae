// Every place in the engine's code at which an operation waits for the storage or the revocation log, found in the code itself.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

const folder = new URL("../../packages/engine/dist/", import.meta.url);

/** Places that no operation of a session comes to, by file, and method or function, and why. */
const elsewhere = {
  "acting.js forgetActing": "an erasure: an operator's act, from the command line",
  "deliveries.js":
    "in the background: what is not settled is sent again; npm run prove -- operate, and the tests of webhooks",
  "webhooks.js": "an operator's act",
  "counts.js": "in the background: what could not be written is kept; the tests of counts let the store fail",
  "erasure.js eraseUser": "an operator's act, from the command line",
  "engine.js listEvents": "reads the audit trail for an operator",
  "list-counts.js": "reads the counts for an operator",
  "live-count.js": "in the background, and for an operator: the number of live sessions",
  "logged-storage.js eraseUser": "an operator's act, from the command line",
  "logged-storage.js loggedStorage revocationsSince": "the feed, in the background",
  "master-key-facts.js replaceSealingKey": "a master key is rotated: an operator's act",
  "master-key-facts.js addMasterKeyNeeds": "an import: an operator's act",
  "master-key-file.js": "at the start",
  "master-key-rotation.js": "an operator's act, each step of which is whole by itself",
  "open-engine.js": "at the start and at the end",
  "imported-core.js claimMeta": "an import: an operator's act",
  "imported-core.js replaceMeta": "a master key is rotated: an operator's act",
  "feeds.js": "in the background; a round that fails is made up for by the next",
  "replay-memory.js": "a logout token of an identity provider: the tests of its route let the store fail",
  "signing-keys.js deleteSigningKeys": "in the background: keys that no token can need",
  "sweep.js": "in the background: what is over",
  "tenants.js listMeta": "reads the tenants for an operator",
};

/** The function that a line belongs to. */
const functionAt = (/** @type {string[]} */ lines, /** @type {number} */ index) =>
  lines
    .slice(0, index + 1)
    .map((line) => /^(?:export )?const (\w+)/.exec(line)?.[1])
    .findLast((name) => name !== undefined);

const CALL = /\b(?:storage|log)\.(?!now\b|watchFeeds\b|close\b)(\w+)\(/g;

/** @returns the points, as `faulty-line.mjs` names them, and what of `elsewhere` is not there any more. */
export const awaitPoints = () => {
  /** @type {string[]} */
  const points = [];
  const unused = new Set(Object.keys(elsewhere));
  for (const path of readdirSync(folder, { encoding: "utf8", recursive: true }).filter((name) =>
    name.endsWith(".js"),
  )) {
    const lines = readFileSync(new URL(path, folder), "utf8").split("\n");
    const file = basename(path);
    for (const [index, line] of lines.entries())
      for (const [, method] of line.matchAll(CALL)) {
        const inFunction = `${file} ${functionAt(lines, index)}`;
        const names = [file, `${file} ${method}`, inFunction, `${inFunction} ${method}`];
        const reasons = names.filter((name) => name in elsewhere);
        for (const name of reasons) unused.delete(name);
        if (reasons.length === 0) points.push(`${file}:${index + 1} ${method}`);
      }
  }
  return { points, unused: [...unused] };
};
