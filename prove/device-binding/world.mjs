// What can happen next to a browser that keeps a key for its session, and to a thief who has the jar and not the key. Each step
// is done on the real `createPawl`; how browsers take its answers is how Chromium 156 was measured to.
import { isDeepStrictEqual } from "node:util";
import { accessOf, afterAnswer, carriedBy, flight, intercepted, skippedText, taken } from "./browser.mjs";
import { createDevice } from "./device.mjs";
import { ACCESS, headersFor, WINDOW } from "./stage.mjs";

/** Nothing happens between two of these moments. */
export const UNIT = 5_000;
/** What an exchange takes at most. */
export const EXCHANGE = WINDOW / 3;
/** For how long a challenge may be answered. */
export const CHALLENGE = 300_000;
/** When a browser begins to refresh ahead, before the end of the cookie. */
const AHEAD = 120_000;

/**
 * A class of lives.
 * @typedef {object} Life
 * @property {number} pages requests of pages that are under way at once
 * @property {number} [arrivals] how often one request may reach the server
 * @property {readonly (readonly string[])[]} [starts] steps before anything is tried; each a beginning of its own
 * @property {boolean} [bound] begins when the session is bound, and not with the login
 * @property {boolean} [elsewhere] logins, and visits, that come from another site
 * @property {boolean} [restarts] the browser loses the access cookie at any time
 * @property {boolean} [hindered] the browser cannot refresh: no network, or its quota is used up
 * @property {boolean} [proxied] something between browser and server answers, or takes things away
 * @property {boolean} [down] the store fails, at each call
 * @property {boolean} [again] the user logs in again, and signs out
 * @property {number} [losses] commits that the store may lose
 * @property {"any time" | "bound"} [thief] copies the jar: at any time, or once the session is bound
 * @property {"prefer" | "require"} [policy]
 */

/**
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Jar} Jar
 * @typedef {import("./stage.mjs").Answer} Answer
 * @typedef {import("./stage.mjs").Fault} Fault
 * @typedef {{ text: string, at: number }} Challenge
 *
 * @typedef {object} Flight
 * @property {"registration" | "refresh" | "page"} kind
 * @property {number} sent
 * @property {Jar} jar what it carries
 * @property {string} handle of the key, where it is about one
 * @property {Challenge | undefined} signed
 * @property {number} challenges that the browser was given in a row
 * @property {string | undefined} skipped what a page's request says of the refresh before it
 * @property {boolean} isElsewhere
 * @property {number} arrived
 * @property {readonly Answer[]} answers
 *
 * @typedef {object} World
 * @property {number} now
 * @property {readonly Row[]} rows sessions, the latest login last
 * @property {readonly (readonly Row[])[]} commits rows as they were before, newest first
 * @property {number} losses
 * @property {Jar} jar
 * @property {number} ends when the access cookie goes
 * @property {readonly { handle: string, challenge: Challenge | undefined }[]} keys that the browser keeps
 * @property {string | undefined} skipped why the last refresh was none, until the request goes that waits for it
 * @property {readonly Flight[]} flights
 * @property {readonly string[]} destroyed sessions whose key the browser had to destroy
 * @property {readonly string[]} over sessions that the user ended, or replaced
 * @property {readonly string[]} proved sessions whose key has proved a refresh
 * @property {Readonly<Record<string, Challenge>>} offers what each login gave to register
 * @property {Jar | undefined} thief what the thief holds
 * @property {World | undefined} parent
 * @property {string} step
 */

/** Keys of the browser, by session; and one of the thief's. */
export const createDevices = () => [createDevice(), createDevice(), createDevice()];

/** @typedef {ReturnType<typeof createDevices>} Devices */

export const handleOf = (/** @type {Row} */ { id }) => /** @type {string} */ (id);
export const rowOf = (/** @type {World} */ { rows }, /** @type {string | undefined} */ handle) =>
  rows.find((row) => handleOf(row) === handle);
export const deviceOf = (/** @type {Row | undefined} */ row) =>
  /** @type {{ at: number, pending?: number } | undefined} */ (row && JSON.parse(row.facts).device);
/** The keys whose cookie is not there: a request waits until they have been proved. */
const keyMissed = (/** @type {World} */ world) =>
  accessOf(world) === undefined ? world.keys.find(({ handle }) => !isUnderWay(world, handle)) : undefined;
const isUnderWay = (/** @type {World} */ { flights }, /** @type {string} */ handle) =>
  flights.some((one) => one.kind === "refresh" && one.handle === handle);
