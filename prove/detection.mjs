// How soon a thief is caught, and what of it honest users feel: the real engine in virtual time, beside the rules of others.
import { createClock } from "./clock.mjs";
import { live, networks } from "./detection/honest.mjs";
import { rulesOfPawl } from "./detection/pawl.mjs";
import { rulesOfOthers } from "./detection/rules.mjs";
import { strategies } from "./detection/strategies.mjs";
import { DAYS, steal } from "./detection/theft.mjs";
import { victims } from "./detection/victims.mjs";
import { quantile } from "./quantile.mjs";
import { createRandom } from "./random.mjs";

/**
 * @typedef {object} Cell what came of the games of one strategy against one victim under one rule
 * @property {string} rule
 * @property {string} victim
 * @property {string} strategy
 * @property {number} games
 * @property {number} alarms
 * @property {number} shutOut
 * @property {number} disturbed
 * @property {[half: number, most: number]} time from the theft to the end, ms; most: of 95 %
 * @property {[half: number, most: number]} requests
 * @typedef {{ rule: string, victim: string, network: string, lives: number, refreshes: number, loggedOut: number }} HonestCell
 */

export const rules = [...rulesOfPawl, ...rulesOfOthers];
/** Of the long games, the real engine plays one in so many. */
const FEWER = 10;

/** What must hold of Pawl in a cell. @returns how many games it does not */
const wrongIn = (/** @type {Cell} */ { rule, strategy, games, alarms, shutOut, disturbed }) => {
  const [plain, bound] = rulesOfPawl;
  const isUnseen = strategies.some(({ name, unseen }) => name === strategy && unseen === true);
  if (rule === plain?.name) return disturbed + (isUnseen ? 0 : games - alarms - shutOut);
  // Without the key a thief gets no token: the victim is not even disturbed.
  return rule === bound?.name ? disturbed + games - shutOut : 0;
};

/**
 * @param {number} games in all
 * @param {number} seed
 * @param {(done: number) => void} progress
 */
export const play = async (games, seed, progress) => {
  const long = strategies.filter(({ isLong }) => isLong === true).length + networks.length;
  const all = strategies.length + networks.length;
  const shares = (/** @type {import("./detection/rules.mjs").Rule} */ rule) =>
    rulesOfPawl.includes(rule) ? all - long + long / FEWER : all;
  const each = Math.ceil(games / (victims.length * rules.reduce((sum, rule) => sum + shares(rule), 0)));
  const clock = createClock();
  /** @type {Cell[]} */
  const thefts = [];
  /** @type {HonestCell[]} */
  const honest = [];
  let done = 0;
  const rest = (/** @type {number} */ played) => {
    done += played;
    progress(done);
    return new Promise((resolve) => setImmediate(resolve));
  };
  for (const rule of rules) {
    const server = await rule.open(clock);
    const fewer = rulesOfPawl.includes(rule) ? Math.ceil(each / FEWER) : each;
    for (const victim of victims) {
      for (const strategy of strategies) {
        const ended = [];
        const count = strategy.isLong ? fewer : each;
        for (let game = 0; game < count; game += 1)
          ended.push(await steal({ server, clock, strategy, victim, random: createRandom(seed + game) }));
        const spread = (/** @type {number[]} */ values) =>
          /** @type {[number, number]} */ ([quantile(values, 0.5), quantile(values, 0.95)]);
        thefts.push({
          rule: rule.name,
          victim: victim.name,
          strategy: strategy.name,
          games: count,
          alarms: ended.filter(({ end }) => end === "alarm").length,
          shutOut: ended.filter(({ end }) => end === "shut out").length,
          disturbed: ended.filter(({ isDisturbed }) => isDisturbed).length,
          time: spread(ended.map(({ time }) => time)),
          requests: spread(ended.map(({ requests }) => requests)),
        });
        await rest(count);
      }
      for (const network of networks) {
        const lives = [];
        for (let game = 0; game < fewer; game += 1)
          lives.push(await live({ server, clock, victim, network, random: createRandom(seed + game) }));
        honest.push({
          rule: rule.name,
          victim: victim.name,
          network: network.name,
          lives: fewer,
          refreshes: lives.reduce((sum, { refreshes }) => sum + refreshes, 0),
          loggedOut: lives.filter(({ isLoggedOut }) => isLoggedOut).length,
        });
        await rest(fewer);
      }
    }
    await server.close();
  }
  const ofPawl = honest.filter(({ rule }) => rulesOfPawl.some(({ name }) => name === rule));
  const failures =
    thefts.reduce((sum, cell) => sum + wrongIn(cell), 0) + ofPawl.reduce((sum, { loggedOut }) => sum + loggedOut, 0);
  return { count: done, failures, thefts, honest };
};

/**
 * @param {number} games
 * @param {number} seed
 * @param {(done: number) => void} progress
 */
export const detection = async (games, seed, progress) => {
  const { count, failures, honest } = await play(games, seed, progress);
  const logouts = rules.map(({ name }) => {
    const cells = honest.filter(({ rule }) => rule === name);
    const part = (/** @type {"loggedOut" | "lives"} */ of) => cells.reduce((sum, cell) => sum + cell[of], 0);
    return `${name} ${((100 * part("loggedOut")) / part("lives")).toFixed(1)} %`;
  });
  return { count, failures, note: `honest users logged out within ${DAYS} days: ${logouts.join(", ")}` };
};
