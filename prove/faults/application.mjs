// An application on a storage, embedded or with a core, whose line can go wrong, and the browsers that ask it.
import { defaultPolicy } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { startProofCore } from "../core.mjs";
import { tenantId, userId } from "../identifiers.mjs";
import { createFaultyLine } from "./faulty-line.mjs";
import { startFaultyProxy } from "./faulty-proxy.mjs";
import { openReal } from "./stage.mjs";

export const HOUR = 3_600_000;
/** Time passes in no time here: a new signing key could not be known before it signs. */
const CENTURY = millis(100 * 365 * 24 * HOUR);
const masterKey = Buffer.alloc(32, 7).toString("base64");

/** So soon somebody gives up, where an answer is never to come; in ms. */
const HASTE = 60;
/** All others wait for as long as a busy machine takes. */
const PATIENCE = /** @type {const} */ ({ tryTimeout: "60000ms", callTimeout: "180000ms" });

/**
 * @typedef {{ method: string, url: string, headers: { host: string, cookie?: string } }} Asked
 * @typedef {ReturnType<typeof createAnswer>} Answer
 * @typedef {{ value?: any, error?: any, headers: Answer["headers"] }} Outcome what a piece of application gave or threw
 *
 * @typedef {object} Browser
 * @property {string} user
 * @property {Map<string, string>} jar
 * @property {(work: (req: Asked, res: Answer) => Promise<unknown>) => Promise<Outcome>} send sends a request to a piece of application
 * @property {() => Browser} copy another one with the same cookies: a thief's
 * @property {Browser} [other] of the victim, or of another login
 */

/** An answer that keeps what is set, as `node:http` would check it. */
export const createAnswer = () => {
  /** @type {Map<string, string | number | readonly string[]>} */
  const headers = new Map();
  return {
    headers,
    headersSent: false,
    getHeader: (/** @type {string} */ name) => headers.get(name.toLowerCase()),
    /** @param {string} name @param {string | number | readonly string[]} value */
    setHeader: (name, value) => headers.set(name.toLowerCase(), value),
    removeHeader: (/** @type {string} */ name) => headers.delete(name.toLowerCase()),
    writeHead: () => undefined,
    cookies: () => [headers.get("set-cookie") ?? []].flat().map(String),
  };
};

