// What thieves do with a copied jar.
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * @typedef {object} Strategy
 * @property {string} name
 * @property {"newest" | "stolen" | "older" | "none"} token which refresh token he presents: the last he was given, the copied one, one that
 *   the victim had used up before the theft; none: he lives on the copied access token
 * @property {number} [first] after the theft, ms; he acts a moment after each refresh of the victim unless given
 * @property {(acts: number) => number} [next] after his act, ms
 * @property {true} [victimLeaves] the victim never comes back
 * @property {true} [unseen] nothing he does can be told from what honest browsers do
 * @property {true} [isLong] the real engine plays fewer of these games
 */

/** @type {readonly Strategy[]} */
export const strategies = [
  { name: "at once, then every hour", token: "newest", first: SECOND, next: () => HOUR },
  { name: "every hour, from a while later on", token: "newest", first: HOUR, next: () => HOUR },
  { name: "at night", token: "newest", first: 12 * HOUR, next: () => DAY },
  {
    name: "in bursts of five, every day",
    token: "newest",
    first: MINUTE,
    next: (acts) => (acts % 5 === 0 ? DAY : 5 * SECOND),
  },
  {
    name: "polls the copied token every two minutes",
    token: "stolen",
    first: SECOND,
    next: () => 2 * MINUTE,
    isLong: true,
  },
  { name: "replays a used-up token, every day", token: "older", first: SECOND, next: () => DAY },
  { name: "right after the victim, every time", token: "newest", unseen: true, isLong: true },
  {
    name: "after the victim has left for good",
    token: "newest",
    first: SECOND,
    next: () => HOUR,
    victimLeaves: true,
    unseen: true,
    isLong: true,
  },
  { name: "with the access token only", token: "none", first: SECOND, next: () => MINUTE, unseen: true },
];
