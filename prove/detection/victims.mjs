// When the owner of a session makes requests.
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** @typedef {import("../random.mjs").Random} Random */

/** The next request of a visit, which goes on for ten minutes or so; the next visit after it. */
const visits = (/** @type {number} */ period) => (/** @type {number} */ now, /** @type {Random} */ random) =>
  random.chance(0.9)
    ? now + 20 * SECOND + random.below(2 * MINUTE)
    : now - (now % DAY) + period + 8 * HOUR + random.below(12 * HOUR);

/** From nine to five, a request every few minutes. */
const working = (/** @type {number} */ now, /** @type {Random} */ random) => {
  const next = now + 20 * SECOND + random.below(3 * MINUTE);
  const ofDay = next % DAY;
  if (ofDay < 9 * HOUR) return next - ofDay + 9 * HOUR + random.below(HOUR);
  return ofDay < 17 * HOUR ? next : next - ofDay + DAY + 9 * HOUR + random.below(HOUR);
};

/**
 * `period`: from when on what the victim does repeats itself, ms.
 * @typedef {{ name: string, period: number, next: (now: number, random: Random) => number }} Victim
 * @type {readonly Victim[]}
 */
export const victims = [
  { name: "busy", period: DAY, next: working },
  { name: "daily", period: DAY, next: visits(DAY) },
  { name: "weekly", period: 7 * DAY, next: visits(7 * DAY) },
];