/** A browser with one jar. @returns {Browser} */
export const createBrowser = (/** @type {string} */ user) => {
  /** @type {Map<string, string>} */
  const jar = new Map();
  return {
    user,
    jar,
    async send(work) {
      const res = createAnswer();
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { host: "app.example", ...(cookie === "" ? {} : { cookie }) };
      const outcome = await work({ method: "POST", url: "/", headers }, res).then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      res.writeHead();
      for (const line of res.cookies()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return { ...outcome, headers: res.headers };
    },
    copy: () => {
      const other = createBrowser(user);
      for (const [name, value] of jar) other.jar.set(name, value);
      return other;
    },
  };
};

/**
 * What is given to whoever opens an instance of a backend SDK.
 * @typedef {{ storage: import("@pawl/storage").Storage, masterKey: string, checkDatabase: true, signingKeyUpdateInterval: number }} InProcess
 * @typedef {{ core: string[], tryTimeout?: `${number}ms`, callTimeout?: `${number}ms` }} WithCore
 * @typedef {(InProcess | WithCore) & { clock: import("@pawl/storage").Clock }} SdkOptions
 * @typedef {{ ready: () => Promise<void>, close: () => Promise<void> }} Closable
 */

const opens = (/** @type {Closable} */ sdk) =>
  sdk.ready().then(
    () => true,
    () => false,
  );

/**
 * An application on a storage, embedded or with a core.
 * @template {Closable} Pawl
 * @param {import("./stage.mjs").StoreKind} kind
 * @param {{ hasCore: boolean, open: (options: SdkOptions) => Pawl }} options
 */
export const openApplication = async (kind, { hasCore, open: openSdk }) => {
  const clock = createClock();
  const real = await openReal(kind, clock);
  const line = createFaultyLine();
  const storage = line.storage(real);
  /** @type {import("../core.mjs").ProofCore[]} */
  const cores = [];
  const startCore = async (limits = {}) => {
    const policy = { ...defaultPolicy, checkDatabase: true, signingKeyUpdateInterval: CENTURY };
    const core = await startProofCore({ masterKey, policy, storage: /** @type {any} */ (storage) }, { clock, limits });
    cores.push(core);
    return core;
  };
  const proxy = hasCore ? await startFaultyProxy((await startCore()).address) : undefined;
  const open = (/** @type {InProcess | WithCore} */ options) => openSdk({ clock, ...options });
  const pawl = open(
    proxy === undefined
      ? { storage, masterKey, checkDatabase: true, signingKeyUpdateInterval: CENTURY }
      : { core: [proxy.url], ...PATIENCE },
  );
  const hasty =
    proxy === undefined
      ? undefined
      : {
          /** Gives up a core that does not answer. */
          application: open({ core: [proxy.url], tryTimeout: `${HASTE}ms` }),
          /** Asks a core that gives up a storage which does not answer. */
          core: open({ core: [(await startCore({ answerTimeout: HASTE })).url] }),
        };
  const pawls = [pawl, ...Object.values(hasty ?? {})];
  // Whoever gives up soon may do so here too, where others keep the machine busy.
  for (const each of pawls) for (let tries = 0; tries < 50; tries += 1) if (await opens(each)) break;
  let users = 0;
  return {
    clock,
    line,
    proxy,
    pawl,
    hasty,
    browser: () => createBrowser(`user-${(users += 1)}`),
    /** What is stored of a user, without what differs from run to run. */
    async view(/** @type {string} */ user) {
      const owner = { tenantId: tenantId("public"), userId: userId(user) };
      const { items } = await real.listSessionHistory(owner, { limit: 100 });
      const rows = items.map(({ current, next, endReason = "live", payload, data, facts }) => {
        const timeless = facts.replaceAll(/\d{10,}/g, "then");
        return JSON.stringify([current, next, endReason, payload, data, timeless]);
      });
      return rows.toSorted().join("\n");
    },
    alarms: async (/** @type {string} */ user) =>
      (await real.listEvents({ userId: userId(user), types: ["token_reuse", "forged_token"] }, { limit: 10 })).items
        .length,
    async close() {
      for (const each of pawls) await each.close();
      await proxy?.close();
      for (const core of cores) await core.close();
      await real.close();
    },
  };
};

/**
 * @template {Closable} Pawl
 * @typedef {Awaited<ReturnType<typeof openApplication<Pawl>>>} Application
 */
/**
 * @template Application
 * @typedef {(application: Application, browser: Browser) => Promise<Outcome>} Act
 */
/**
 * What an application does.
 * @template Application
 * @typedef {object} Request
 * @property {(application: Application) => Promise<Browser>} prepare gives the browser
 * @property {Act<Application>} act what fails
 * @property {(application: Application, browser: Browser, before: Browser) => Promise<void>} after another try by an honest
 *   client; `before` is the browser as it was
 * @property {(application: Application, browser: Browser) => Promise<void>} holds what has to hold after it
 * @property {readonly (string | undefined)[]} ends the errors that a whole answer may be
 * @property {boolean} [refreshesFirst] what it does comes after a refresh, which stands when the rest fails
 * @property {boolean} [isTheft]
 */

export const must = (/** @type {Outcome} */ { value, error }) => {
  if (error !== undefined)
    throw new Error(`an honest request is answered ${error.code ?? error.stack}: ${error.message}`);
  return value;
};

export const otherOf = (/** @type {Browser} */ browser) => /** @type {Browser} */ (browser.other);
export const is = (/** @type {unknown} */ wanted) => (/** @type {unknown} */ found) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`gives ${JSON.stringify(found)}`);
};