const isWaiting = (/** @type {World} */ world) =>
  accessOf(world) === undefined && world.skipped === undefined && world.keys.length > 0;

/** The names of the steps that are possible. */
export const stepsOf = (/** @type {World} */ world, /** @type {Life} */ life) => {
  const { flights, now, keys, jar, ends } = world;
  const steps = [];
  const pages = flights.filter(({ kind }) => kind === "page").length;
  if (pages < life.pages && !isWaiting(world)) steps.push("visit");
  if (pages < life.pages && life.elsewhere) steps.push("visit from another site");
  if (keyMissed(world) !== undefined && world.skipped === undefined) {
    steps.push("refresh");
    if (life.hindered) steps.push("use up the quota");
  }
  if (accessOf(world) !== undefined && ends - now < AHEAD && keys.some(({ handle }) => !isUnderWay(world, handle)))
    steps.push("refresh ahead");
  for (const [index, { kind, arrived, answers }] of flights.entries()) {
    if (arrived < (life.arrivals ?? 1)) steps.push(`arrive ${index}`);
    if (life.proxied && kind === "refresh" && arrived === 0) steps.push(`arrive ${index} unproven`);
    for (const answer of answers.keys()) {
      steps.push(`deliver ${index} ${answer}`);
      if (life.proxied && kind === "refresh" && answers[answer]?.status === 200) steps.push(`strip ${index} ${answer}`);
    }
    if (life.proxied && kind === "refresh")
      for (const status of [403, 401, 404, 429, 502, 302, 200]) steps.push(`intercept ${index} ${status}`);
    if (life.proxied || life.hindered || kind !== "refresh") steps.push(`lose ${index}`);
  }
  if (accessOf(world)?.parent !== undefined) steps.push("use");
  if (life.restarts && accessOf(world) !== undefined) steps.push("lose the access cookie");
  if (life.restarts && jar.refresh !== undefined) steps.push("lose all cookies");
  if (life.again && world.rows.length < 2) steps.push("log in again");
  if (life.again && accessOf(world) !== undefined) steps.push("sign out");
  if (
    life.thief !== undefined &&
    (life.thief === "any time" || jar.access?.cookie !== Number.POSITIVE_INFINITY) &&
    !isDeepStrictEqual(world.thief, carriedBy(world))
  )
    steps.push("steal");
  if (world.losses > 0 && world.commits.length > 0) steps.push("lose commit");
  const patience = Math.min(...flights.map(({ sent }) => sent + EXCHANGE));
  const waits = [EXCHANGE, WINDOW + EXCHANGE, ACCESS + UNIT];
  // To the last moment at which the access cookie is still sent, and to when a browser may refresh ahead.
  if (ends < Number.POSITIVE_INFINITY) waits.push(ends - UNIT - now, ends - AHEAD + UNIT - now);
  for (const wait of [...new Set(waits)].filter((wait) => wait > 0))
    if (now + wait <= patience) steps.push(`wait ${wait / UNIT}`);
  return steps;
};

/** What a request asks. @param {World} world @param {Flight} flight @param {Devices} devices */
const askedBy = (world, { kind, jar, handle, signed, skipped, isElsewhere }, devices) => {
  const index = world.rows.findIndex((row) => handleOf(row) === handle);
  if (kind === "page") {
    const headers = { ...headersFor("page"), ...(isElsewhere && { "sec-fetch-site": "cross-site" }) };
    const said = skipped === undefined || skipped === "" ? {} : { "secure-session-skipped": skipped };
    return { path: "/page", jar, headers: { ...headers, ...said } };
  }
  const device = /** @type {import("./device.mjs").Device} */ (devices[index]);
  const proof = signed && (kind === "registration" ? device.registration(signed.text) : device.proof(signed.text));
  const headers = {
    ...headersFor("device"),
    ...(kind === "refresh" && { "sec-secure-session-id": `"${handle}"` }),
    ...(proof !== undefined && { "secure-session-response": `"${proof}"` }),
  };
  return { path: "/session/device", method: "POST", jar, headers };
};

/** @param {World} world @param {readonly Row[]} rows @returns {Partial<World>} */
const committed = (world, rows) =>
  isDeepStrictEqual(rows, world.rows) ? {} : { rows, commits: [world.rows, ...world.commits].slice(0, world.losses) };

/** @template T @param {readonly T[]} list @param {number} index */
const without = (list, index) => list.filter((_, position) => position !== index);

