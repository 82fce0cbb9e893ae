// Random lives on the real engine, in virtual time: browsers with several tabs, lost, late and reordered answers.
import { openEngine } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
import { createClock } from "./clock.mjs";
import { userId } from "./identifiers.mjs";
import { createRandom } from "./random.mjs";

const SECOND = 1000;
const WINDOW = 30 * SECOND;
const MINUTE = 60 * SECOND;
const GAPS = [
  50,
  SECOND,
  5 * SECOND,
  29 * SECOND,
  31 * SECOND,
  MINUTE,
  20 * MINUTE,
  3 * 60 * MINUTE,
  26 * 60 * MINUTE,
  9 * 24 * 60 * MINUTE,
];

/** @returns {Jar} */
const jarOf = (/** @type {import("@pawl/engine").IssuedSession} */ { accessToken, refreshToken }) => ({
  access: accessToken.token,
  refresh: refreshToken.token,
});

const open = async () => {
  const clock = createClock();
  const storage = new MemoryStorage({ clock });
  const { engine, close } = await openEngine({ storage });
  return { clock, engine, close };
};

/**
 * @typedef {Awaited<ReturnType<typeof open>>} Stage
 * @typedef {ReturnType<typeof createBrowser>} Browser
 * @typedef {{ access: string, refresh: string }} Jar
 */

/**
 * What a browser holds, and how it behaves. Answers arrive within a third of a window, or never.
 * @param {Stage} stage
 * @param {import("./random.mjs").Random} random
 * @param {Jar} jar
 */
const createBrowser = ({ engine, clock }, random, jar) => {
  /** @type {{ at: number, jar: Jar }[]} */
  const underway = [];

  const arrive = () => {
    for (const answer of underway.filter(({ at }) => at <= clock.time)) {
      underway.splice(underway.indexOf(answer), 1);
      jar = answer.jar;
    }
  };
  return {
    arrive,
    /** The moment the next answer arrives, if any is under way. */
    nextArrival: () => Math.min(...underway.map(({ at }) => at)),
    copy: () => ({ ...jar }),
    /** A protected call as `@pawl/supertokens` treats it: verify, and report a use that is older than the window. */
    async use() {
      const verified = await engine.verifyAccessToken({ accessToken: jar.access });
      if (verified.kind !== "valid") return verified.kind;
      const { claims } = verified;
      if (claims.parentSeq !== undefined && clock.time - claims.issuedAt > WINDOW) await engine.reportUses([claims]);
      return "valid";
    },
    /** One refresh per tab, all with the jar as it is now; each answer may be lost or late. */
    async refresh(/** @type {number} */ tabs) {
      const { refresh } = jar;
      const outcomes = [];
      for (let tab = 0; tab < tabs; tab += 1) {
        clock.time += random.below(3 * SECOND);
        const outcome = await engine.refreshSession({ refreshToken: refresh });
        outcomes.push(outcome.kind);
        if (outcome.kind === "refreshed" && !random.chance(0.25))
          underway.push({ at: clock.time + random.below(WINDOW / 3 - 3 * SECOND * tabs), jar: jarOf(outcome) });
      }
      return outcomes;
    },
  };
};

/** @param {Browser} browser @param {Stage["clock"]} clock @param {number} gap */
const waitFor = (browser, clock, gap) => {
  const until = clock.time + gap;
  while (browser.nextArrival() <= until) {
    clock.time = Math.max(clock.time, browser.nextArrival());
    browser.arrive();
  }
  clock.time = until;
};

/** Honest browsers only: every refresh has to succeed. @type {import("./proofs.mjs").Run} */
export const histories = async (count, seed, progress) => {
  const stage = await open();
  const { clock, engine, close } = stage;
  let failures = 0;
  let refreshes = 0;
  for (let run = 0; run < count; run += 1) {
    const random = createRandom(seed + run);
    const issued = await engine.createSession({ userId: userId(`user-${run}`) });
    const browser = createBrowser(stage, random, jarOf(issued));
    let alive = true;
    for (let step = 0; alive && step < 30; step += 1) {
      waitFor(browser, clock, random.pick(GAPS) + random.below(2 * SECOND));
      if ((await browser.use()) === "unauthorised") alive = false;
      if (!random.chance(0.5)) continue;
      const outcomes = await browser.refresh(1 + random.below(3));
      refreshes += outcomes.length;
      alive &&= outcomes.every((outcome) => outcome === "refreshed");
    }
    if (!alive) failures += 1;
    await engine.revokeSessions([issued.session.handle]);
    if (run % 200 === 0) {
      await engine.sweep();
      progress(run);
    }
  }
  await close();
  return { count, failures, note: `${refreshes} refreshes, 1 to 3 tabs, a quarter of the answers lost` };
};

/** A thief copies the jar at some point; thief and victim act more than a window apart, and their uses are reported. @type {import("./proofs.mjs").Run} */
export const thefts = async (count, seed, progress) => {
  const stage = await open();
  const { clock, engine, close } = stage;
  let failures = 0;
  /** @type {number[]} */
  const eventsUntilAlarm = [];
  for (let run = 0; run < count; run += 1) {
    const random = createRandom(seed + run);
    const issued = await engine.createSession({ userId: userId(`user-${run}`) });
    const victim = createBrowser(stage, random, jarOf(issued));
    for (let step = random.below(4); step > 0; step -= 1) {
      waitFor(victim, clock, 2 * WINDOW + random.pick(GAPS));
      await victim.refresh(1);
      waitFor(victim, clock, WINDOW);
    }
    const thief = createBrowser(stage, random, victim.copy());
    let noticed = false;
    let acts = 0;
    const isThiefFirst = random.chance(0.5);
    while (!noticed && acts < 40) {
      const actor = isThiefFirst === (acts % 2 === 0) ? thief : victim;
      acts += 1;
      waitFor(actor, clock, 2 * WINDOW + random.pick(GAPS));
      noticed = (await actor.refresh(1)).includes("token_reuse");
      waitFor(actor, clock, WINDOW + 2 * SECOND + WINDOW);
      if (!noticed) await actor.use();
    }
    if (noticed) eventsUntilAlarm.push(acts);
    else failures += 1;
    await engine.revokeSessions([issued.session.handle]);
    if (run % 200 === 0) {
      await engine.sweep();
      progress(run);
    }
  }
  await close();
  const latest = Math.max(0, ...eventsUntilAlarm);
  const mean = eventsUntilAlarm.reduce((sum, acts) => sum + acts, 0) / Math.max(1, eventsUntilAlarm.length);
  return {
    count,
    failures,
    note: `alarm after ${mean.toFixed(2)} refreshes of either party on average, ${latest} at the latest`,
  };
};
