// Every order of what browsers, thieves and failing stores can do, on the real engine, with an oracle beside it.
import { millis } from "@pawl/storage";
import { handleOf } from "@pawl/engine";
import { brokenByChange, changeMutants } from "./interleavings/change-mutants.mjs";
import { changeSets, openChangesStage, runChanges } from "./interleavings/changes.mjs";
import { explore } from "./interleavings/explorer.mjs";
import { exploreInPlace, openInPlaceStage } from "./interleavings/in-place.mjs";
import { liveInPlace } from "./interleavings/in-place-lives.mjs";
import { brokenSdk, sdkMutants } from "./interleavings/in-place-mutants.mjs";
import { brokenEngine, mutants } from "./interleavings/mutants.mjs";
import { brokenLines, openGatedStage, operationSets, runSchedules } from "./interleavings/schedules.mjs";
import { openStage } from "./interleavings/stage.mjs";
import { copiesIn } from "./interleavings/world.mjs";
import { createRandom } from "./random.mjs";

/**
 * @typedef {import("./interleavings/world.mjs").Life} Life
 * @typedef {import("./interleavings/world.mjs").World} World
 * @typedef {import("./faults/stage.mjs").StoreKind} StoreKind
 */

/** An idle timeout of a few reuse windows. */
const IDLE = millis(300_000);

/**
 * Classes of lives: what is in them, how many runs at most, and how many in the short form.
 * @type {Record<string, { life: Life, store?: StoreKind, size: number, short: number }>}
 */
const lives = {
  "one-client": { life: { tabs: 1, arrivals: 2 }, size: 20_000, short: 2_000 },
  "one-client-and-oracle": { life: { tabs: 1, arrivals: 2, oracle: true }, size: 50_000, short: 1_500 },
  "two-tabs": { life: { tabs: 2, arrivals: 2 }, size: 150_000, short: 8_000 },
  "two-tabs-finely": { life: { tabs: 2, step: 1 }, size: 250_000, short: 6_000 },
  "three-tabs": { life: { tabs: 3 }, size: 200_000, short: 8_000 },
  "server-side-rendering": { life: { tabs: 1, servers: 1 }, size: 120_000, short: 6_000 },
  "lost-commits-one-client": { life: { tabs: 1, arrivals: 2, losses: 3 }, size: 60_000, short: 3_000 },
  "lost-commits-two-tabs": { life: { tabs: 2, losses: 3, step: 1, exchange: 1 }, size: 100_000, short: 4_000 },
  "thief-apart": { life: { tabs: 1, thief: "apart", exact: true }, size: 20_000, short: 3_000 },
  "thief-apart-two-tabs": { life: { tabs: 2, thief: "apart", exact: true }, size: 40_000, short: 3_000 },
  "thief-in-bursts": { life: { tabs: 1, thief: "bursts" }, size: 40_000, short: 1_500 },
  "thief-at-any-time": { life: { tabs: 2, thief: "free" }, size: 40_000, short: 1_500 },
  "thief-who-polls": { life: { tabs: 1, thief: "polling" }, size: 40_000, short: 3_000 },
  "thief-and-lost-commits": { life: { tabs: 1, thief: "apart", losses: 2 }, size: 40_000, short: 1_500 },
  "thief-of-access-tokens": { life: { tabs: 2, thief: "access_only" }, size: 40_000, short: 2_000 },
  "idle-one-client": { life: { tabs: 1, arrivals: 2, idle: IDLE }, size: 60_000, short: 2_000 },
  "idle-two-tabs": { life: { tabs: 2, idle: IDLE }, size: 100_000, short: 4_000 },
  "sqlite-idle-two-tabs": { life: { tabs: 2, idle: IDLE }, store: "sqlite", size: 20_000, short: 500 },
  "sqlite-two-tabs": { life: { tabs: 2, arrivals: 2 }, store: "sqlite", size: 30_000, short: 1_000 },
  "sqlite-lost-commits": { life: { tabs: 1, losses: 3 }, store: "sqlite", size: 20_000, short: 500 },
  "sqlite-thief-apart": { life: { tabs: 1, thief: "apart", exact: true }, store: "sqlite", size: 20_000, short: 1_000 },
};

