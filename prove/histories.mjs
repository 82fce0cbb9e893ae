// Random lives on the real engine, in virtual time: browsers with several tabs, lost, late and reordered answers.
import { openEngine } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
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

const open = async () => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const storage = new MemoryStorage({ clock });
  const { engine, close } = await openEngine({ storage });
  return { clock, engine, close };
};

/** What a browser holds, and how it behaves. Answers arrive within a third of a window, or never. */
const createBrowser = (engine, clock, random, issued) => {
  let jar = { access: issued.accessToken.token, refresh: issued.refreshToken.token };
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
    /** A protected call as `@pawl/node` treats it: verify, and report a use that is older than the window. */
    async use() {
      const verified = await engine.verifyAccessToken({ accessToken: jar.access });
      if (verified.kind !== "valid") return verified.kind;
      const { claims } = verified;
      if (claims.parentSeq !== undefined && clock.time - claims.issuedAt > WINDOW) await engine.reportUses([claims]);
      return "valid";
    },
    /** One refresh per tab, all with the jar as it is now; each answer may be lost or late. */
    async refresh(tabs) {
      const { refresh } = jar;
      const outcomes = [];
      for (let tab = 0; tab < tabs; tab += 1) {
        clock.time += random.below(3 * SECOND);
        const outcome = await engine.refreshSession({ refreshToken: refresh });
        outcomes.push(outcome.kind);
        if (outcome.kind === "refreshed" && !random.chance(0.25))
          underway.push({
            at: clock.time + random.below(WINDOW / 3 - 3 * SECOND * tabs),
            jar: { access: outcome.accessToken.token, refresh: outcome.refreshToken.token },
          });
      }
      return outcomes;
    },
  };
};

const waitFor = (browser, clock, gap) => {
  const until = clock.time + gap;
  while (browser.nextArrival() <= until) {
    clock.time = Math.max(clock.time, browser.nextArrival());
    browser.arrive();
  }
  clock.time = until;
};

/** Honest browsers only: every refresh has to succeed. */
export const histories = async (count, seed, progress) => {
  const { clock, engine, close } = await open();
  let failures = 0;
  let refreshes = 0;
  for (let run = 0; run < count; run += 1) {
    const random = createRandom(seed + run);
    const issued = await engine.createSession({ userId: `user-${run}` });
    const browser = createBrowser(engine, clock, random, issued);
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

/** A thief copies the jar at some point; thief and victim act more than a window apart, and their uses are reported. */
export const thefts = async (count, seed, progress) => {
  const { clock, engine, close } = await open();
  let failures = 0;
  const eventsUntilAlarm = [];
  for (let run = 0; run < count; run += 1) {
    const random = createRandom(seed + run);
    const issued = await engine.createSession({ userId: `user-${run}` });
    const victim = createBrowser(engine, clock, random, issued);
    for (let step = random.below(4); step > 0; step -= 1) {
      waitFor(victim, clock, 2 * WINDOW + random.pick(GAPS));
      await victim.refresh(1);
      waitFor(victim, clock, WINDOW);
    }
    const copied = victim.copy();
    const thief = createBrowser(engine, clock, random, {
      accessToken: { token: copied.access },
      refreshToken: { token: copied.refresh },
    });
    let noticed = false;
    let acts = 0;
    const order = random.chance(0.5) ? [thief, victim] : [victim, thief];
    while (!noticed && acts < 40) {
      const actor = order[acts % 2];
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
