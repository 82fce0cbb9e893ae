// Deliberately broken engines: one change of the pure decision each (packages/storage/src/rotation.ts).
import { createBreaker } from "./broken-modules.mjs";

const FRESH = "now - issuedAt <= window || (seq === next && now - iat <= window)";
const STRAGGLER = "current < seq && seq < next && window > 0 && (fresh || issuedAt - iat <= window)";

/** What is broken, the text in the built `rotation.js`, and what stands there instead. */
export const mutants = [
  [
    "a session that has ended is taken for live",
    'if (row === undefined || !isLive(row, now))\n        return { kind: "absent" }',
    'if (row === undefined) return { kind: "absent" }',
  ],
  ["the secret is not compared", "if (!sameHash(token.secretHash, row.secretHash))", "if (false)"],
  ["a bound session is refreshed without its key", 'if (row.bound !== "" && row.bound !== token.proof)', "if (false)"],
  ["no fast-forward after lost commits", "if (seq > next)", "if (false)"],
  ["the newest token is fast-forwarded too", "if (seq > next)", "if (seq >= next)"],
  ["no window at all", FRESH, "false"],
  ["the window ends a moment early", "now - issuedAt <= window ||", "now - issuedAt < window ||"],
  ["only the copy's own age counts", FRESH, "seq === next && now - iat <= window"],
  ["the copy's own age does not count", FRESH, "now - issuedAt <= window"],
  ["everything is answered again for ever", "const fresh = window > 0 && (", "const fresh = true || ("],
  ["no straggler is honoured", STRAGGLER, "false"],
  ["every straggler is honoured", STRAGGLER, "current < seq && seq < next"],
  ["stragglers are honoured inside the window only", STRAGGLER, "current < seq && seq < next && fresh"],
  [
    "stragglers inside the window are theft",
    STRAGGLER,
    "current < seq && seq < next && !fresh && issuedAt - iat <= window",
  ],
  ["a copy displaced shortly after its sealing is theft", "issuedAt - iat <= window)", "issuedAt - iat <= 0)"],
  [
    "the confirmed token is theft",
    "if (seq !== current && seq !== next && !straggler)",
    "if (seq !== next && !straggler)",
  ],
  [
    "the newest token is theft",
    "if (seq !== current && seq !== next && !straggler)",
    "if (seq !== current && !straggler)",
  ],
  [
    "one behind is always fine",
    "if (seq !== current && seq !== next && !straggler)",
    "if (seq !== current && seq !== next && seq !== current - 1 && !straggler)",
  ],
  ["nothing is ever theft", 'return { kind: "reuse" };', 'return { kind: "mint", seq };'],
  ["theft is refused and not told", 'return { kind: "reuse" };', 'return { kind: "absent" };'],
  ["a rotation confirms the newest token", 'return { kind: "mint", seq };', 'return { kind: "mint", seq: next };'],
  ["a rotation confirms nothing", 'return { kind: "mint", seq };', 'return { kind: "mint", seq: current };'],
  ["asking again makes a copy young again", '? { kind: "keep" }', '? { kind: "repeat", seq: next }'],
  ["the parent is handed out again", ': { kind: "repeat", seq: next }', ': { kind: "keep" }'],
  ["a use confirms at once", "const settled = window === 0 || now - iat > window;", "const settled = true;"],
  ["a use never confirms", '? "confirm" : "nothing"', '? "nothing" : "nothing"'],
  ["a use of any token confirms", "(seq === row.next || bypassed)", "(true)"],
  [
    "a use confirms its own token",
    "current: confirms ? row.next : row.current",
    "current: confirms ? note.seq : row.current",
  ],
  ["only a use of the newest token confirms", "(seq === row.next || bypassed)", "seq === row.next"],
  [
    "a use of every displaced token confirms",
    "const bypassed = seq < row.next && window > 0 && row.issuedAt - iat > window;",
    "const bypassed = seq < row.next;",
  ],
].map(([what = "", from = "", to = ""]) => ({ what, file: "storage/dist/rotation.js", from, to }));

const importBroken = createBreaker("engine-mutant", { packages: ["engine", "storage"], mutants });

/**
 * The engine with one change; with the change at the index after the last: none, as a control.
 * @param {number} index
 * @returns {Promise<import("./stage.mjs").EngineModule>}
 */
export const brokenEngine = async (index) => {
  const { createEngine, parseMasterKeys } = await importBroken(index, "engine/dist/index.js");
  const { MemoryStorage } = await importBroken(index, "storage/dist/index.js");
  return { createEngine, parseMasterKeys, MemoryStorage };
};
