// Lives by chance of people at their browsers, through the real `createPawl` and its adapters for `fetch` and `node:http`: tabs,
// requests in bursts, lost answers, pages rendered where nothing can be written, and handlers that take as long as they like.
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createPawl, fetchExchange, nodeExchange } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { forNode } from "@pawl/node/node";
import { MemoryStorage, StorageError } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { sessionId } from "../identifiers.mjs";
import { claimsOf } from "./stage.mjs";

const SECOND = 1000;
const HOUR = 3_600_000;
const HOST = "app.example";

/**
 * @typedef {import("../random.mjs").Random} Random
 * @typedef {typeof sdkModule} SdkModule
 * @typedef {{ reuseWindow: number, accessTokenValidity: number }} Rules ms
 * @typedef {import("@pawl/node").Session} Session
 *
 * What a handler may ask, whatever the adapter.
 * @typedef {object} Api
 * @property {() => Promise<Session | undefined>} getSession
 * @property {() => Promise<{ status: string }>} readSession
 * @property {(input: { userId: string }) => Promise<Session>} createSession
 * @property {() => Promise<void>} signOut
 * @property {() => void} sendHead the answer's head is sent now, before the handler has ended
 * @property {() => boolean} isSent
 *
 * @typedef {(api: Api) => Promise<unknown>} Handler
 * @typedef {{ method: string, path: string, cookie: string, headers?: Record<string, string> }} Asked
 * @typedef {{ status: number, lines: readonly string[], header: (name: string) => string | undefined, body: () => string }} Head
 */

const sdkModule = { createPawl, fetchExchange, nodeExchange, forFetch, forNode };

/** The usual rules, and such that refreshes follow each other as closely as they can. @type {readonly Rules[]} */
const rules = [
  { reuseWindow: 30 * SECOND, accessTokenValidity: HOUR },
  { reuseWindow: 30 * SECOND, accessTokenValidity: 45 * SECOND },
  { reuseWindow: 60 * SECOND, accessTokenValidity: 61 * SECOND },
  { reuseWindow: 300 * SECOND, accessTokenValidity: 310 * SECOND },
];

/** What happens at which time: the clock jumps from one moment to the next. */
const createTimetable = (/** @type {import("../clock.mjs").ProofClock} */ clock) => {
  /** @type {{ at: number, go: () => void }[]} */
  let due = [];
  return {
    wait: (/** @type {number} */ ms) =>
      new Promise((resolve) => {
        const at = clock.time + Math.max(0, Math.round(ms));
        const before = due.findLastIndex((other) => other.at <= at);
        due.splice(before + 1, 0, { at, go: () => resolve(undefined) });
      }),
    /** Until nothing is left to happen. */
    async run() {
      // Whatever is done at a moment is over when the event loop turns.
      await new Promise(setImmediate);
      while (due.length > 0) {
        const [next, ...later] = due;
        due = later;
        clock.time = next?.at ?? clock.time;
        next?.go();
        await new Promise(setImmediate);
      }
    },
  };
};

/**
 * A store that may be told to fail, and counts how often it did.
 * @param {MemoryStorage} storage
 */
const failable = (storage) => {
  const state = { isFailing: false, failures: 0 };
  /** @type {Record<string, any>} */
  const line = Object.fromEntries(
    Object.entries(storage).map(([name, method]) => [
      name,
      name === "now" || name === "watchFeeds"
        ? method
        : async (/** @type {any[]} */ ...args) => {
            if (!state.isFailing) return method(...args);
            state.failures += 1;
            throw new StorageError("unavailable", "the store does not answer");
          },
    ]),
  );
  return { line: /** @type {import("@pawl/storage").Storage} */ (/** @type {unknown} */ (line)), state };
};

/**
 * An application of two processes on one store.
 * @param {SdkModule | undefined} sdk
 * @param {Rules} rules
 * @param {{ deviceBinding?: "prefer" | "require" }} [more]
 */
