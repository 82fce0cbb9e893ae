// How soon a thief is caught, by what he does: on the real engine in virtual time, beside the rule of before.
import { createEngine, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage } from "@pawl/storage";
import { brokenEngine, mutants } from "./interleavings/mutants.mjs";
import { createRandom } from "./random.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WINDOW = 30 * SECOND;
const DAYS = 30;
const NEVER = Number.POSITIVE_INFINITY;

/** When a thief acts next, and with which token: `stolen`, the one he copied; `newest`, the last he was given. */
const strategies = {
  "at once, then every hour": { first: SECOND, next: () => HOUR, token: "newest" },
  "at night": { first: 12 * HOUR, next: () => DAY, token: "newest" },
  "five times within a window, every day": {
    first: MINUTE,
    next: (_, acts) => (acts % 5 === 0 ? DAY : 5 * SECOND),
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
  "inside the window of the victim, every time": { shadows: true, token: "newest" },
  "after the victim has left for good": { first: SECOND, next: () => HOUR, token: "newest", victimLeaves: true },
};
/** What cannot be told from honest life: published as what it is. */
const residue = new Set(["inside the window of the victim, every time", "after the victim has left for good"]);

/** When somebody who works from nine to five makes the next request. */
const nextRequest = (now, random) => {
  const next = now + 20 * SECOND + random.below(3 * MINUTE);
  const ofDay = next % DAY;
  if (ofDay < 9 * HOUR) return next - ofDay + 9 * HOUR + random.below(HOUR);
  return ofDay < 17 * HOUR ? next : next - ofDay + DAY + 9 * HOUR + random.below(HOUR);
};

/** Somebody who holds tokens; uses are reported as the backend SDK reports them. */
const createParty = ({ engine, clock }, tokens) => {
  const party = { tokens, reportedAt: -Infinity };
  party.refresh = async (token = party.tokens.refresh) => {
    const outcome = await engine.refreshSession({ refreshToken: token });
    if (outcome.kind === "refreshed")
      party.tokens = { access: outcome.accessToken.token, refresh: outcome.refreshToken.token };
    return outcome.kind;
  };
  party.request = async () => {
    const verified = await engine.verifyAccessToken({ accessToken: party.tokens.access });
    if (verified.kind !== "valid") return verified.kind;
    const { claims } = verified;
    const age = clock.time - claims.issuedAt;
    const isDue = clock.time - party.reportedAt >= MINUTE;
    if ((claims.parentSeq !== undefined && age > WINDOW && isDue) || (age >= MINUTE && isDue)) {
      party.reportedAt = clock.time;
      await engine.reportUses([claims]);
    }
    return "valid";
  };
  return party;
};

/** One theft. @returns how long it took until the alarm, and how many requests the thief got through. */
const steal = async (stage, strategy, random) => {
  const { engine, clock } = stage;
  clock.time = 1_800_000_000_000 - (1_800_000_000_000 % DAY) + 9 * HOUR;
  const login = await engine.createSession({ userId: "victim" });
  const victim = createParty(stage, { access: login.accessToken.token, refresh: login.refreshToken.token });
  let at = nextRequest(clock.time, random);
  /** What the victim's page does. @returns whether it refreshed, or the alarm. */
  const act = async () => {
    if ((await victim.request()) === "valid") return undefined;
    return victim.refresh();
  };
  // The theft falls somewhere into the second day.
  const theftAt = clock.time + DAY + random.below(8 * HOUR);
  for (; at < theftAt; at = nextRequest(at, random)) {
    clock.time = at;
    await act();
  }
  clock.time = theftAt;
  const stolen = { ...victim.tokens };
  const thief = createParty(stage, { ...stolen });
  let requests = 0;
  let acts = 0;
  let thiefAt = strategy.shadows ? NEVER : theftAt + strategy.first;
  if (strategy.victimLeaves) at = NEVER;
  const end = theftAt + DAYS * DAY;
  while (Math.min(at, thiefAt) < end) {
    const isVictim = at <= thiefAt;
    clock.time = Math.min(at, thiefAt);
    let outcome;
    if (isVictim) {
      outcome = await act();
      at = nextRequest(at, random);
      if (outcome === "refreshed" && strategy.shadows) thiefAt = clock.time + 5 * SECOND;
    } else {
      outcome = await thief.refresh(strategy.token === "stolen" ? stolen.refresh : undefined);
      if (outcome === "refreshed" && (await thief.request()) === "valid") requests += 1;
      acts += 1;
      thiefAt = strategy.shadows ? NEVER : clock.time + strategy.next(random, acts);
    }
    if (outcome === "token_reuse") return { time: clock.time - theftAt, requests };
    if (outcome !== undefined && outcome !== "refreshed") throw new Error(`neither an answer nor an alarm: ${outcome}`);
  }
  return { time: NEVER, requests };
};

const measure = async (engineModule, strategy, { runs, seed }) => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const storage = new engineModule.MemoryStorage({ clock });
  const engine = await engineModule.createEngine({
    storage,
    masterKeys: engineModule.parseMasterKeys(Buffer.alloc(32, 7).toString("base64")),
  });
  const caught = [];
  for (let run = 0; run < runs; run += 1)
    caught.push(await steal({ engine, clock }, strategy, createRandom(seed + run)));
  await engine.close();
  const times = caught.map(({ time }) => time).sort((one, other) => one - other);
  const requests = caught.map(({ requests }) => requests).sort((one, other) => one - other);
  const at = (list, part) => list[Math.min(list.length - 1, Math.floor(list.length * part))];
  return {
    half: at(times, 0.5),
    most: at(times, 0.95),
    missed: times.filter((time) => time === NEVER).length,
    requests: at(requests, 0.5),
  };
};

const durationText = (time) =>
  time === NEVER ? "never" : time < HOUR ? `${Math.round(time / MINUTE)} min` : `${(time / HOUR).toFixed(1)} h`;

/** Each strategy under the rule of now and of before, in which only a use of the newest token said anything. */
export const thieves = async (runs, seed, progress) => {
  const rule = mutants.findIndex(({ what }) => what === "only a use of the newest token confirms");
  const now = { createEngine, parseMasterKeys, MemoryStorage };
  // A thief who is never caught takes a hundred thousand refreshes each time; the short form leaves him out.
  const before = runs < 50 ? undefined : await brokenEngine(rule);
  const text = ({ half, most, requests }) => `${durationText(half)}, ${durationText(most)}, ${requests} requests`;
  let failures = 0;
  const lines = [];
  for (const [index, [name, strategy]] of Object.entries(strategies).entries()) {
    const found = await measure(now, strategy, { runs, seed });
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
