// The operations as an application sees them: a browser's requests through `@pawl/supertokens`, in process or against a core.
import { defaultPolicy } from "@pawl/engine";
import { createPawl } from "@pawl/supertokens";
import { millis } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { startProofCore } from "../core.mjs";
import { tenantId, userId } from "../identifiers.mjs";
import { createFaultyLine } from "./faulty-line.mjs";
import { startFaultyProxy } from "./faulty-proxy.mjs";
import { openReal } from "./stage.mjs";

const HOUR = 3_600_000;
/** Time passes in no time here: a new signing key could not be known before it signs. */
const CENTURY = millis(100 * 365 * 24 * HOUR);
const masterKey = Buffer.alloc(32, 7).toString("base64");

/** So soon somebody gives up, where an answer is never to come; in ms. */
const HASTE = 60;

/**
 * @typedef {import("@pawl/supertokens").Session} Session
 * @typedef {{ method: string, headers: { cookie?: string } }} Asked
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
    cookies: () => [headers.get("set-cookie") ?? []].flat().map(String),
  };
};

/** A browser with one jar. @returns {Browser} */
const createBrowser = (/** @type {string} */ user) => {
  /** @type {Map<string, string>} */
  const jar = new Map();
  return {
    user,
    jar,
    async send(work) {
      const res = createAnswer();
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const outcome = await work({ method: "POST", headers: cookie === "" ? {} : { cookie } }, res).then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
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
 * An application on a storage, embedded or with a core.
 * @param {import("./stage.mjs").StoreKind} kind
 * @param {{ hasCore: boolean }} options
 */
export const openApplication = async (kind, { hasCore }) => {
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
  const open = (/** @type {import("@pawl/supertokens").PawlOptions} */ options) =>
    createPawl({ clock, cookies: { secure: false, sameSite: "lax" }, ...options });
  const pawl = open(
    proxy === undefined
      ? { storage, masterKey, checkDatabase: true, signingKeyUpdateInterval: CENTURY }
      : { core: [proxy.url] },
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
  for (const each of pawls) await each.ready();
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
      return JSON.stringify(
        items
          .toSorted((one, other) => one.createdAt - other.createdAt)
          .map(({ current, next, endReason = "live", payload, data }) => [current, next, endReason, payload, data]),
      );
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

/** @typedef {Awaited<ReturnType<typeof openApplication>>} Application */
/** @typedef {(application: Application, browser: Browser) => Promise<Outcome>} Act */

const must = (/** @type {Outcome} */ { value, error }) => {
  if (error !== undefined)
    throw new Error(`an honest request is answered ${error.code ?? error.stack}: ${error.message}`);
  return value;
};
/** @type {Act} */
const loginOf = ({ pawl }, browser) =>
  browser.send((_req, res) => pawl.createNewSession(res, browser.user, { role: "a" }, { cart: [] }));
/** @type {Act} */
const refresh = ({ pawl }, browser) => browser.send((req, res) => pawl.refreshSession(req, res));
/** @type {(work?: (session: Session, application: Application) => Promise<unknown>) => Act} */
const withSession = (work) => (application, browser) =>
  browser.send(async (req, res) => work?.(await application.pawl.getSession(req, res, false), application));
const inSession = withSession();

/** A browser whose session is some rotations old, and whose access token is fresh. */
const settled = async (/** @type {Application} */ application) => {
  const browser = application.browser();
  must(await loginOf(application, browser));
  await goesOn(application, browser);
  return browser;
};
/** The same, a while later. */
const returning = async (/** @type {Application} */ application) => {
  const browser = await settled(application);
  application.clock.time += 2 * HOUR;
  return browser;
};

/** @param {Application} application @param {Browser} browser */
const goesOn = async (application, browser) => {
  for (let turn = 0; turn < 2; turn += 1) {
    application.clock.time += 2 * HOUR;
    must(await refresh(application, browser));
    must(await inSession(application, browser));
  }
};
/** @param {Application} application @param {Browser} browser */
const isOut = async (application, browser) => {
  const { error } = await refresh(application, browser);
  if (error?.code !== "UNAUTHORISED")
    throw new Error(`an ended session's refresh is answered ${error?.code ?? "well"}`);
  if (browser.jar.size > 0) throw new Error("an ended session leaves cookies");
};

/**
 * Whatever came of it, the same call again succeeds; then what `check` says holds, and the browser's life goes on.
 * @type {(act: Act, check?: (value: any) => void) => Pick<Request, "act" | "after">}
 */
const repeated = (act, check = () => undefined) => ({
  act,
  async after(application, browser) {
    check(must(await act(application, browser)));
    await goesOn(application, browser);
  },
});
/**
 * Ends the session: another try, with what the browser had, leaves it ended.
 * @type {(act: Act) => Pick<Request, "act" | "after">}
 */
const ending = (act) => ({
  act,
  async after(application, _browser, before) {
    const { error } = await act(application, before.copy());
    if (error !== undefined && error.code !== "UNAUTHORISED")
      throw new Error(`the second try is answered ${error.code}`);
    await isOut(application, before.copy());
  },
});
/** @returns {string} */
const handleOf = (/** @type {Browser} */ browser) => {
  const [, body = ""] = browser.jar.get("sAccessToken")?.split(".") ?? [];
  return JSON.parse(Buffer.from(body, "base64url").toString()).sessionHandle;
};
/** @type {(work: (pawl: Application["pawl"], handle: string, browser: Browser) => Promise<unknown>) => Act} */
const byHandle = (work) => (application, browser) => {
  const handle = handleOf(browser);
  return browser.send(() => work(application.pawl, handle, browser));
};
const otherOf = (/** @type {Browser} */ browser) => /** @type {Browser} */ (browser.other);
const is = (/** @type {unknown} */ wanted) => (/** @type {unknown} */ found) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`gives ${JSON.stringify(found)}`);
};

/**
 * What an application does.
 * @typedef {object} Request
 * @property {(application: Application) => Promise<Browser>} prepare gives the browser
 * @property {Act} act what fails
 * @property {(application: Application, browser: Browser, before: Browser) => Promise<void>} after another try by an honest
 *   client; `before` is the browser as it was
 * @property {(application: Application, browser: Browser) => Promise<void>} holds what has to hold after it
 * @property {readonly (string | undefined)[]} ends the errors that a whole answer may be
 * @property {boolean} [isTheft]
 */

/** @type {Record<string, Pick<Request, "act" | "after"> & Partial<Request>>} */
const table = {
  createNewSession: {
    prepare: async (application) => application.browser(),
    act: loginOf,
    async after(application, browser) {
      must(await loginOf(application, browser));
      await goesOn(application, browser);
    },
  },
  getSession: repeated(inSession),
  refreshSession: { ...repeated(refresh), prepare: returning },
  "refreshSession, again": {
    ...repeated(refresh),
    async prepare(application) {
      const browser = await returning(application);
      must(await refresh(application, browser.copy()));
      return browser;
    },
  },
  "refreshSession, the session has ended": {
    async prepare(application) {
      const browser = await settled(application);
      await application.pawl.revokeAllSessionsForUser(browser.user);
      return browser;
    },
    act: refresh,
    ends: ["UNAUTHORISED"],
    after: isOut,
  },
  "refreshSession, stolen": {
    async prepare(application) {
      const browser = await settled(application);
      const thief = browser.copy();
      for (let turn = 0; turn < 2; turn += 1) {
        application.clock.time += 2 * HOUR;
        must(await refresh(application, browser));
      }
      return Object.assign(thief, { other: browser });
    },
    act: refresh,
    // The latter where the core was asked again, because its first answer was lost: the session has ended since.
    ends: ["TOKEN_THEFT_DETECTED", "UNAUTHORISED"],
    isTheft: true,
    async after(application, thief) {
      const { error } = await refresh(application, thief);
      if (!["TOKEN_THEFT_DETECTED", "UNAUTHORISED"].includes(error?.code))
        throw new Error(`the thief is answered ${error?.code ?? "well"}`);
      await isOut(application, otherOf(thief));
    },
  },
  revokeSession: ending(withSession((session) => session.revokeSession())),
  signOut: ending(withSession((session) => session.signOut())),
  revokeSessionUsingSessionHandle: ending(byHandle((pawl, handle) => pawl.revokeSessionUsingSessionHandle(handle))),
  revokeAllSessionsForUser: ending((application, browser) =>
    browser.send(() => application.pawl.revokeAllSessionsForUser(browser.user)),
  ),
  revokeOthers: {
    ...repeated(withSession((session, { pawl }) => pawl.sessions.revokeOthers(session))),
    async prepare(application) {
      const browser = await settled(application);
      const other = createBrowser(browser.user);
      must(await loginOf(application, other));
      return Object.assign(browser, { other });
    },
    holds: (application, browser) => isOut(application, otherOf(browser)),
  },
  getSessionData: repeated(
    byHandle((pawl, handle) => pawl.getSessionData(handle)),
    is({ cart: [] }),
  ),
  updateSessionData: {
    ...repeated(byHandle((pawl, handle) => pawl.updateSessionData(handle, { cart: [1] }))),
    holds: async ({ pawl }, browser) => is({ cart: [1] })(await pawl.getSessionData(handleOf(browser))),
  },
  updatePayload: repeated(
    byHandle((pawl, handle) => pawl.sessions.updatePayload(handle, { role: "b" })),
    is(true),
  ),
  listForUser: repeated(
    byHandle(async (pawl, _handle, { user }) => (await pawl.sessions.listForUser(user)).length),
    is(1),
  ),
  getAllSessionHandlesForUser: repeated(
    byHandle(async (pawl, _handle, { user }) => (await pawl.getAllSessionHandlesForUser(user)).length),
    is(1),
  ),
  explain: repeated(
    byHandle(async (pawl, handle) => (await pawl.sessions.explain(handle)).status),
    is("live"),
  ),
};

/** @type {readonly (Request & { name: string })[]} */
export const requests = Object.entries(table).map(([name, request]) => ({
  name,
  prepare: settled,
  holds: async () => undefined,
  ends: [undefined],
  ...request,
}));
