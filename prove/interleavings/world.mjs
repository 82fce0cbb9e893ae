// What can happen next: the steps of browsers, thieves and failing stores, each done on the real engine.
import {
  afterRefresh,
  afterUse,
  byText,
  clientsKey,
  EXCHANGE,
  loggedIn,
  pass,
  UNIT,
  WINDOW,
} from "./honest-client.mjs";

/** Longer than anything is remembered. */
const LONG = 12 * UNIT;
const FAR = 1000 * UNIT;
/** How long before the end by idleness an active client acts: what is written of its activity may lie that far behind. */
const UNWRITTEN = 60_000;
/** An age in units above which all ages are alike. */
const OLD = WINDOW / UNIT + 1;
/** A trace that no honest client can have produced is followed for so many more rotations. */
export const PATIENCE = 3;

/**
 * A class of lives.
 * @typedef {object} Life
 * @property {number} [step] how many units lie between two moments at which something can happen; 2 unless given
 * @property {number} [exchange] how many units an exchange takes at most, where it is not the one that is promised
 * @property {number} tabs exchanges that are under way at once; each sends what the jar holds then
 * @property {number} [arrivals] how often one request may reach the server
 * @property {number} [servers] server-side renderings, which go on with their own answer before the browser has it
 * @property {number} [losses] commits the store may lose
 * @property {"apart" | "bursts" | "free" | "polling" | "access_only"} [thief] copies the jar at any time. "bursts": the
 * parties act more than a window apart; "apart": also each one's own refreshes lie more than a window apart; "polling":
 * copies it once and presents only that token; "access_only": never refreshes
 * @property {number} [idle] an idle timeout (ms); the client then acts often enough not to be idle, and time counts from its
 * last act
 * @property {boolean} [oracle] whether the oracle looks on although there is no thief
 * @property {boolean} [exact] whether each alarm has to come at the first refresh that no honest client can have sent
 */

/**
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Copy} Copy
 * @typedef {"victim" | "thief"} Party
 *
 * An exchange under way.
 * @typedef {object} Flight
 * @property {boolean} server whether a server-side rendering sends it
 * @property {number} sent
 * @property {Copy} token
 * @property {number} arrived how often it has reached the server
 * @property {readonly Copy[]} answers
 *
 * @typedef {object} World
 * @property {number} now
 * @property {Row} row
 * @property {readonly Row[]} commits rows as they were before, newest first, which a loss of commits brings back
 * @property {number} losses
 * @property {Copy} jar
 * @property {readonly Flight[]} flights
 * @property {Copy | undefined} thief what the thief holds
 * @property {Party | undefined} actor who acted last
 * @property {number} actedAt
 * @property {number} refreshedAt
 * @property {import("./honest-client.mjs").Client[] | undefined} clients those that can have produced what was seen
 * @property {number} unexplained refreshes since the first that no honest client can have sent
 * @property {number | undefined} contradicted the newest number when a use fitted no client
 * @property {World | undefined} parent
 * @property {string} step what led here
 */

/** @type {(life: Life, start: { row: Row, copy: Copy, now: number }) => World} */
export const startOf = (life, { row, copy, now }) => ({
  now,
  row,
  commits: [],
  losses: life.losses ?? 0,
  jar: copy,
  flights: [],
  thief: undefined,
  actor: undefined,
  actedAt: life.idle === undefined ? 0 : now,
  refreshedAt: 0,
  clients: life.thief === undefined && life.oracle !== true ? undefined : loggedIn(copy.id),
  unexplained: 0,
  contradicted: undefined,
  parent: undefined,
  step: "login",
});