/** @type {(found: Awaited<ReturnType<typeof explore>>, life: Life) => string} */
const noteOf = ({ states, isClosed, alarms, exact, late, latest, missed, early }, life) => {
  const reach = isClosed ? `all ${states} states, so runs of any length` : `${states} states, nearest first`;
  if (life.thief === undefined || life.thief === "access_only") return `${reach}; ${alarms} alarms`;
  const others = late === 0 ? "" : `, ${late} up to ${latest} rotations later`;
  return `${reach}; ${alarms} alarms: ${exact} at the first event no honest client can have caused${others}, ${early} earlier; ${missed} missed`;
};

const policyOf = (/** @type {Life} */ { idle }) => (idle === undefined ? {} : { idleTimeout: millis(idle) });

/** @type {(lives: { life: Life, store?: StoreKind }) => import("./proofs.mjs").Run} */
const proveLife = ({ life, store = "memory" }) =>
  async function prove(limit, _seed, progress) {
    const stage = await openStage(store, { policy: policyOf(life) });
    const found = await explore(life, { stage, limit, onRun: (run) => run % 1000 === 0 && progress(run) });
    await stage.close();
    for (const story of found.stories) console.error(story);
    const unpunctual = life.exact === true ? found.late : 0;
    const failures = found.broken + found.early + unpunctual + found.missed;
    return { count: found.runs, failures, note: noteOf(found, life) };
  };

/**
 * Worlds with parties in different places, each kind once.
 * @param {import("./interleavings/stage.mjs").Stage} stage
 * @param {number} limit
 */
const someWorlds = async (stage, limit) => {
  /** @type {Map<string, World>} */
  const worlds = new Map();
  await explore(
    { tabs: 1, thief: "bursts", losses: 1 },
    {
      stage,
      limit,
      onWorld: (world) => {
        const { current, next, issuedAt } = world.row;
        const ages = copiesIn(world).map(({ seq, iat }) => `${seq - next}:${world.now - iat}`);
        worlds.set(
          JSON.stringify([
            next - current,
            world.now - issuedAt,
            world.commits.length > 0,
            [...new Set(ages)].toSorted(),
          ]),
          world,
        );
      },
    },
  );
  return [...worlds.values()];
};

/** @type {(store: StoreKind, around?: import("./interleavings/schedules.mjs").BrokenLine) => import("./proofs.mjs").Run} */
const proveSchedules = (store, around) =>
  async function prove(limit, _seed, progress) {
    const stage = await openGatedStage(store, around);
    const worlds = await someWorlds(stage, limit / 20);
    let count = 0;
    let sets = 0;
    /** @type {string[]} */
    const wrong = [];
    for (const world of worlds)
      for (const operations of operationSets(world)) {
        if (count >= limit || (around !== undefined && wrong.length > 0)) break;
        const result = await runSchedules({ stage, world, handle: handleOf(world.row) }, operations);
        sets += 1;
        count += result.runs;
        wrong.push(...result.wrong);
        progress(count);
      }
    await stage.close();
    if (around === undefined) for (const story of wrong.slice(0, 5)) console.error(story);
    return { count, failures: wrong.length, note: `${sets} sets of two or three operations, each in all orders` };
  };

/**
 * @param {number} limit
 * @param {{ engineModule?: import("./interleavings/stage.mjs").EngineModule, onRun?: (runs: number) => void }} [options]
 */
const exploreChanges = async (limit, { engineModule, onRun } = {}) => {
  const stage = await openChangesStage(engineModule);
  const sets = changeSets();
  let [runs, tried] = [0, 0];
  /** @type {string[]} */
  const wrong = [];
  for (const todo of sets) {
    if (runs >= limit || (engineModule !== undefined && wrong.length > 0)) break;
    const result = await runChanges(stage, todo);
    tried += 1;
    runs += result.runs;
    wrong.push(...result.wrong);
    onRun?.(runs);
  }
  await stage.close();
  return { runs, wrong, reach: tried === sets.length ? `all ${tried}` : String(tried) };
};

/** @type {import("./proofs.mjs").Run} */
const proveChanges = async (limit, _seed, progress) => {
  const { runs, wrong, reach } = await exploreChanges(limit, { onRun: progress });
  for (const story of wrong.slice(0, 5)) console.error(story);
  const note = `${reach} sets of two or three operations with a change among them, each in all orders, on two nodes`;
  return { count: runs, failures: wrong.length, note };
};