/**
 * @typedef {object} Scene
 * @property {import("./stage.mjs").DeviceStage} stage
 * @property {Devices} devices
 * @property {Life} life
 * @property {(name: string) => void} onAnswer is told what a browser was answered to a refresh
 * @typedef {{ world: World, isAsked?: boolean, flight?: Flight, answer?: Answer, fault?: Fault }} Done
 */

/** @type {(stage: Scene["stage"], jar: Jar, at: { rows: readonly Row[], now: number }) => Promise<{ answer: Answer, row: Row }>} */
const logIn = async (stage, jar, { rows, now }) => {
  const asked = { path: "/login", method: "POST", jar, headers: headersFor("fetched") };
  const answer = await stage.serve(asked, { rows, now });
  const [row] = answer.made;
  if (row === undefined || answer.offer === undefined) throw new Error("a login offers no registration");
  return { answer, row };
};

/** @type {(world: World, login: { answer: Answer, row: Row }, life: Life) => World} */
const loggedIn = (world, { answer, row }, life) => {
  const signed = { text: answer.offer ?? "", at: world.now };
  const at = { ...world, ...taken(world, answer), rows: [...answer.rows, row] };
  // Browsers send no cookie with a registration where the login came from another site.
  const jar = life.elsewhere ? {} : carriedBy(at);
  const registration = flight({ kind: "registration", sent: world.now, jar, handle: handleOf(row), signed });
  const offers = { ...world.offers, [handleOf(row)]: signed };
  return { ...at, offers, skipped: undefined, flights: [...world.flights, registration] };
};

/** Where the lives begin. @param {Scene} scene */
export const startsOf = async (scene) => {
  const worlds = [];
  for (const steps of scene.life.starts ?? [[]]) worlds.push(await startOf(scene, steps));
  return worlds;
};

/** @param {Scene} scene @param {readonly string[]} more */
const startOf = async (scene, more) => {
  const { stage, life } = scene;
  /** @type {World} */
  const nobody = {
    now: stage.clock.time,
    rows: [],
    commits: [],
    losses: 0,
    jar: {},
    ends: Number.NEGATIVE_INFINITY,
    keys: [],
    skipped: undefined,
    flights: [],
    destroyed: [],
    over: [],
    proved: [],
    offers: {},
    thief: undefined,
    parent: undefined,
    step: "login",
  };
  const login = loggedIn(nobody, await logIn(stage, {}, nobody), life);
  let world = { ...login, losses: life.losses ?? 0 };
  for (const step of [...(life.bound ? ["arrive 0", "deliver 0 0"] : []), ...more]) {
    const done = await doStep(world, step, scene);
    if (done === undefined) throw new Error(`${step} makes no difference`);
    ({ world } = done);
  }
  return { ...world, commits: [] };
};

/** The refresh token that a registration is answered is a later copy than all before. @param {Answer} answer @param {string} handle @returns {Answer} */
const sealedAnew = (answer, handle) => {
  const { refresh } = answer.set;
  const at = deviceOf(answer.rows.find((row) => handleOf(row) === handle))?.at;
  return refresh === undefined || at === undefined
    ? answer
    : { ...answer, set: { ...answer.set, refresh: { ...refresh, iat: at } } };
};

