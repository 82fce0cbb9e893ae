// How soon a thief is caught, by what he does: on the real engine in virtual time, beside the rule of before.
import { createClock } from "./clock.mjs";
import { userId } from "./identifiers.mjs";
import { brokenEngine, mutants } from "./interleavings/mutants.mjs";
import { engineModule } from "./interleavings/stage.mjs";
import { quantile } from "./quantile.mjs";
import { createRandom } from "./random.mjs";

/**
 * @typedef {import("./random.mjs").Random} Random
 * @typedef {{ engine: import("@pawl/engine").SessionEngine, clock: import("./clock.mjs").ProofClock }} Stage
 * @typedef {{ access: string, refresh: string }} Tokens
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WINDOW = 30 * SECOND;
const DAYS = 30;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * When a thief acts next, and with which token: `stolen`, the one he copied; `newest`, the last he was given.
 * @typedef {object} Strategy
 * @property {"stolen" | "newest"} token
 * @property {number} [first] after the theft; he shadows the victim's refreshes unless given
 * @property {(acts: number) => number} [next]
 * @property {boolean} [costly]
 * @property {boolean} [victimLeaves]
 */

/** @type {Record<string, Strategy>} */
const strategies = {
  "at once, then every hour": { first: SECOND, next: () => HOUR, token: "newest" },
  "at night": { first: 12 * HOUR, next: () => DAY, token: "newest" },
  "five times within a window, every day": {
    first: MINUTE,
    next: (acts) => (acts % 5 === 0 ? DAY : 5 * SECOND),
    token: "newest",
  },
  "polls what he stole, never its successor": {
    first: SECOND,
    next: () => WINDOW + 50,
    token: "stolen",
    costly: true,
  },
  "polls it every two minutes": { first: SECOND, next: () => 2 * MINUTE, token: "stolen" },
  "polls it every hour": { first: SECOND, next: () => HOUR, token: "stolen" },
  "inside the window of the victim, every time": { token: "newest" },
  "after the victim has left for good": { first: SECOND, next: () => HOUR, token: "newest", victimLeaves: true },
};
/** What cannot be told from honest life: published as what it is. */
const residue = new Set(["inside the window of the victim, every time", "after the victim has left for good"]);

/** When somebody who works from nine to five makes the next request. */
const nextRequest = (/** @type {number} */ now, /** @type {Random} */ random) => {
  const next = now + 20 * SECOND + random.below(3 * MINUTE);
  const ofDay = next % DAY;
  if (ofDay < 9 * HOUR) return next - ofDay + 9 * HOUR + random.below(HOUR);
  return ofDay < 17 * HOUR ? next : next - ofDay + DAY + 9 * HOUR + random.below(HOUR);
};

/**
 * Somebody who holds tokens; uses are reported as the backend SDK reports them.
 * @param {Stage} stage
 * @param {Tokens} tokens
 */
const createParty = ({ engine, clock }, tokens) => {
  let reportedAt = -Infinity;
  const party = {
    tokens,
    /** @param {string} [token] @returns {Promise<string>} */
    async refresh(token) {
      const outcome = await engine.refreshSession({ refreshToken: token ?? party.tokens.refresh });
      if (outcome.kind === "refreshed")
        party.tokens = { access: outcome.accessToken.token, refresh: outcome.refreshToken.token };
      return outcome.kind;
    },
    /** @returns {Promise<string>} */
    async request() {
      const verified = await engine.verifyAccessToken({ accessToken: party.tokens.access });
      if (verified.kind !== "valid") return verified.kind;
      const { claims } = verified;
      const age = clock.time - claims.issuedAt;
      const isDue = clock.time - reportedAt >= MINUTE;
      if (isDue && ((claims.parentSeq !== undefined && age > WINDOW) || age >= MINUTE)) {
        reportedAt = clock.time;
        await engine.reportUses([claims]);
      }
      return "valid";
    },
  };
  return party;
};

/**
 * One theft.
 * @param {Stage} stage
 * @param {Strategy} strategy
 * @param {Random} random
 * @returns how long it took until the alarm, and how many requests the thief got through
 */
