// Deliberately broken engines: one change of rotation.ts each. An explorer that takes one of them for the real one proves
// nothing.
import { register } from "node:module";

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
  [
    "a use confirms at once",
    "const settled = use.window === 0 || now - use.iat > use.window;",
    "const settled = true;",
  ],
  ["a use never confirms", '? "confirm" : "nothing"', '? "nothing" : "nothing"'],
  [
    "a use of any token confirms",
    "use.seq === row.next && row.current < row.next && settled",
    "row.current < row.next && settled",
  ],
].map(([what, from, to]) => ({ what, from, to }));

const hooks = `
let mutants = [];
export const initialize = (data) => { mutants = data; };
export const resolve = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  const query = /[?]mutant=\\d+$/.exec(context.parentURL ?? "")?.[0];
  return query !== undefined && resolved.url.includes("/packages/engine/dist/")
    ? { ...resolved, url: resolved.url + query }
    : resolved;
};
export const load = async (url, context, next) => {
  const loaded = await next(url, context);
  const index = /\\/rotation\\.js[?]mutant=(\\d+)$/.exec(url)?.[1];
  if (index === undefined) return loaded;
  const { what, from, to } = mutants[index];
  const text = String(loaded.source);
  if (text.split(from).length !== 2) throw new Error("rotation.js does not hold once what is to be broken: " + what);
  return { ...loaded, source: text.replace(from, () => to) };
};`;

let isRegistered = false;

/** The engine with one change; with the change at the index after the last: none, as a control. */
export const brokenEngine = async (index) => {
  const all = [
    ...mutants,
    { what: "nothing", from: "timingSafeEqual(left, right)", to: "timingSafeEqual(left, right)" },
  ];
  if (!isRegistered) register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: all });
  isRegistered = true;
  return import(new URL(`../../packages/engine/dist/index.js?mutant=${index}`, import.meta.url));
};

/** Lets a storage mint and confirm as a broken engine decides: the guards of the real one would hide what is broken. */
export const decidedBy = ({ decideRotation, decideUse }) =>
  async function around(method, call, [given, policy], storage) {
    if (method === "rotate") {
      const record = await storage.getSession(given.id);
      const now = storage.now();
      const decision = decideRotation(record, given, now);
      if (decision.kind !== "mint") return { minted: false, record, now };
      const applied = await storage.applyRotation(record, { ...decision, lifetimes: given.lifetimes });
      return { minted: applied.kind === "applied", record: applied.record ?? record, now };
    }
    if (method === "reportUses")
      return Promise.all(
        given.map(async (note) => {
          const row = await storage.getSession(note.id);
          if (decideUse(row, { ...note, window: policy.window }, storage.now()) !== "confirm") return row;
          return (await storage.applyRotation(row, { kind: "confirm" })).record;
        }),
      );
    return call();
  };
