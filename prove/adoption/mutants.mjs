// Deliberately broken adoptions: one change each of what adopts the sessions of another system.
import { createBreaker } from "../interleavings/broken-modules.mjs";

const ENGINE = "engine/dist/sessions/session-adoption.js";
const NODE = "node/dist/sessions/adoption.js";

/** @type {readonly import("../interleavings/broken-modules.mjs").Mutant[]} */
export const adoptionMutants = [
  {
    what: "a random id in place of a derived one",
    file: ENGINE,
    from: "update(`${purpose}\\0${name}`)",
    to: "update(`${purpose}\\0${name}${Math.random()}`)",
  },
  {
    what: "a random secret in place of a derived one",
    file: ENGINE,
    from: ".update(name).digest(),",
    to: ".update(name + Math.random()).digest(),",
  },
  {
    what: "no mark of the session from before",
    file: ENGINE,
    from: "const [isMarked = false, isNew = false] = await storage.importSessions([markOf(row, derived, input.until), row]);",
    to: "const [isNew = false] = await storage.importSessions([row]); const isMarked = true;",
  },
  {
    what: "a mark that goes with the row",
    file: ENGINE,
    from: "expiresAt: millis(until),",
    to: "",
  },
  {
    what: "a first answer that counts as used",
    file: ENGINE,
    from: "next: 1, issuedAt: now",
    to: "current: 1, next: 1, issuedAt: now",
  },
  {
    what: "the newest token for whoever has the old cookie",
    file: ENGINE,
    from: "seq: 0, iat: await ageOf(row, derived, now)",
    to: "seq: row.next, iat: now",
  },
  {
    what: "an old system that is down means nobody",
    file: NODE,
    from: 'throw new SessionError("UNKNOWN", message, { cause, retryAfter: RETRY_AFTER });',
    to: "return undefined;",
  },
];

const importBroken = createBreaker("adoption-mutant", { packages: ["node", "engine"], mutants: adoptionMutants });

/**
 * The SDK with one change; with the change at the index after the last: none, as a control.
 * @param {number} index
 * @returns {Promise<import("./lives.mjs").SdkModule>}
 */
export const brokenAdoption = async (index) => {
  const { createPawl, fetchExchange } = await importBroken(index, "node/dist/index.js");
  return { createPawl, fetchExchange };
};
