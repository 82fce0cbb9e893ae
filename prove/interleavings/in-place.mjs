// Requests that refresh in place, on the real `createPawl`: between the arrival of a request, the question for its session and
// the head of its answer lies any time, up to hours. Only the network keeps to its part of an exchange.
import { createPawl, fetchExchange } from "@pawl/node";
import { UNIT, WINDOW } from "./honest-client.mjs";
import { claimsOf, openStage } from "./stage.mjs";
import { worldKey } from "./world.mjs";

/** What the network may take of an exchange, there and back. */
const NETWORK = WINDOW / 6;
/** Longer than anything is remembered. */
const LONG = 12 * UNIT;
/** An age in units above which all ages are alike. */
const OLD = WINDOW / UNIT + 1;

const COOKIES = { access: "__Host-pawl-access", refresh: "__Host-pawl-refresh" };

/**
 * @typedef {{ createPawl: typeof createPawl, fetchExchange: typeof fetchExchange }} SdkModule
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Copy} Copy
 * @typedef {{ tabs: number }} Life how many requests are under way at once
 *
 * A request under way. It is sent, seen by the server, asked for its session, and answered.
 * @typedef {object} Request
 * @property {"sent" | "seen" | "asked" | "answered"} is
 * @property {Copy} token what it carries
 * @property {number} since when it came to be what it is; of one that was asked: when it was seen
 * @property {number} network what is left to the network
 * @property {{ row: Row, at: number }} [asked] what the question found
 * @property {Copy} [answer] what the question gave
 *
 * @typedef {{ now: number, row: Row, jar: Copy, requests: readonly Request[], parent: World | undefined, step: string }} World
 */

const sdkModule = { createPawl, fetchExchange };

/** @param {SdkModule} sdk */
export const openInPlaceStage = async ({ createPawl: create, fetchExchange: exchangeOf } = sdkModule) => {
  const stage = await openStage("memory");
  const pawl = create({
    storage: stage.storage,
    masterKey: stage.masterKey,
    clock: stage.clock,
    reuseWindow: WINDOW,
    accessTokenValidity: "365d",
    refreshTokenValidity: "3650d",
  });
  await pawl.ready();

  /** The copy that an answer brings, where it brings one. @returns {Copy | undefined} */
  const copyIn = (/** @type {Response} */ answer, /** @type {Copy} */ presented) => {
    const cookies = new Map(
      answer.headers.getSetCookie().map((line) => {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        return [name, value];
      }),
    );
    const [access, refresh] = [cookies.get(COOKIES.access), cookies.get(COOKIES.refresh)];
    // None are written, or they are cleared, of which the row tells more.
    if (!access || !refresh) return undefined;
    const { seq, parentSeq, issuedAt } = claimsOf(access);
    // What was presented and is the newest comes back as the same copy.
    const iat = seq === presented.seq ? presented.iat : issuedAt;
    const refreshToken = /** @type {import("@pawl/engine").RefreshToken} */ (refresh);
    return { id: `${seq}.${iat}`, seq, iat, usedAs: issuedAt, parentSeq, refreshToken };
  };

  return {
    ...stage,
    /**
     * A request that is seen, asked for its session, and answered, at these times.
     * @param {Copy} token
     * @param {{ row: Row, seen: number, asked: number, answered: number }} times `row`: as the question finds it
     */
    async serve(token, { row, seen, asked, answered }) {
      await stage.restore(row, seen);
      const headers = { cookie: `${COOKIES.refresh}=${token.refreshToken}` };
      const exchange = exchangeOf(new Request("https://app.example/", { headers }));
      await pawl.handle(exchange);
      stage.clock.time = asked;
      const found = await pawl.getSession(exchange).then(
        (session) => (session === undefined ? "nobody" : "session"),
        (error) => String(error.code ?? error),
      );
      const after = await stage.row(row.id);
      stage.clock.time = answered;
      return { found, row: after, copy: copyIn(exchange.applyTo(new Response()), token) };
    },
    async close() {
      await pawl.close();
      await stage.close();
    },
  };
};

/** @typedef {Awaited<ReturnType<typeof openInPlaceStage>>} InPlaceStage */

/** In units, as far as it matters. */
const ageOf = (/** @type {World} */ { now }, /** @type {Request} */ { since }) => Math.min(OLD, (now - since) / UNIT);

/** The request as the key of a world has it: what it will do depends on nothing else. */
const asFlight = (/** @type {World} */ world, /** @type {Request} */ request) => ({
  server: false,
  sent: world.now - ageOf(world, request) * UNIT,
  token: request.answer ?? request.token,
  arrived: /** @type {any} */ (`${request.is}${request.network / UNIT}`),
  answers: [],
});

const keyOf = (/** @type {World} */ world) => {
  const flights = world.requests.map((request) => asFlight(world, request));
  const empty = { commits: [], losses: 0, thief: undefined, actor: undefined, clients: undefined };
  const rest = { actedAt: 0, refreshedAt: 0, unexplained: 0, contradicted: undefined, parent: undefined };
  return worldKey({ ...world, ...empty, ...rest, flights });
};

