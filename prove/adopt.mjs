// Sessions of another system that go on without a new login: 0 logouts, 0 second sessions, and none that comes back.
import { MemoryStorage, openStorage } from "@pawl/storage";
import { live, openSite } from "./adoption/lives.mjs";
import { adoptionMutants, brokenAdoption } from "./adoption/mutants.mjs";
import { openStore, storeNames } from "./nodes/stores.mjs";
import { createRandom } from "./random.mjs";
import { withoutWarnings } from "./without-warnings.mjs";

/** @typedef {import("./nodes/stores.mjs").StoreName} StoreName */

/**
 * @param {import("./adoption/lives.mjs").Site} site
 * @param {number} seed
 * @param {{ lives: number, onLife?: (count: number) => void, stopAtFirst?: boolean }} options
 */
const liveMany = async (site, seed, { lives, onLife, stopAtFirst = false }) => {
  let failures = 0;
  for (let life = 0; life < lives; life += 1) {
    const wrong = await live(site, createRandom(seed + life), `user-${life}`);
    if (wrong.length > 0) failures += 1;
    if (stopAtFirst && failures > 0) return { failures };
    if (wrong.length > 0 && failures <= 5) console.error(`--seed ${seed}, life ${life}: ${wrong.join("; ")}`);
    onLife?.(life);
  }
  return { failures };
};

const LIVES_OF_A_SITE = 1000;

const inMemory = async (/** @type {import("@pawl/storage").Clock} */ clock) => new MemoryStorage({ clock });

/** @type {import("./proofs.mjs").Run} */
const memoryLives = async (lives, seed, progress) => {
  let failures = 0;
  // A life takes weeks of the clock, and old cookies are good for a thousand years.
  for (let first = 0; first < lives; first += LIVES_OF_A_SITE) {
    const site = await openSite(inMemory);
    const many = {
      lives: Math.min(LIVES_OF_A_SITE, lives - first),
      onLife: (/** @type {number} */ life) => progress(first + life),
    };
    failures += (await liveMany(site, seed + first, many)).failures;
    await site.close();
  }
  return { count: lives, failures, note: "tabs, lost answers, refreshes, sign-outs, sweeps and thieves, in memory" };
};

/** @type {import("./proofs.mjs").Run} */
const coreLives = async (lives, seed, progress) => {
  const site = await openSite(inMemory, { hasCores: true });
  const { failures } = await liveMany(site, seed, { lives, onLife: progress });
  await site.close();
  return { count: lives, failures, note: "the same, each process with a core of its own" };
};

/** @type {(name: StoreName) => import("./proofs.mjs").Run} */
const storeLives = (name) => async (lives, seed, progress) => {
  const store = await openStore(name);
  try {
    const site = await openSite((clock) => openStorage(store.url, { clock }));
    const { failures } = await liveMany(site, seed, { lives, onLife: progress });
    await site.close();
    return { count: lives, failures, note: `the same on ${name}` };
  } finally {
    await store.close();
  }
};

/** @type {import("./proofs.mjs").Run} */
const brokenLives = async (lives, seed, progress) => {
  /** @type {string[]} */
  const unnoticed = [];
  for (const [index, what] of [...adoptionMutants.map((mutant) => mutant.what), "nothing"].entries()) {
    const isControl = index === adoptionMutants.length;
    const site = await openSite(inMemory, { sdk: await brokenAdoption(index) });
    const { failures } = await liveMany(site, seed, { lives, stopAtFirst: !isControl });
    await site.close();
    if (failures > 0 === isControl) unnoticed.push(what);
    progress((lives * index) / adoptionMutants.length);
  }
  for (const what of unnoticed) console.error(`${what}: ${what === "nothing" ? "said to be broken" : "not noticed"}`);
  return {
    count: adoptionMutants.length,
    failures: unnoticed.length,
    note: `broken adoptions, each in at most ${lives} lives`,
  };
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const adoptionProofs = [
  {
    name: "adopt-memory",
    run: withoutWarnings(memoryLives),
    size: 20_000,
    short: 400,
    what: "sessions of another system; a failure is a logout, a second session, or one that comes back",
  },
  {
    name: "adopt-core",
    run: withoutWarnings(coreLives),
    size: LIVES_OF_A_SITE,
    short: 100,
    what: "sessions of another system; a failure is a logout, a second session, or one that comes back",
  },
  ...storeNames.map((name) => ({
    name: `adopt-${name}`,
    run: withoutWarnings(storeLives(name)),
    size: 1_000,
    short: 20,
    what: "sessions of another system; a failure is a logout, a second session, or one that comes back",
  })),
  {
    name: "adopt-broken",
    run: withoutWarnings(brokenLives),
    size: 300,
    short: 100,
    what: "a failure is a broken adoption that is not noticed",
  },
];