const steal = async (stage, { first, next, token, victimLeaves = false }, random) => {
  const { engine, clock } = stage;
  clock.time = 1_800_000_000_000 - (1_800_000_000_000 % DAY) + 9 * HOUR;
  const login = await engine.createSession({ userId: userId("victim") });
  const victim = createParty(stage, { access: login.accessToken.token, refresh: login.refreshToken.token });
  let at = nextRequest(clock.time, random);
  /** What the victim's page does. @returns whether it refreshed, or the alarm. */
  const act = async () => ((await victim.request()) === "valid" ? undefined : victim.refresh());
  // The theft falls somewhere into the second day.
  const theftAt = clock.time + DAY + random.below(8 * HOUR);
  for (; at < theftAt; at = nextRequest(at, random)) {
    clock.time = at;
    await act();
  }
  clock.time = theftAt;
  const stolen = { ...victim.tokens };
  const thief = createParty(stage, stolen);
  let requests = 0;
  let acts = 0;
  let thiefAt = first === undefined ? NEVER : theftAt + first;
  if (victimLeaves) at = NEVER;
  const end = theftAt + DAYS * DAY;
  while (Math.min(at, thiefAt) < end) {
    const isVictim = at <= thiefAt;
    clock.time = Math.min(at, thiefAt);
    let outcome;
    if (isVictim) {
      outcome = await act();
      at = nextRequest(at, random);
      if (outcome === "refreshed" && first === undefined) thiefAt = clock.time + 5 * SECOND;
    } else {
      outcome = await thief.refresh(token === "stolen" ? stolen.refresh : undefined);
      if (outcome === "refreshed" && (await thief.request()) === "valid") requests += 1;
      acts += 1;
      thiefAt = clock.time + (next?.(acts) ?? NEVER);
    }
    if (outcome === "token_reuse") return { time: clock.time - theftAt, requests };
    if (outcome !== undefined && outcome !== "refreshed") throw new Error(`neither an answer nor an alarm: ${outcome}`);
  }
  return { time: NEVER, requests };
};

/** @type {(engine: typeof engineModule, strategy: Strategy, options: { runs: number, seed: number }) => Promise<Found>} */
const measure = async ({ createEngine, parseMasterKeys, MemoryStorage }, strategy, { runs, seed }) => {
  const clock = createClock();
  const masterKeys = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
  const engine = await createEngine({ storage: new MemoryStorage({ clock }), masterKeys });
  const caught = [];
  for (let run = 0; run < runs; run += 1)
    caught.push(await steal({ engine, clock }, strategy, createRandom(seed + run)));
  await engine.close();
  const times = caught.map(({ time }) => time);
  return {
    half: quantile(times, 0.5),
    most: quantile(times, 0.95),
    missed: times.filter((time) => time === NEVER).length,
    requests: quantile(
      caught.map(({ requests }) => requests),
      0.5,
    ),
  };
};

/** @typedef {{ half: number, most: number, missed: number, requests: number }} Found */

const durationText = (/** @type {number} */ time) =>
  time === NEVER ? "never" : time < HOUR ? `${Math.round(time / MINUTE)} min` : `${(time / HOUR).toFixed(1)} h`;

/**
 * Each strategy under the rule of now and of before, in which only a use of the newest token said anything.
 * @type {import("./run.mjs").Run}
 */
export const thieves = async (runs, seed, progress) => {
  const rule = mutants.findIndex(({ what }) => what === "only a use of the newest token confirms");
  // A thief who is never caught takes a hundred thousand refreshes each time; the short form leaves him out.
  const before = runs < 50 ? undefined : await brokenEngine(rule);
  const text = (/** @type {Found} */ { half, most, requests }) =>
    `${durationText(half)}, ${durationText(most)}, ${requests} requests`;
  let failures = 0;
  const lines = [];
  for (const [index, [name, strategy]] of Object.entries(strategies).entries()) {
    const found = await measure(engineModule, strategy, { runs, seed });
    if (!residue.has(name)) failures += found.missed;
    const earlier = before && (await measure(before, strategy, { runs: strategy.costly === true ? 3 : runs, seed }));
    lines.push(`${name}: ${text(found)}${earlier === undefined ? "" : ` (before: ${text(earlier)})`}`);
    progress((runs * (index + 1)) / Object.keys(strategies).length);
  }
  return {
    count: runs * Object.keys(strategies).length,
    failures,
    note: `from theft to alarm, half of the thieves and 95 %, and requests the thief got answered: ${lines.join("; ")}`,
  };
};