/** A text that is equal for worlds from which the same may follow: numbers are relative, what is long past is past. */
export const worldKey = (/** @type {World} */ world) => {
  const { row, now, commits, clients } = world;
  const named = new Set(copiesIn(world).map(({ id }) => id));
  for (const { jar, held, underway } of clients ?? [])
    for (const id of [jar, ...held.keys(), ...underway.keys()]) named.add(id);

  const rows = [row, ...commits.slice(0, world.losses)];
  const seqOf = (/** @type {string} */ id) => Number(id.split(".")[0]);
  // Without lost commits only the order of the numbers matters.
  const marks = world.contradicted === undefined ? [] : [world.contradicted];
  const order = [
    ...new Set([...rows.flatMap(({ current, next }) => [current, next]), ...[...named].map(seqOf), ...marks]),
  ];
  order.sort((left, right) => left - right);
  const rank = (/** @type {number} */ seq) => (world.losses > 0 ? row.next - seq : order.indexOf(seq));
  const age = (/** @type {number} */ at) => Math.min(OLD, (now - at) / UNIT);
  const names = new Map(
    [...named]
      .map((id) => {
        const [seq = 0, iat = 0] = id.split(".").map(Number);
        const displaced = rows.map(({ issuedAt }) => (issuedAt - iat <= WINDOW ? 1 : 0)).join("");
        return { id, text: `${rank(seq)},${age(iat)},${displaced}` };
      })
      .sort((left, right) => byText(left.text, right.text) || byText(left.id, right.id))
      .map(({ id, text }, index, all) => [id, all[index - 1]?.text === text ? `${text}#${index}` : text]),
  );
  const hand = (/** @type {Copy | undefined} */ copy) =>
    copy === undefined
      ? "-"
      : `${names.get(copy.id)}@${copy.parentSeq === undefined ? "" : Math.min(OLD, Math.ceil((now - copy.usedAs) / UNIT))}`;
  const flights = world.flights
    .map(({ server, sent, token, arrived, answers }) =>
      [server ? "s" : "", (now - sent) / UNIT, hand(token), arrived, ...answers.map(hand)].join("~"),
    )
    .sort(byText);
  const stored = rows.map(({ current, next, issuedAt }) => `${rank(current)}:${rank(next)}:${age(issuedAt)}`);
  const turn = world.actor === undefined ? "" : `${world.actor}${age(world.actedAt)},${age(world.refreshedAt)}`;
  return [
    stored.join(","),
    world.losses,
    hand(world.jar),
    hand(world.thief),
    flights.join("/"),
    turn,
    world.unexplained,
    world.contradicted === undefined ? "" : `!${rank(world.contradicted)}`,
    // Far away without an idle timeout, and then of no account.
    row.idleExpiresAt - now > FAR ? "" : idleText(world),
    clients === undefined ? "" : clientsKey(clients, (id) => names.get(id), now),
  ].join(" ");
};

/** What idleness depends on. */
const idleText = (/** @type {World} */ { row, now, actedAt }) =>
  [row.idleExpiresAt - now, now - row.lastActiveAt, now - actedAt].map((time) => time / UNIT).join("i");

/** @type {(one: Copy | undefined, other: Copy | undefined) => boolean} */
const isSameCopy = (one, other) => one?.id === other?.id && one?.usedAs === other?.usedAs;

/** The copies that somebody holds, or will. */
export const copiesIn = (/** @type {World} */ { jar, thief, flights }) =>
  [jar, thief, ...flights.flatMap(({ token, answers }) => [token, ...answers])].filter((copy) => copy !== undefined);

/** Whether two exchanges stand alike, so that a step of one is a step of the other. @type {(one: Flight, other: Flight) => boolean} */
const isAlike = (one, other) =>
  one.server === other.server &&
  one.sent === other.sent &&
  one.token.id === other.token.id &&
  one.arrived === other.arrived &&
  one.answers.length === other.answers.length &&
  one.answers.every((answer, index) => isSameCopy(answer, other.answers[index]));