/**
 * How a browser's life goes with one SDK. `turns` is what it does each time its access token has run out; `asks` is what
 * tells that its session has ended.
 * @template {Closable} Pawl
 * @param {{
 *   login: Act<Application<Pawl>>,
 *   turns: readonly Act<Application<Pawl>>[],
 *   asks: Act<Application<Pawl>>,
 *   handleOf: (browser: Browser) => string,
 * }} sdk
 */
export const createLife = ({ login, turns, asks, handleOf }) => {
  /** @typedef {Application<Pawl>} App */
  /** @typedef {Pick<Request<App>, "act" | "after">} Tried */

  const goesOn = async (/** @type {App} */ application, /** @type {Browser} */ browser) => {
    for (let turn = 0; turn < 2; turn += 1) {
      application.clock.time += 2 * HOUR;
      for (const act of turns) must(await act(application, browser));
    }
  };
  /** A browser whose session is some rotations old, and whose access token is fresh. */
  const settled = async (/** @type {App} */ application) => {
    const browser = application.browser();
    must(await login(application, browser));
    await goesOn(application, browser);
    return browser;
  };
  /** The same, when the access token has run out. */
  const returning = async (/** @type {App} */ application) => {
    const browser = await settled(application);
    application.clock.time += 2 * HOUR;
    return browser;
  };
  const isOut = async (/** @type {App} */ application, /** @type {Browser} */ browser) => {
    const { error } = await asks(application, browser);
    if (error?.code !== "UNAUTHORISED") throw new Error(`an ended session is answered ${error?.code ?? "well"}`);
    if (browser.jar.size > 0) throw new Error("an ended session leaves cookies");
  };

  return {
    goesOn,
    settled,
    returning,
    isOut,
    /**
     * Whatever came of it, the same call again succeeds; then what `check` says holds, and the browser's life goes on.
     * @type {(act: Act<App>, check?: (value: any) => void) => Tried}
     */
    repeated: (act, check = () => undefined) => ({
      act,
      async after(application, browser) {
        check(must(await act(application, browser)));
        await goesOn(application, browser);
      },
    }),
    /**
     * Ends the session: another try, with what the browser had, leaves it ended.
     * @type {(act: Act<App>) => Tried}
     */
    ending: (act) => ({
      act,
      async after(application, _browser, before) {
        const { error } = await act(application, before.copy());
        if (error !== undefined && error.code !== "UNAUTHORISED")
          throw new Error(`the second try is answered ${error.code}`);
        await isOut(application, before.copy());
      },
    }),
    /** @type {(work: (pawl: Pawl, handle: string, browser: Browser) => Promise<unknown>) => Act<App>} */
    byHandle: (work) => (application, browser) => {
      const handle = handleOf(browser);
      return browser.send(() => work(application.pawl, handle, browser));
    },
  };
};

/**
 * Requests by name, with what most have in common.
 * @template Application
 * @param {Record<string, Pick<Request<Application>, "act" | "after"> & Partial<Request<Application>>>} table
 * @param {Pick<Request<Application>, "prepare">} usual
 * @returns {readonly (Request<Application> & { name: string })[]}
 */
export const namedRequests = (table, usual) =>
  Object.entries(table).map(([name, request]) => ({
    name,
    holds: async () => undefined,
    ends: [undefined],
    ...usual,
    ...request,
  }));

/**
 * A backend SDK, and all that is asked of it.
 * @template {Closable} Pawl
 * @typedef {object} Api
 * @property {(options: SdkOptions) => Pawl} open
 * @property {string} unknown the error's code where nothing is known of a session
 * @property {readonly (Request<Application<Pawl>> & { name: string })[]} requests
 * @property {Readonly<Record<string, string>>} unasked routes of the core that none of them asks for, and why
 */
