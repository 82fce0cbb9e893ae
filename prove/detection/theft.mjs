// One theft in virtual time: a victim, a thief with a copy of the jar, and a rule for what comes back.
import { DAY } from "./victims.mjs";

const SECOND = 1000;
/** How long a thief is watched. */
export const DAYS = 30;
export const NEVER = Number.POSITIVE_INFINITY;
const START = 1_800_000_000_000 - (1_800_000_000_000 % DAY) + DAY / 2;

/**
 * @typedef {import("./rules.mjs").Server} Server
 * @typedef {import("./rules.mjs").Tokens} Tokens
 * @typedef {object} Theft
 * @property {"alarm" | "shut out" | "unnoticed"} end `alarm`: the session ended; `shut out`: the thief has nothing left, the session goes on
 * @property {number} time from the theft to that end, ms
 * @property {number} requests of the thief that were answered
 * @property {boolean} isDisturbed the victim was logged out without an alarm
 */

/**
 * @param {{ server: Server, clock: import("../clock.mjs").ProofClock, strategy: import("./strategies.mjs").Strategy, victim: import("./victims.mjs").Victim, random: import("../random.mjs").Random }} game
 * @returns {Promise<Theft>}
 */
export const steal = async ({ server, clock, strategy, victim, random }) => {
  clock.time = START;
  let jar = await server.logIn();
  let older = jar.refresh;
  const owner = { nextAt: clock.time };
  /** A request of the victim's page. @returns what its refresh came to, where it needed one */
  const visit = async () => {
    clock.time = owner.nextAt;
    owner.nextAt = victim.next(owner.nextAt, random);
    if ((await server.use(jar.access)) === "valid") return undefined;
    const { refresh } = jar;
    const exchange = await server.refresh(refresh, true);
    if (exchange.kind !== "refreshed") return exchange.kind;
    older = refresh;
    jar = exchange.tokens;
    await server.use(jar.access);
    return exchange.kind;
  };
  for (let refreshes = 0; refreshes < 3;) if ((await visit()) === "refreshed") refreshes += 1;
  // At any moment of a day or of a week.
  const theftAt = clock.time + 1 + random.below(victim.period);
  while (owner.nextAt < theftAt) await visit();
  clock.time = theftAt;

  const copy = { ...jar };
  const used = older;
  let held = copy;
  let requests = 0;
  let acts = 0;
  let thiefAt = strategy.first === undefined ? NEVER : theftAt + strategy.first;
  if (strategy.victimLeaves) owner.nextAt = NEVER;
  let isDisturbed = false;
  const tokenOf = { newest: () => held.refresh, stolen: () => copy.refresh, older: () => used, none: () => undefined };

  /** What the thief does. @returns how it ended for him, if it did */
  const act = async () => {
    clock.time = thiefAt;
    acts += 1;
    thiefAt += strategy.next?.(acts) ?? NEVER;
    const refresh = tokenOf[strategy.token]();
    const exchange = refresh === undefined ? undefined : await server.refresh(refresh, false);
    if (exchange?.kind === "alarm") return "alarm";
    if (exchange?.kind === "refreshed") held = exchange.tokens;
    if ((await server.use(held.access)) === "valid") requests += 1;
    else if (exchange?.kind !== "refreshed") return "shut out";
    return undefined;
  };

  const until = theftAt + DAYS * DAY;
  while (Math.min(owner.nextAt, thiefAt) < until) {
    const isVictim = owner.nextAt <= thiefAt;
    const came = await (isVictim ? visit() : act());
    if (isVictim && came === "refreshed" && strategy.first === undefined) thiefAt = clock.time + 5 * SECOND;
    if (isVictim && came === "refused") {
      // Logged out, without anybody knowing why: the session is left to the thief.
      isDisturbed = true;
      owner.nextAt = NEVER;
    }
    if (came === "alarm") return { end: "alarm", time: clock.time - theftAt, requests, isDisturbed };
    if (came === "shut out")
      return { end: "shut out", time: Math.max(0, held.accessUntil - theftAt), requests, isDisturbed };
  }
  return { end: "unnoticed", time: NEVER, requests, isDisturbed };
};
