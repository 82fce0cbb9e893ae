// How a browser takes what it is answered: as Chromium 156 was measured to.

/**
 * @typedef {import("./stage.mjs").Jar} Jar
 * @typedef {import("./stage.mjs").Answer} Answer
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Flight} Flight
 */

/** As many challenges in a row destroy the key. */
const MOST_CHALLENGES = 5;

/** What the rows of the table of answers are called, that a browser may get to a refresh. */
export const ANSWERS = [
  "200 with cookies",
  "200 without cookies",
  "403 with a challenge",
  "403 with a challenge, five times",
  "403 without a challenge",
  "401",
  "404",
  "429",
  "5xx",
  "no connection",
  "3xx",
  "continue: false alone",
  "the session's end",
  "quota",
];

export const accessOf = (/** @type {World} */ { jar, now, ends }) => (now < ends ? jar.access : undefined);
/** What a request carries now. @returns {Jar} */
export const carriedBy = (/** @type {World} */ world) => ({ access: accessOf(world), refresh: world.jar.refresh });

/** @param {Partial<Flight> & Pick<Flight, "kind" | "sent" | "jar">} given @returns {Flight} */
export const flight = (given) => ({
  handle: "",
  signed: undefined,
  challenges: 0,
  skipped: undefined,
  isElsewhere: false,
  arrived: 0,
  answers: [],
  ...given,
});

/** The jar and the challenges after an answer. @param {World} world @param {Answer} answer @param {{ isStripped?: boolean }} [how] @returns {Partial<World>} */
export const taken = (world, { set, cleared, challenge, at }, { isStripped = false } = {}) => {
  const keys = world.keys.map((key) =>
    key.handle === challenge?.handle ? { ...key, challenge: { text: challenge.text, at } } : key,
  );
  if (isStripped) return { keys };
  const access = set.access ?? (cleared.some((name) => name.endsWith("-access")) ? undefined : world.jar.access);
  const refresh = set.refresh ?? (cleared.some((name) => name.endsWith("-refresh")) ? undefined : world.jar.refresh);
  const ends = set.access === undefined ? world.ends : world.now + set.access.cookie;
  return { keys, jar: { access, refresh }, ends: access === undefined ? Number.NEGATIVE_INFINITY : ends };
};

/** @param {World} world @param {string} handle @param {{ isDestroyed?: boolean }} [how] @returns {Partial<World>} */
const withoutKey = (world, handle, { isDestroyed = false } = {}) => ({
  keys: world.keys.filter((key) => key.handle !== handle),
  destroyed: isDestroyed && !world.destroyed.includes(handle) ? [...world.destroyed, handle] : world.destroyed,
  skipped: "",
});

export const skippedText = (/** @type {string} */ why, /** @type {string} */ handle) =>
  `${why};session_identifier="${handle}"`;

/**
 * How a browser takes an answer to a refresh.
 * @param {World} world in which the flight has ended
 * @param {Flight} flight
 * @param {Answer} answer
 * @param {{ isStripped?: boolean, onAnswer: (name: string) => void }} how
 * @returns {Partial<World>}
 */
export const afterAnswer = (world, { handle, challenges }, answer, { isStripped = false, onAnswer }) => {
  const { status, challenge, body } = answer;
  const got = taken(world, answer, { isStripped });
  const at = { ...world, ...got };
  if (status === 403 && challenge?.handle === handle) {
    if (challenges + 1 === MOST_CHALLENGES) {
      onAnswer("403 with a challenge, five times");
      return { ...got, ...withoutKey(at, handle, { isDestroyed: true }) };
    }
    onAnswer("403 with a challenge");
    const signed = { text: challenge.text, at: answer.at };
    const next = flight({
      kind: "refresh",
      sent: world.now,
      jar: carriedBy(at),
      handle,
      signed,
      challenges: challenges + 1,
    });
    return { ...got, flights: [...world.flights, next] };
  }
  if (status >= 500) {
    onAnswer("5xx");
    return { ...got, skipped: skippedText("server_error", handle) };
  }
  if (status >= 400) {
    onAnswer(status === 403 ? "403 without a challenge" : String(status));
    return { ...got, ...withoutKey(at, handle, { isDestroyed: true }) };
  }
  if (status >= 300) {
    onAnswer("3xx");
    return { ...got, skipped: "" };
  }
  if (body?.["continue"] === false) {
    const isClean = body["session_identifier"] === handle;
    onAnswer(isClean ? "the session's end" : "continue: false alone");
    return { ...got, ...withoutKey(at, handle, { isDestroyed: !isClean }) };
  }
  const hasCookie = answer.set.access !== undefined && !isStripped;
  onAnswer(hasCookie ? "200 with cookies" : "200 without cookies");
  return { ...got, skipped: hasCookie ? undefined : "" };
};

/** What is answered by something between browser and server. @param {number} status @returns {Answer} */
export const intercepted = (status) => ({
  status,
  found: "",
  set: {},
  cleared: [],
  offer: undefined,
  challenge: undefined,
  body: status === 200 ? { continue: false } : {},
  at: 0,
  mayReload: false,
  rows: [],
  made: [],
  events: [],
  calls: 0,
});