export const openApplication = async (sdk = sdkModule, { reuseWindow, accessTokenValidity }, more = {}) => {
  const clock = createClock();
  const storage = new MemoryStorage({ clock });
  const { line, state } = failable(storage);
  /** @type {string[]} */
  const thefts = [];
  const open = () =>
    sdk.createPawl({
      ...more,
      storage: line,
      masterKey: Buffer.alloc(32, 7).toString("base64"),
      clock,
      reuseWindow,
      accessTokenValidity,
      signingKeyUpdateInterval: "3650d",
      onTokenTheft: ({ handle }) => void thefts.push(handle),
    });
  const processes = [open(), open()].map((pawl) => ({
    pawl,
    viaFetch: sdk.forFetch(pawl),
    viaNode: sdk.forNode(pawl),
  }));
  for (const { pawl } of processes) await pawl.ready();

  /** @type {(process: (typeof processes)[number], asked: Asked, handler: Handler) => Promise<Head>} */
  const serveByFetch = async ({ pawl, viaFetch }, { method, path, cookie, headers: more = {} }, handler) => {
    const headers = cookie === "" ? more : { ...more, cookie };
    const request = new Request(`https://${HOST}${path}`, { method, headers });
    let isSent = false;
    const answer = await viaFetch.handle(
      request,
      () =>
        new Promise((resolve, reject) => {
          const sendHead = () => resolve(new Response());
          handler({
            getSession: () => viaFetch.getSession(request),
            readSession: () => pawl.readSession(sdk.fetchExchange(request)),
            createSession: (input) => viaFetch.createSession(request, { ...input, payload: {}, data: {} }),
            signOut: () => viaFetch.signOut(request),
            sendHead,
            isSent: () => isSent,
          }).then(sendHead, reject);
        }),
    );
    isSent = true;
    const text = await answer.text();
    const header = (/** @type {string} */ name) => answer.headers.get(name) ?? undefined;
    return { status: answer.status, lines: answer.headers.getSetCookie(), header, body: () => text };
  };

  /** @type {typeof serveByFetch} */
  const serveByNode = ({ pawl, viaNode }, { method, path, cookie, headers: more }, handler) =>
    new Promise((resolve, reject) => {
      const headers = { ...more, host: HOST, ...(cookie === "" ? {} : { cookie }) };
      const req = Object.assign(new IncomingMessage(new Socket()), { method, url: path, headers });
      const res = new ServerResponse(req);
      let text = "";
      const { end } = res;
      res.end = /** @type {any} */ (
        (/** @type {any[]} */ ...given) => {
          text = typeof given[0] === "string" ? given[0] : "";
          return end.apply(res, /** @type {any} */ (given));
        }
      );
      const told = () =>
        resolve({
          status: res.statusCode,
          lines: [res.getHeader("set-cookie") ?? []].flat().map(String),
          header: (name) => res.getHeader(name)?.toString(),
          body: () => text,
        });
      const sendHead = () => {
        if (!res.headersSent) res.writeHead(200);
        told();
      };
      viaNode
        .handle(req, res, () =>
          handler({
            getSession: () => viaNode.getSession(req, res),
            readSession: () => pawl.readSession(sdk.nodeExchange(req, res)),
            createSession: (input) => viaNode.createSession(req, res, { ...input, payload: {}, data: {} }),
            signOut: () => viaNode.signOut(req, res),
            sendHead,
            isSent: () => res.headersSent,
          }).then(sendHead),
        )
        .then(() => (res.headersSent ? told() : sendHead()), reject);
    });

  return {
    clock,
    thefts,
    /** Whether the store fails, and how often it has. */
    store: state,
    isBound: async (/** @type {string} */ handle) => {
      const row = await storage.getSession(sessionId(handle));
      return row !== undefined && row.endedAt === undefined && row.bound !== "";
    },
    timetable: createTimetable(clock),
    /** @type {(random: Random, asked: Asked, handler: Handler) => Promise<Head>} */
    serve: (random, asked, handler) => random.pick([serveByFetch, serveByNode])(random.pick(processes), asked, handler),
    endUser: (/** @type {string} */ user) => processes[0]?.pawl.sessions.endUser(user),
    async close() {
      for (const { pawl } of processes) await pawl.close();
      await storage.close();
    },
  };
};

/** @typedef {Awaited<ReturnType<typeof openApplication>>} Application */

/** Durations at which something may change, and around them. @returns {number} ms */
const anyTime = (/** @type {Random} */ random, /** @type {Rules} */ { reuseWindow, accessTokenValidity }) => {
  if (random.chance(0.1)) return random.below(5 * HOUR);
  const marks = [0, 1, 2, 3, 6, 7, 12].map((sixths) => (sixths * reuseWindow) / 6).concat(accessTokenValidity);
  return random.pick(marks) + random.pick([0, 0, -1, 1, SECOND]);
};

/** A browser: one jar, and whose session it holds. */
const createBrowser = () => {
  /** @type {Map<string, string>} */
  const jar = new Map();
  return {
    jar,
    /** @type {string | undefined} */
    holds: undefined,
    header: () => [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
    apply(/** @type {readonly string[]} */ lines) {
      for (const line of lines) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
        if (name.endsWith("-access") && value !== "") this.holds = claimsOf(value).handle;
      }
    },
  };
};

/**
 * One life. @returns what went wrong in it, and its story.
 * @param {Application} application
 * @param {{ random: Random, rules: Rules, user: string }} life
 */