/** The names of the steps that are possible. */
export const stepsOf = (/** @type {World} */ world, /** @type {Life} */ life) => {
  const { flights, now } = world;
  const steps = [];
  const parts = life.thief === "apart" || life.thief === "bursts";
  const may = (/** @type {Party} */ who) =>
    !parts || world.actor === undefined || world.actor === who || now - world.actedAt > WINDOW;
  const mayRefresh = (/** @type {Party} */ who) =>
    may(who) && (life.thief !== "apart" || now - world.refreshedAt > WINDOW);
  const own = flights.filter(({ server }) => !server).length;
  if (own < life.tabs) steps.push("send");
  if (life.servers !== undefined && flights.length - own < life.servers) steps.push("render");
  for (const [index, flight] of flights.entries()) {
    const { server, arrived, answers } = flight;
    if (flights.slice(0, index).some((other) => isAlike(other, flight))) continue;
    if (arrived < (server ? 2 : (life.arrivals ?? 1)) && mayRefresh("victim")) steps.push(`arrive ${index}`);
    for (let answer = server ? Math.max(0, answers.length - 1) : 0; answer < answers.length; answer += 1)
      if (answer === 0 || !isSameCopy(answers[answer], answers[answer - 1])) steps.push(`deliver ${index} ${answer}`);
    steps.push(`lose ${index}`);
  }
  if (may("victim")) steps.push("use");
  if (life.thief !== undefined) {
    const isPolling = life.thief === "polling";
    if (world.thief !== world.jar && !(isPolling && world.thief !== undefined)) steps.push("steal");
    if (world.thief !== undefined && life.thief !== "access_only" && mayRefresh("thief"))
      steps.push(...(isPolling ? [] : ["thief refreshes"]), "thief refreshes and forgets the answer");
    if (world.thief !== undefined && may("thief")) steps.push("thief uses");
  }
  if (world.losses > 0 && world.commits.length > 0) steps.push("lose commit");
  const exchange = life.exchange === undefined ? EXCHANGE : life.exchange * UNIT;
  const patience = Math.min(...flights.map(({ sent }) => sent + exchange));
  const activeUntil = life.idle === undefined ? Number.POSITIVE_INFINITY : world.actedAt + life.idle - UNWRITTEN - UNIT;
  for (const duration of [(life.step ?? 2) * UNIT, LONG])
    if (now + duration <= Math.min(patience, activeUntil)) steps.push(`wait ${duration / UNIT}`);
  return steps;
};

/** @template T @param {readonly T[]} list @param {number} index */
const without = (list, index) => list.filter((_, position) => position !== index);

/**
 * Steps that need no server.
 * @param {World} world
 * @param {readonly string[]} words
 * @param {number} step
 * @returns {Partial<World> | undefined} undefined for those that do
 */
const quietStep = (world, [verb, first, second], step) => {
  const { flights, now, commits } = world;
  const index = Number(first);
  switch (verb) {
    case "send":
    case "render":
      return {
        flights: [...flights, { server: verb === "render", sent: now, token: world.jar, arrived: 0, answers: [] }],
      };
    case "deliver":
      return { jar: flights[index]?.answers[Number(second)] ?? world.jar, flights: without(flights, index) };
    case "steal":
      return { thief: world.jar };
    case "wait": {
      const later = now + index * UNIT;
      return { now: later, clients: world.clients && pass(world.clients, { from: now, to: later, step }) };
    }
    case "lose":
      return first === "commit"
        ? { row: commits[0] ?? world.row, commits: commits.slice(1), losses: world.losses - 1 }
        : { flights: without(flights, index) };
    default:
      return undefined;
  }
};

/** @param {Row} row @param {Row} old */
const isUnchanged = (row, old) =>
  row.current === old.current && row.next === old.next && row.idleExpiresAt === old.idleExpiresAt;

/** @param {World} world @param {Row} row @returns {Partial<World>} */
const committed = (world, row) =>
  row === world.row || isUnchanged(row, world.row)
    ? {}
    : { row, commits: [world.row, ...world.commits].slice(0, world.losses) };

