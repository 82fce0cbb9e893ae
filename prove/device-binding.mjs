// A session that is bound to its device: every order of what its browser and a thief with its jar can do, on the real SDK.
import { ANSWERS } from "./device-binding/browser.mjs";
import { exploreBinding } from "./device-binding/explorer.mjs";
import { forgeProofs } from "./device-binding/forgeries.mjs";
import { liveBound } from "./device-binding/lives.mjs";
import { brokenBinding, bindingMutants } from "./device-binding/mutants.mjs";
import { openDeviceStage } from "./device-binding/stage.mjs";
import { createRandom } from "./random.mjs";
import { withoutWarnings } from "./without-warnings.mjs";

/** @typedef {import("./device-binding/world.mjs").Life} Life */

const UNPROVEN = ["arrive 0 unproven", "deliver 0 0"];

/**
 * Classes of lives: what is in them, how many runs at most, and how many in the short form.
 * @type {Record<string, { life: Life, size: number, short: number }>}
 */
const lives = {
  "one-page": { life: { pages: 1, arrivals: 2 }, size: 5_000, short: 150 },
  "two-pages": { life: { pages: 2 }, size: 8_000, short: 150 },
  "login-elsewhere": { life: { pages: 1, elsewhere: true }, size: 4_000, short: 150 },
  restarts: { life: { pages: 1, bound: true, restarts: true, hindered: true }, size: 4_000, short: 100 },
  "lost-commits": { life: { pages: 1, losses: 2 }, size: 4_000, short: 100 },
  "login-again": { life: { pages: 1, again: true }, size: 1_000, short: 20 },
  "every-answer": {
    life: {
      pages: 1,
      bound: true,
      again: true,
      restarts: true,
      hindered: true,
      proxied: true,
      starts: [
        ["lose the access cookie"],
        ["lose the access cookie", "refresh", ...UNPROVEN, ...UNPROVEN, ...UNPROVEN, ...UNPROVEN, "arrive 0 unproven"],
        ["sign out", "refresh"],
      ],
    },
    size: 8_000,
    short: 250,
  },
  "store-down": { life: { pages: 1, down: true, restarts: true }, size: 4_000, short: 150 },
  thief: { life: { pages: 1, bound: true, thief: "bound" }, size: 4_000, short: 200 },
  "thief-two-pages": { life: { pages: 2, bound: true, restarts: true, thief: "bound" }, size: 4_000, short: 200 },
  "thief-before-binding": { life: { pages: 1, elsewhere: true, thief: "any time" }, size: 4_000, short: 150 },
  "thief-where-required": {
    life: { pages: 1, thief: "any time", policy: "require" },
    size: 4_000,
    short: 150,
  },
};

/** @typedef {Awaited<ReturnType<typeof exploreBinding>>} Found @type {(found: Found, life: Life) => string} */
const noteOf = ({ states, isClosed, thefts, gained, logouts, answers }, life) => {
  const notes = [isClosed ? `all ${states} states, so runs of any length` : `${states} states, nearest first`];
  if (life.thief !== undefined) notes.push(`${thefts} attempts of the thief`);
  if (gained > 0)
    notes.push(
      `${gained} of them with what he copied before the binding was answered, and used before the key had proved a refresh`,
    );
  if (logouts > 0) notes.push(`${logouts} requests of a browser that had to destroy its key`);
  if (life.proxied) notes.push(ANSWERS.map((name) => `${name}: ${answers.get(name) ?? 0}`).join(", "));
  return notes.join("; ");
};

/** @type {(life: Life) => import("./proofs.mjs").Run} */
const proveLife = (life) =>
  async function prove(limit, _seed, progress) {
    const stage = await openDeviceStage({ deviceBinding: life.policy });
    const onRun = (/** @type {number} */ run) => run % 1000 === 0 && progress(run);
    const found = await exploreBinding(life, { stage, limit, onRun });
    await stage.close();
    for (const story of found.stories.slice(0, 5)) console.error(story);
    const never = life.proxied ? ANSWERS.filter((name) => !found.answers.has(name)) : [];
    for (const name of never) console.error(`no browser was ever answered: ${name}`);
    return { count: found.runs, failures: found.stories.length + never.length, note: noteOf(found, life) };
  };