/** @param {World} world @param {string} step @param {Scene} scene @returns {Promise<Done | undefined>} undefined where it makes no difference */
export const doStep = async (world, step, scene) => {
  const { stage, devices, life, onAnswer } = scene;
  const { now, rows, flights } = world;
  const [verb, first, second, third] = step.split(" ");
  const index = Number(first);
  const after = (/** @type {Partial<World>} */ changes) => ({ ...world, ...changes, parent: world, step });
  const quiet = (/** @type {Partial<World>} */ changes) => ({ world: after(changes) });
  switch (verb) {
    case "wait":
      return quiet({ now: now + index * UNIT });
    case "visit": {
      const isElsewhere = first === "from";
      const sent = flight({
        kind: "page",
        sent: now,
        jar: carriedBy(world),
        isElsewhere,
        skipped: isElsewhere ? undefined : world.skipped,
      });
      return quiet({ flights: [...flights, sent], skipped: isElsewhere ? world.skipped : undefined });
    }
    case "refresh": {
      const key = first === "ahead" ? world.keys.find(({ handle }) => !isUnderWay(world, handle)) : keyMissed(world);
      if (key === undefined) return undefined;
      const { handle, challenge: signed } = key;
      return quiet({
        flights: [...flights, flight({ kind: "refresh", sent: now, jar: carriedBy(world), handle, signed })],
      });
    }
    case "use":
      if (first === "up") {
        onAnswer("quota");
        return quiet({ skipped: skippedText("quota_exceeded", keyMissed(world)?.handle ?? "") });
      }
      break;
    case "strip":
    case "deliver":
    case "intercept": {
      const flown = flights[index];
      if (flown === undefined) return undefined;
      const answer = verb === "intercept" ? intercepted(Number(second)) : flown.answers[Number(second)];
      if (answer === undefined) return undefined;
      const landed = { ...world, flights: without(flights, index) };
      if (flown.kind === "refresh")
        return {
          world: after({
            flights: landed.flights,
            ...afterAnswer(landed, flown, answer, { isStripped: verb === "strip", onAnswer }),
          }),
          flight: flown,
        };
      const got = { flights: landed.flights, ...taken(landed, answer) };
      if (flown.kind === "page" || answer.status !== 200) return quiet(got);
      const { handle } = flown;
      const challenge = answer.challenge && { text: answer.challenge.text, at: answer.at };
      return quiet({ ...got, keys: [...world.keys.filter((key) => key.handle !== handle), { handle, challenge }] });
    }
    case "lose": {
      if (first === "commit")
        return quiet({ rows: world.commits[0] ?? rows, commits: world.commits.slice(1), losses: world.losses - 1 });
      if (first === "the") return quiet({ ends: Number.NEGATIVE_INFINITY });
      if (first === "all") return quiet({ ends: Number.NEGATIVE_INFINITY, jar: {} });
      const flown = flights[index];
      if (flown?.kind !== "refresh") return quiet({ flights: without(flights, index) });
      onAnswer("no connection");
      return quiet({ flights: without(flights, index), skipped: skippedText("unreachable", flown.handle) });
    }
    case "steal":
      return quiet({ thief: carriedBy(world) });
    default:
  }
  if (verb === "use") {
    const access = accessOf(world);
    const row = rowOf(world, access?.handle);
    if (access === undefined || row === undefined) return undefined;
    const used = await stage.use(access, row, now);
    return used.current === row.current
      ? undefined
      : {
          isAsked: true,
          world: after(
            committed(
              world,
              rows.map((one) => (one === row ? used : one)),
            ),
          ),
        };
  }
  if (verb === "log") {
    const login = await logIn(stage, carriedBy(world), { rows, now });
    const before = rows.map(handleOf);
    return {
      isAsked: true,
      world: { ...loggedIn({ ...world, over: before, commits: [], losses: 0 }, login, life), parent: world, step },
    };
  }
  if (verb === "sign") {
    const asked = { path: "/signout", method: "POST", jar: carriedBy(world), headers: headersFor("fetched") };
    const answer = await stage.serve(asked, { rows, now });
    return {
      isAsked: true,
      answer,
      world: after({ ...taken(world, answer), rows: answer.rows, commits: [], over: rows.map(handleOf) }),
    };
  }
  const flown = flights[index];
  if (verb !== "arrive" || flown === undefined) throw new Error(`nobody can do ${step}`);
  const fault = second === "down" ? { at: Number(third), isDone: step.endsWith("done") } : undefined;
  const asked = askedBy(world, second === "unproven" ? { ...flown, signed: undefined } : flown, devices);
  const served = await stage.serve(asked, { rows, now, fault });
  const answer = flown.kind === "registration" ? sealedAnew(served, flown.handle) : served;
  const isProved = answer.status === 200 && answer.set.refresh !== undefined && flown.kind === "refresh";
  const proved =
    isProved && rowOf(world, flown.handle)?.bound !== "" ? [...new Set([...world.proved, flown.handle])] : world.proved;
  const arrived = { ...flown, arrived: flown.arrived + 1, answers: [...flown.answers, answer] };
  return {
    isAsked: true,
    flight: second === "unproven" ? { ...flown, signed: undefined } : flown,
    answer,
    ...(fault && { fault }),
    world: after({ ...committed(world, answer.rows), proved, flights: flights.toSpliced(index, 1, arrived) }),
  };
};

/** The story of a world, for a person. */
export const storyOf = (/** @type {World} */ world) => {
  /** @type {string[]} */
  const steps = [];
  for (let at = /** @type {World | undefined} */ (world); at !== undefined; at = at.parent) steps.unshift(at.step);
  return steps.join(", ");
};