/**
 * Does a step. @returns the world after it, or undefined when it made no difference; with `outcome` for a refresh,
 * `explained` (whether an honest client may have sent it) where the oracle looks on.
 * @typedef {{ stage: import("./stage.mjs").Stage, handle: import("@pawl/engine").SessionHandle, life: Life }} Scene
 * @typedef {{ outcome: { kind: string, copy?: Copy }, presented: Copy, explained: boolean }} Refresh
 * @typedef {{ world: World, row?: Row, refresh?: Refresh }} Step
 * @type {(world: World, step: string, scene: Scene) => Promise<Step | undefined>}
 */
export const doStep = async (world, step, { stage, handle, life }) => {
  const words = step.split(" ");
  const parent = { parent: world, step };
  const quiet = quietStep(world, words, (life.step ?? 2) * UNIT);
  if (quiet !== undefined) return { world: { ...world, ...quiet, ...parent } };

  const isThief = words[0] === "thief";
  const acted = { actor: /** @type {Party} */ (isThief ? "thief" : "victim"), actedAt: world.now };
  if (words.at(-1)?.startsWith("use")) {
    const copy = isThief ? world.thief : world.jar;
    if (copy?.parentSeq === undefined) return undefined;
    await stage.restore(world.row, world.now);
    await stage.use(copy, handle);
    const row = await stage.row(world.row.id);
    // A use belongs to a trace once its token is older than the window, and is the newest or was displaced more than a window
    // after it was sealed; others say nothing.
    const { current, next, issuedAt } = world.row;
    const isKnown = copy.seq === next || (current < copy.seq && issuedAt - copy.usedAs > WINDOW);
    const isEvidence = isKnown && world.now - copy.usedAs > WINDOW;
    const shown = { copy: copy.id, now: world.now };
    const seen = isEvidence && world.clients !== undefined ? afterUse(world.clients, shown) : world.clients;
    // A use alarms nobody, also when no honest client can have caused it: then only the newest token may still be answered.
    const contradicted = isEvidence && seen?.length === 0 ? next : world.contradicted;
    const clients = seen?.length === 0 ? world.clients : seen;
    const after = { ...world, ...committed(world, row), ...acted, clients, contradicted, ...parent };
    return { row, world: after };
  }

  const flight = isThief ? undefined : world.flights[Number(words[1])];
  const copy = (flight === undefined ? world.thief : flight.server && flight.answers.at(-1)) || flight?.token;
  if (copy === undefined) throw new Error(`nobody can do ${step}`);
  await stage.restore(world.row, world.now);
  const outcome = await stage.refresh(copy);
  const row = await stage.row(world.row.id);
  const clients =
    world.clients && afterRefresh(world.clients, { copy: copy.id, answer: outcome.copy?.id, now: world.now });
  const explained = world.unexplained === 0 && world.contradicted === undefined && clients?.length !== 0;
  const arrived = (/** @type {Flight} */ { answers, ...sent }) => ({
    ...sent,
    arrived: sent.arrived + 1,
    answers: outcome.copy === undefined ? answers : [...answers, outcome.copy],
  });
  const taken = isThief
    ? { thief: words.length === 2 ? (outcome.copy ?? copy) : copy }
    : { flights: world.flights.map((other) => (other === flight ? arrived(other) : other)) };
  const isFirst = world.unexplained === 0;
  // Repeats of an answer bring nobody further, so they are not counted.
  const counts = isFirst || outcome.copy === undefined || row.next > world.row.next;
  const unexplained = clients?.length !== 0 ? 0 : world.unexplained + (counts ? 1 : 0);
  return {
    row,
    refresh: { outcome, presented: copy, explained },
    world: {
      ...world,
      ...committed(world, row),
      ...taken,
      ...acted,
      refreshedAt: world.now,
      clients,
      unexplained,
      ...parent,
    },
  };
};