/** @type {import("./proofs.mjs").Run} */
const proveChangeMutants = async (limit, _seed, progress) => {
  const survivors = [];
  for (const [index, { what }] of changeMutants.entries()) {
    const { wrong } = await exploreChanges(limit, { engineModule: await brokenByChange(index) });
    if (wrong.length === 0) survivors.push(what);
    progress((limit * index) / changeMutants.length);
  }
  const control = await exploreChanges(1000, { engineModule: await brokenByChange(changeMutants.length) });
  if (control.wrong.length > 0) survivors.push("the control, in which nothing is broken");
  for (const what of survivors) console.error(`not told from the real engine: ${what}`);
  return {
    count: changeMutants.length + 1,
    failures: survivors.length,
    note: "engines in which one thing about changes is broken, each noticed, and one that is whole",
  };
};

/** Where a broken engine is looked for. @type {readonly Life[]} */
const searched = [
  { tabs: 1, thief: "apart", exact: true },
  { tabs: 1, arrivals: 2 },
  { tabs: 1, losses: 2 },
  { tabs: 2 },
  { tabs: 1, thief: "polling" },
];

/** A store that takes no note of activity, only of what confirms. @type {import("./interleavings/stage.mjs").Around} */
const forgetActivity = (method, call, [notes, policy], storage) =>
  method === "reportUses"
    ? storage.reportUses(notes, { ...policy, activityInterval: millis(Number.POSITIVE_INFINITY) })
    : call();

/** @param {import("./interleavings/stage.mjs").EngineModule} engineModule @param {number} limit */
const isCaught = async (engineModule, limit) => {
  for (const life of searched) {
    const stage = await openStage("memory", { engineModule });
    const { stories } = await explore(life, { stage, limit, stopAtFirst: true });
    await stage.close();
    if (stories.length > 0) return true;
  }
  return false;
};

/** @type {import("./proofs.mjs").Run} */
const proveMutants = async (limit, _seed, progress) => {
  const survivors = [];
  for (const [index, { what }] of mutants.entries()) {
    if (!(await isCaught(await brokenEngine(index), limit))) survivors.push(what);
    progress((limit * index) / mutants.length);
  }
  const idle = { tabs: 1, arrivals: 2, idle: IDLE };
  const stage = await openStage("memory", { around: forgetActivity, policy: policyOf(idle) });
  if ((await explore(idle, { stage, limit, stopAtFirst: true })).stories.length === 0)
    survivors.push("an answer inside the window is no activity");
  await stage.close();
  for (const [what, around] of Object.entries(brokenLines))
    if ((await proveSchedules("memory", around)(4_000, 0, () => undefined)).failures === 0) survivors.push(what);
  // What catches everything, also an engine in which nothing is broken, would prove nothing.
  if (await isCaught(await brokenEngine(mutants.length), 1000))
    survivors.push("the control, in which nothing is broken");
  for (const what of survivors) console.error(`not told from the real engine: ${what}`);
  const count = mutants.length + Object.keys(brokenLines).length + 2;
  return {
    count,
    failures: survivors.length,
    note: "deliberately broken engines, each noticed, and one that is whole",
  };
};

/** How many requests that refresh in place are under way at once, and how many runs are made. */
const inPlace = {
  "one-request": { tabs: 1, size: 20_000, short: 500 },
  "two-requests": { tabs: 2, size: 100_000, short: 2_000 },
  "three-requests": { tabs: 3, size: 100_000, short: 2_000 },
};

/** @type {(life: { tabs: number }) => import("./proofs.mjs").Run} */
const proveInPlace = (life) =>
  async function prove(limit, _seed, progress) {
    const stage = await openInPlaceStage();
    const onRun = (/** @type {number} */ run) => run % 1000 === 0 && progress(run);
    const { runs, states, isClosed, stories } = await exploreInPlace(life, { stage, limit, onRun });
    await stage.close();
    for (const story of stories.slice(0, 5)) console.error(story);
    const reach = isClosed ? `all ${states} states, so runs of any length` : `${states} states, nearest first`;
    return { count: runs, failures: stories.length, note: `${reach}; ${stories.length} alarms` };
  };