const live = async ({ clock, timetable, serve, thefts }, { random, rules: own, user }) => {
  const { reuseWindow } = own;
  const { wait } = timetable;
  const browser = createBrowser();
  /** Sessions that the user ended, or another login did. @type {Set<string | undefined>} */
  const ended = new Set([undefined]);
  /** Changes of the payload. */
  const changes = { done: 0, running: 0 };
  /** @type {string[]} */
  const wrong = [];
  /** @type {string[]} */
  const story = [];
  const started = clock.time;
  const tell = (/** @type {string} */ what) =>
    void story.push(`${((clock.time - started) / SECOND).toFixed(3)} ${what}`);
  const blame = (/** @type {string} */ what) => {
    tell(`!! ${what}`);
    wrong.push(what);
  };
  const counts = { requests: 0, refreshed: 0, late: 0, raced: 0 };
  const later = () => wait(anyTime(random, own));

  /**
   * Sends a request and takes what its answer brings, unless it is lost.
   * @param {string} name
   * @param {{ method?: string, path?: string, isCertain?: boolean }} asked
   * @param {(api: Api, how: { ask: () => Promise<Session | undefined>, carried: string | undefined }) => Promise<unknown>} work
   */
  const request = async (name, { method = "GET", path = "/page", isCertain = false }, work) => {
    const sent = clock.time;
    const cookie = browser.header();
    const carried = browser.holds;
    const id = (counts.requests += 1);
    tell(`#${id} ${name} is sent`);
    const network = reuseWindow / 6;
    const there = isCertain ? 0 : random.pick([0, 0, network / 2, network, random.below(network)]);
    const back = isCertain ? 0 : random.pick([0, 0, network - there]);
    await wait(there);
    if (!isCertain && random.chance(0.05)) return;
    const seen = clock.time;
    /** @type {Handler} */
    const handler = (api) => {
      const ask = async () => {
        const mayRefresh = clock.time - seen <= reuseWindow / 6 && !api.isSent();
        const found = await api.getSession().then(
          (session) => ({ session, code: session === undefined ? "nobody" : "found" }),
          (error) => ({ session: undefined, code: String(error.code ?? error.stack) }),
        );
        tell(`#${id} is asked for: ${found.code}`);
        if (found.code === "TRY_REFRESH" ? mayRefresh : found.code !== "found" && !ended.has(carried))
          blame(`#${id} is answered ${found.code}`);
        return found.session;
      };
      return work(api, { ask, carried });
    };
    const { status, lines } = await serve(random, { method, path, cookie }, handler);
    const names = lines.map((line) => line.split("=", 1)[0]);
    if (new Set(names).size < names.length) blame(`#${id} sets a cookie twice`);
    if (status >= 500) blame(`#${id} is answered ${status}`);
    if (status === 401 && !ended.has(carried)) blame(`#${id} is answered 401`);
    tell(
      `#${id} is answered, ${lines.length === 0 ? "without cookies" : lines.map((line) => line.slice(0, line.indexOf("=") + 4)).join(" ")}`,
    );
    if (name === "reading" && lines.length > 0) blame(`#${id} only reads, and sets cookies`);
    if (lines.length > 0) counts.refreshed += 1;
    await wait(back);
    if (!isCertain && random.chance(0.2)) return tell(`#${id} is lost`);
    const before = browser.holds;
    const clears = lines.some((line) => /^[^=]+-refresh=;/.test(line));
    browser.apply(lines);
    if (lines.length > 0) tell(`#${id} arrives`);
    if (clears && !ended.has(before)) {
      // A request and the next login under way at once, within an exchange: who came first cannot be known.
      if (ended.has(carried) && clock.time - sent <= reuseWindow / 3) counts.raced += 1;
      else blame(`#${id} logs out a user who is logged in`);
    }
    if (clears) browser.holds = undefined;
  };

  /** @type {Record<string, () => Promise<void>>} */
  const kinds = {
    quick: () => request("quick", {}, (_api, { ask }) => ask()),
    slow: () =>
      request("slow", {}, async (_api, { ask }) => {
        await ask();
        await later();
      }),
    stream: () =>
      request("stream", {}, async (api, { ask }) => {
        await ask();
        if (random.chance(0.3)) await later();
        api.sendHead();
        await later();
        await ask();
      }),
    "asked late": () =>
      request("asked late", { method: "POST" }, async (_api, { ask }) => {
        await later();
        await ask();
        if (random.chance(0.5)) await later();
      }),
    "asked twice": () =>
      request("asked twice", {}, async (_api, { ask }) => {
        await ask();
        await later();
        await ask();
      }),
    reading: async () => {
      let mustRefresh = false;
      const [, access = ""] = [...browser.jar].find(([name]) => name.endsWith("-access")) ?? [];
      const isFresh = () => access !== "" && claimsOf(access).expiresAt > clock.time;
      await request("reading", {}, async ({ readSession }) => {
        const { status } = await readSession();
        mustRefresh = status === "try_refresh";
        if (status === "valid" && !isFresh()) blame("a reading refreshes");
        if (random.chance(0.5)) await later();
      });
      if (mustRefresh)
        await request("redirect to refresh", { path: "/session/refresh?return=/" }, async () => undefined);
    },
    refreshing: () => request("refreshing", { method: "POST", path: "/session/refresh" }, async () => undefined),
    "changing the payload": () =>
      request("changing the payload", { method: "POST" }, async (_api, { ask }) => {
        const session = await ask();
        const seen = changes.done;
        if (random.chance(0.5)) await later();
        const others = changes.running;
        changes.running += 1;
        await session
          ?.updatePayload({ at: clock.time })
          .then(() => void (changes.done += 1))
          .catch((error) => {
            // Nobody writes over what another request has changed meanwhile.
            const isOvertaken =
              error.code === "TRY_REFRESH" && (changes.done > seen || others > 0 || changes.running > 1);
            if (!ended.has(session.handle) && !isOvertaken) blame(`changing the payload is answered ${error.code}`);
          });
        changes.running -= 1;
        if (random.chance(0.5)) await later();
      }),
  };
  const login = (isCertain = false) =>
    request("login", { method: "POST", isCertain }, async ({ createSession }, { carried }) => {
      if (!isCertain && random.chance(0.3)) await later();
      ended.add(carried);
      await createSession({ userId: user });
      if (!isCertain && random.chance(0.3)) await later();
    });
  const leave = () =>
    request("leaving", { method: "POST" }, async ({ signOut }, { carried }) => {
      if (random.chance(0.3)) await later();
      const wasLive = !ended.has(carried);
      ended.add(carried);
      await signOut().catch(() => wasLive && ended.delete(carried));
      if (random.chance(0.3)) await later();
    });

  /** @type {Promise<void>[]} */
  const underWay = [];
  const start = (/** @type {Promise<void>} */ work) =>
    void underWay.push(work.catch((error) => blame(String(error?.stack ?? error))));
  const script = async () => {
    await login(true);
    for (let acts = 2 + random.below(9); acts > 0; acts -= 1) {
      await later();
      // Browsers drop a cookie now and then.
      if (random.chance(0.1))
        for (const name of browser.jar.keys()) if (name.endsWith("-access")) browser.jar.delete(name);
      if (random.chance(0.04)) start(leave());
      else if (browser.jar.size === 0 || random.chance(0.03)) start(login());
      else {
        const kind = random.pick(Object.values(kinds));
        const burst = random.pick([1, 1, 1, 2, 3, 5]);
        for (let count = 0; count < burst; count += 1)
          start((random.chance(0.7) ? kind : random.pick(Object.values(kinds)))());
      }
      if (random.chance(0.2)) await Promise.all(underWay);
    }
    await Promise.all(underWay);
    await later();
    if (!ended.has(browser.holds)) await request("the last", { isCertain: true }, (_api, { ask }) => ask());
  };
  const done = script().catch((error) => blame(String(error?.stack ?? error)));
  await timetable.run();
  await done;
  if (thefts.length > 0) blame("an honest user is called a thief");
  thefts.length = 0;
  return { wrong, story, counts };
};

