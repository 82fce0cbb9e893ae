// Engines in which one thing about changes is broken.
import { createBreaker } from "./broken-modules.mjs";

const MARKS = "engine/dist/revocation/session-marks.js";

/** @type {readonly import("./broken-modules.mjs").Mutant[]} */
export const changeMutants = [
  {
    what: "a change is not marked before its caller is answered",
    file: "engine/dist/revocation/feeds.js",
    from: "changes.note({ handle: handleOf(row), payloadVersion: row.payloadVersion, at });",
    to: "",
  },
  {
    what: "only the first change of a session counts",
    file: "engine/dist/revocation/followed-feed.js",
    from: "if (all === known)",
    to: "if (known !== undefined)",
  },
  {
    what: "versions are not compared",
    file: MARKS,
    from: "if (payloadVersion >= change.payloadVersion)",
    to: "if (true)",
  },
  { what: "a lost change is never forgotten", file: MARKS, from: "if (age <= SKEW)", to: "if (true)" },
  { what: "a lost change is forgotten at once", file: MARKS, from: "if (age <= SKEW)", to: "if (false)" },
  { what: "a version that is given twice is one", file: MARKS, from: "if (age < -SKEW)", to: "if (false)" },
  {
    what: "a change ends the session",
    file: "engine/dist/verification/access-token-verifier.js",
    from: 'objection === "outdated"',
    to: 'objection === "never"',
  },
  {
    what: "who acts goes on when his payload changes",
    file: "engine/dist/sessions/session-access.js",
    from: "if (isSame)",
    to: "if (true)",
  },
  {
    what: "who acts goes on when that began during the change",
    file: "engine/dist/sessions/session-access.js",
    from: "const expected = { factsVersion: row.factsVersion, payloadVersion: expectedVersion };",
    to: "const expected = { payloadVersion: expectedVersion };",
  },
  {
    what: "tokens do not say their version",
    file: "engine/dist/tokens/access-token-pawl.js",
    from: "pver: claims.payloadVersion,",
    to: "pver: 0,",
  },
];

const importBroken = createBreaker("change-mutant", { packages: ["engine", "storage"], mutants: changeMutants });

/**
 * The engine with one of the changes; with the index after the last: none, as a control.
 * @param {number} index
 * @returns {Promise<import("./stage.mjs").EngineModule>}
 */
export const brokenByChange = async (index) => {
  const { createEngine, parseMasterKeys } = await importBroken(index, "engine/dist/index.js");
  const { MemoryStorage } = await importBroken(index, "storage/dist/index.js");
  return { createEngine, parseMasterKeys, MemoryStorage };
};