/** @type {import("./proofs.mjs").Run} */
const proveInPlaceLives = async (size, seed, progress) => {
  const onLife = (/** @type {number} */ life) => life % 100 === 0 && progress(life);
  const { requests, refreshed, raced, failures } = await liveInPlace(size, { random: createRandom(seed), onLife });
  for (const { story } of failures.slice(0, 3)) console.error(story.join("\n"));
  const note = `${requests} requests, ${refreshed} answers with new cookies; ${raced} answers of a session that had ended met the next login`;
  return { count: size, failures: failures.length, note };
};

/** A broken SDK is looked for in so many lives, and in so many runs of the explorer; most take a few. */
const MOST_LIVES = 3_000;
const MOST_RUNS = 100_000;

/** @type {import("./proofs.mjs").Run} */
const proveInPlaceMutants = async (size, seed, progress) => {
  /** @type {string[]} */
  const survivors = [];
  let [lives, runs] = [0, 0];
  for (const [index, { what, isTimed }] of sdkMutants.entries()) {
    const sdk = await brokenSdk(index);
    const lived = await liveInPlace(MOST_LIVES, { random: createRandom(seed), sdk, stopAtFirst: true });
    if (lived.failures.length === 0) survivors.push(what);
    lives = Math.max(lives, lived.lives);
    // It takes some ten thousand runs.
    if (isTimed === true && size > 100) {
      const stage = await openInPlaceStage(sdk);
      const explored = await exploreInPlace({ tabs: 2 }, { stage, limit: MOST_RUNS, stopAtFirst: true });
      await stage.close();
      if (explored.stories.length === 0) survivors.push(`${what}, to the explorer`);
      runs = Math.max(runs, explored.runs);
    }
    progress((size * index) / sdkMutants.length);
  }
  const whole = await liveInPlace(size, { random: createRandom(seed), sdk: await brokenSdk(sdkMutants.length) });
  if (whole.failures.length > 0) survivors.push("the control, in which nothing is broken");
  for (const what of survivors) console.error(`not told from the real SDK: ${what}`);
  const explored = runs === 0 ? "" : `, to the explorer in ${runs} runs`;
  const note = `deliberately broken SDKs, each noticed in ${lives} lives at most${explored}; and one that is whole`;
  return { count: sdkMutants.length + 1, failures: survivors.length, note };
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const interleavings = [
  ...Object.entries(lives).map(([name, { size, short, ...rest }]) => ({
    name: `interleavings-${name}`,
    run: proveLife(rest),
    size,
    short,
    what: "a failure is a false alarm, a broken rule, or a theft not noticed in time",
  })),
  .../** @type {StoreKind[]} */ (["memory", "sqlite"]).map((store) => ({
    name: `interleavings-concurrent-${store}`,
    run: proveSchedules(store),
    size: store === "memory" ? 100_000 : 10_000,
    short: store === "memory" ? 3_000 : 500,
    what: "operations at once, stopped at each await; a failure is a result that no order of whole operations gives",
  })),
  {
    name: "interleavings-changes",
    run: proveChanges,
    size: 10_000,
    short: 500,
    what: "a failure is an older payload taken by a verifier that has heard of a newer one, or somebody refused for good",
  },
  {
    name: "interleavings-change-mutants",
    run: proveChangeMutants,
    size: 10_000,
    short: 6_000,
    what: "broken engines; a failure is one that was taken for the real one",
  },
  {
    name: "interleavings-mutants",
    run: proveMutants,
    size: 30_000,
    short: 6_000,
    what: "broken engines; a failure is one that was taken for the real one",
  },
  ...Object.entries(inPlace).map(([name, { size, short, ...life }]) => ({
    name: `interleavings-in-place-${name}`,
    run: proveInPlace(life),
    size,
    short,
    what: "requests that refresh in place; a failure is a false alarm or a logout",
  })),
  {
    name: "interleavings-in-place-lives",
    run: proveInPlaceLives,
    size: 10_000,
    short: 150,
    what: "the same by chance, through the adapters; a failure is an honest user logged out",
  },
  {
    name: "interleavings-in-place-mutants",
    run: proveInPlaceMutants,
    size: 1_000,
    short: 100,
    what: "broken SDKs; a failure is one that was taken for the real one",
  },
];