/** So many lives on one store. */
const LIVES = 100;

/**
 * Lives, as many as wanted, or until the first in which something went wrong.
 * @param {number} size
 * @param {{ random: Random, sdk?: SdkModule, stopAtFirst?: boolean, onLife?: (lives: number) => void }} options
 */
export const liveInPlace = async (size, { random, sdk = sdkModule, stopAtFirst = false, onLife }) => {
  const total = { lives: 0, requests: 0, refreshed: 0, raced: 0 };
  /** @type {{ wrong: readonly string[], story: readonly string[] }[]} */
  const failures = [];
  const isOver = () => total.lives >= size || (stopAtFirst && failures.length > 0);
  while (!isOver()) {
    const own = random.pick(rules);
    const application = await openApplication(sdk, own);
    for (let lives = 0; lives < LIVES && !isOver(); lives += 1) {
      const user = `user-${total.lives}`;
      const { wrong, story, counts } = await live(application, { random, rules: own, user });
      await application.endUser(user);
      if (wrong.length > 0) failures.push({ wrong, story: [JSON.stringify(own), ...story] });
      total.requests += counts.requests;
      total.refreshed += counts.refreshed;
      total.raced += counts.raced;
      total.lives += 1;
      onLife?.(total.lives);
    }
    await application.close();
  }
  return { ...total, failures };
};