/** The names of the steps that are possible. */
const stepsOf = (/** @type {World} */ world, /** @type {Life} */ life) => {
  const { requests, now } = world;
  const steps = [];
  if (requests.length < life.tabs) steps.push("send");
  const next = { sent: "see", seen: "ask", asked: "answer", answered: "deliver" };
  const texts = requests.map((request) => {
    const { token, ...flight } = asFlight(world, request);
    return JSON.stringify([flight, token.id, token.usedAs]);
  });
  for (const [index, { is }] of requests.entries()) {
    if (texts.indexOf(texts[index] ?? "") < index) continue;
    steps.push(`${next[is]} ${index}`);
    if (is !== "sent") steps.push(`lose ${index}`);
  }
  steps.push("use");
  const onTheWay = requests.filter(({ is }) => is === "sent" || is === "answered");
  const patience = Math.min(...onTheWay.map(({ since, network }) => since + network));
  for (const duration of [UNIT, LONG]) if (now + duration <= patience) steps.push(`wait ${duration / UNIT}`);
  return steps;
};

/**
 * Does a step, and gives the world after it, where it made a difference, and what is wrong.
 * @typedef {{ world?: World | undefined, asked?: true, wrong?: string | undefined }} Done
 * @param {World} world
 * @param {string} step
 * @param {{ stage: InPlaceStage, handle: import("@pawl/engine").SessionHandle }} scene
 * @returns {Promise<Done>}
 */
const doStep = async (world, step, { stage, handle }) => {
  const { now, requests, row } = world;
  const [verb, number] = step.split(" ");
  const index = Number(number);
  const after = (/** @type {Partial<World>} */ changes) => ({ ...world, ...changes, parent: world, step });
  const others = requests.filter((_, position) => position !== index);
  const become = (/** @type {Request} */ request) => after({ requests: requests.toSpliced(index, 1, request) });

  if (verb === "wait") return { world: after({ now: now + index * UNIT }) };
  if (verb === "send") {
    /** @type {Request} */
    const sent = { is: "sent", token: world.jar, since: now, network: NETWORK };
    return { world: after({ requests: [...requests, sent] }) };
  }
  if (verb === "lose") return { world: after({ requests: others }) };
  if (verb === "use") {
    if (world.jar.parentSeq === undefined) return {};
    await stage.restore(row, now);
    await stage.use(world.jar, handle);
    const used = await stage.row(row.id);
    return { asked: true, world: used.current === row.current ? undefined : after({ row: used }) };
  }

  const request = requests[index];
  if (request === undefined) throw new Error(`nobody can do ${step}`);
  const { token, since, network } = request;
  if (verb === "see")
    return { world: become({ ...request, is: "seen", since: now, network: network - (now - since) }) };
  if (verb === "deliver") return { world: after({ requests: others, jar: request.answer ?? world.jar }) };
  if (verb === "ask") {
    const served = await stage.serve(token, { row, seen: since, asked: now, answered: now });
    const isRefreshed = served.found === "session";
    if (served.row.endReason !== undefined || served.found === "nobody")
      return { asked: true, world: after({}), wrong: `the honest user is logged out: ${served.row.endReason}` };
    if (!isRefreshed && (served.found !== "TRY_REFRESH" || now - since <= WINDOW / 6))
      return { asked: true, world: after({}), wrong: `is answered ${served.found}` };
    // Without an answer nothing more can come of it.
    const left = served.copy && {
      ...request,
      is: /** @type {const} */ ("asked"),
      asked: { row, at: now },
      answer: served.copy,
    };
    const world = left === undefined ? after({ requests: others }) : become(left);
    return { asked: true, world: { ...world, row: served.row } };
  }
  if (request.asked === undefined) throw new Error("it was never asked");
  const times = { row: request.asked.row, seen: since, asked: request.asked.at, answered: now };
  const { copy } = await stage.serve(token, times);
  if (copy === undefined) return { asked: true, world: after({ requests: others }) };
  if (copy.id !== request.answer?.id) throw new Error("the same request is answered in another way");
  return { asked: true, world: become({ ...request, is: "answered", since: now }) };
};

/** The story of a world, for a person. */
const storyOf = (/** @type {World} */ world) => {
  /** @type {string[]} */
  const steps = [];
  for (let at = /** @type {World | undefined} */ (world); at !== undefined; at = at.parent) steps.unshift(at.step);
  return steps.join(", ");
};

/**
 * Explores a class of lives, nearest first, at most `limit` runs: histories that end in something the real SDK is asked.
 * @param {Life} life
 * @param {{ stage: InPlaceStage, limit: number, onRun?: (runs: number) => void, stopAtFirst?: boolean }} options
 */
export const exploreInPlace = async (life, { stage, limit, onRun, stopAtFirst = false }) => {
  const { handle, copy, row } = await stage.login();
  /** @type {World} */
  const start = { now: stage.clock.time, row, jar: copy, requests: [], parent: undefined, step: "login" };
  const seen = new Set([keyOf(start)]);
  /** @type {string[]} */
  const stories = [];
  let runs = 0;
  let isClosed = true;
  /** @type {World[]} */
  let frontier = [start];
  while (frontier.length > 0 && isClosed) {
    /** @type {World[]} */
    const next = [];
    for (const world of frontier) {
      for (const step of stepsOf(world, life)) {
        if (runs >= limit || (stopAtFirst && stories.length > 0)) {
          isClosed = false;
          break;
        }
        const done = await doStep(world, step, { stage, handle });
        if (done.asked === true) {
          runs += 1;
          onRun?.(runs);
        }
        if (done.world === undefined) continue;
        if (done.wrong !== undefined) {
          stories.push(`${done.wrong}: ${storyOf(done.world)}`);
          continue;
        }
        const key = keyOf(done.world);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(done.world);
      }
      if (!isClosed) break;
    }
    frontier = next;
  }
  return { runs, states: seen.size, stories, isClosed };
};