/** @type {import("./proofs.mjs").Run} */
const proveLives = async (size, seed, progress) => {
  const onLife = (/** @type {number} */ life) => life % 50 === 0 && progress(life);
  const found = await liveBound(size, { random: createRandom(seed), onLife });
  for (const { story } of found.failures.slice(0, 3)) console.error(story.join("\n"));
  const { requests, bound, proofs, skipped, logouts, attempts, gained } = found;
  const note = `${requests} requests, ${bound} sessions bound, ${proofs} proofs signed; ${skipped} requests whose refresh could not be made, ${logouts} logouts after a key was destroyed; ${attempts} attempts of thieves, ${gained} in sessions whose key had been given up`;
  return { count: size, failures: found.failures.length, note };
};

/** Where a broken SDK is looked for, and in how many runs. @type {readonly [Life, number][]} */
const searched = [
  [{ pages: 1, bound: true, thief: "bound" }, 1_500],
  [{ pages: 1 }, 1_500],
  [{ pages: 1, bound: true, restarts: true, hindered: true, starts: [["lose the access cookie"]] }, 800],
  [{ pages: 1, bound: true, again: true, starts: [["sign out", "refresh"]] }, 50],
  [{ pages: 1, bound: true, proxied: true, starts: [["lose the access cookie", "refresh", "intercept 0 302"]] }, 50],
  [{ pages: 1, bound: true, down: true, starts: [["lose the access cookie", "refresh"]] }, 200],
  [{ pages: 1, elsewhere: true, thief: "any time" }, 2_000],
  [{ pages: 1, thief: "any time", policy: "require" }, 1_000],
];

/** Of proofs and registrations that a broken engine is given. */
const FORGERIES = 500;

/**
 * @param {import("./device-binding/mutants.mjs").BrokenSdk} sdk
 * @param {number} [most] runs of each class
 * @returns {Promise<string | undefined>} the story of what is wrong with it
 */
const caught = async (sdk, most = Number.POSITIVE_INFINITY) => {
  for (const [life, runs] of searched) {
    const limit = Math.min(runs, most);
    const stage = await openDeviceStage({ sdk, deviceBinding: life.policy });
    const { stories } = await exploreBinding(life, { stage, limit, stopAtFirst: true });
    await stage.close();
    if (stories.length > 0) return stories[0];
  }
  return (await forgeProofs(FORGERIES, { engineModule: sdk })).wrong[0];
};

/** @type {import("./proofs.mjs").Run} */
const proveMutants = async (size, _seed, progress) => {
  const survivors = [];
  const chosen = bindingMutants.slice(0, size);
  for (const [index, { what }] of chosen.entries()) {
    const story = await caught(await brokenBinding(index));
    if (story === undefined) survivors.push(what);
    progress(index);
  }
  // In which nothing is broken: that it is whole, the other proofs show in many more runs.
  if ((await caught(await brokenBinding(bindingMutants.length), 30)) !== undefined)
    survivors.push("the control, in which nothing is broken");
  for (const what of survivors) console.error(`not told from the real SDK: ${what}`);
  const note = "deliberately broken engines and routes, each noticed, and one that is whole";
  return { count: chosen.length + 1, failures: survivors.length, note };
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const deviceBinding = [
  ...Object.entries(lives).map(([name, { life, size, short }]) => ({
    name: `device-binding-${name}`,
    run: withoutWarnings(proveLife(life)),
    size,
    short,
    what: "a failure is a token for the thief, an alarm, or a logout of a browser that has its key",
  })),
  {
    name: "device-binding-lives",
    run: withoutWarnings(proveLives),
    size: 1_000,
    short: 20,
    what: "the same by chance, through the adapters; a failure is a token for a thief, an alarm, or a logout of a browser that has its key",
  },
  {
    name: "device-binding-mutants",
    run: withoutWarnings(proveMutants),
    size: bindingMutants.length,
    short: 4,
    what: "broken engines and routes; a failure is one that was taken for the real one",
  },
];
