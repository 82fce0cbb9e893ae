// The operations as an application sees them: a browser's requests through `@pawl/node`, in process or against a core.
import { defaultPolicy } from "@pawl/engine";
import { createPawl } from "@pawl/node";
import { MemoryStorage } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { startProofCore } from "../core.mjs";
import { createFaultyLine } from "./faulty-line.mjs";
import { startFaultyProxy } from "./faulty-proxy.mjs";

const HOUR = 3_600_000;
/** Time passes in no time here: a new signing key could not be known before it signs. */
const CENTURY = 100 * 365 * 24 * HOUR;
const masterKey = Buffer.alloc(32, 7).toString("base64");

/** So soon somebody gives up, where an answer is never to come; in ms. */
const HASTE = 60;

/** A browser with one jar. */
const createBrowser = (user) => {
  const jar = new Map();
  const browser = {
    user,
    /** Sends a request to a piece of application. @returns what it gave or threw, and the headers of its answer. */
    async send(work) {
      const headers = new Map();
      const res = {
        headersSent: false,
        getHeader: (name) => headers.get(name.toLowerCase()),
        setHeader: (name, value) => headers.set(name.toLowerCase(), value),
        removeHeader: (name) => headers.delete(name.toLowerCase()),
      };
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const req = { method: "POST", headers: cookie === "" ? {} : { cookie } };
      const outcome = await work(req, res).then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      for (const line of [headers.get("set-cookie") ?? []].flat()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return { ...outcome, headers };
    },
    /** Another one with the same cookies: a thief's. */
    copy: () => {
      const other = createBrowser(user);
      for (const [name, value] of jar) other.jar.set(name, value);
      return other;
    },
    jar,
  };
  return browser;
};

/**
 * An application on a storage, embedded or with a core.
 * @param {"memory" | "sqlite"} kind
 * @param {{ hasCore: boolean }} options
 */
export const openApplication = async (kind, { hasCore }) => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const real = kind === "memory" ? new MemoryStorage({ clock }) : await openStorage("sqlite::memory:", { clock });
  await real.migrate();
  const line = createFaultyLine();
  const storage = line.storage(real);
  const cores = [];
  const startCore = async (limits) => {
    const policy = { ...defaultPolicy, checkDatabase: true, signingKeyUpdateInterval: CENTURY };
    const core = await startProofCore({ storage, masterKey, policy }, { clock, limits });
    cores.push(core);
    return core;
  };
  const proxy = hasCore ? await startFaultyProxy((await startCore({})).address) : undefined;
  const pawls = [];
  const open = (options) => {
    pawls.push(createPawl({ clock, cookies: { secure: false, sameSite: "lax" }, ...options }));
    return pawls.at(-1);
  };
  const pawl = open(
    hasCore ? { core: [proxy.url] } : { storage, masterKey, checkDatabase: true, signingKeyUpdateInterval: CENTURY },
  );
  const hasty = hasCore
    ? {
        /** Gives up a core that does not answer. */
        application: open({ core: [proxy.url], tryTimeout: `${HASTE}ms` }),
        /** Asks a core that gives up a storage which does not answer. */
        core: open({ core: [(await startCore({ answerTimeout: HASTE })).url] }),
      }
    : {};
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
    async view(userId) {
      const { items } = await real.listSessionHistory({ tenantId: "public", userId }, { limit: 100 });
      return JSON.stringify(
        items
          .toSorted((one, other) => one.createdAt - other.createdAt)
          .map(({ current, next, endReason = "live", payload, data }) => [current, next, endReason, payload, data]),
      );
    },
    alarms: async (userId) =>
      (await real.listEvents({ userId, types: ["token_reuse", "forged_token"] }, { limit: 10 })).items.length,
    async close() {
      for (const each of pawls) await each.close();
      await proxy?.close();
      for (const core of cores) await core.close();
      await real.close();
    },
  };
};

const must = ({ value, error }) => {
  if (error !== undefined)
    throw new Error(`an honest request is answered ${error.code ?? error.stack}: ${error.message}`);
  return value;
};
const loginOf = ({ pawl }, browser) =>
  browser.send((_req, res) => pawl.createNewSession(res, browser.user, { role: "a" }, { cart: [] }));
const refresh = ({ pawl }, browser) => browser.send((req, res) => pawl.refreshSession(req, res));
const inSession = ({ pawl }, browser, work = async () => undefined) =>
  browser.send(async (req, res) => work(await pawl.getSession(req, res, false)));

/** A browser whose session is some rotations old, and whose access token is fresh. */
const settled = async (application) => {
  const browser = application.browser();
  must(await loginOf(application, browser));
  await goesOn(application, browser);
  return browser;
};
/** The same, a while later. */
const returning = async (application) => {
  const browser = await settled(application);
  application.clock.time += 2 * HOUR;
  return browser;
};

const goesOn = async (application, browser) => {
  for (let turn = 0; turn < 2; turn += 1) {
    application.clock.time += 2 * HOUR;
    must(await refresh(application, browser));
    must(await inSession(application, browser));
  }
};
const isOut = async (application, browser) => {
  const { error } = await refresh(application, browser);
  if (error?.code !== "UNAUTHORISED")
    throw new Error(`an ended session's refresh is answered ${error?.code ?? "well"}`);
  if (browser.jar.size > 0) throw new Error("an ended session leaves cookies");
};

/** Whatever came of it, the same call again succeeds; then what `check` says holds, and the browser's life goes on. */
const repeated = (act, check = () => undefined) => ({
  act,
  async after(application, browser) {
    check(must(await act(application, browser)));
    await goesOn(application, browser);
  },
});
/** Ends the session: another try, with what the browser has, leaves it ended. */
const ending = (act) => ({
  act,
  async after(application, browser) {
    const { error } = await act(application, browser.before.copy());
    if (error !== undefined && error.code !== "UNAUTHORISED")
      throw new Error(`the second try is answered ${error.code}`);
    await isOut(application, browser.before.copy());
  },
});
const handleOf = (browser) =>
  JSON.parse(Buffer.from(browser.jar.get("sAccessToken").split(".")[1], "base64url")).sessionHandle;
const byHandle = (work) => (application, browser) => {
  const handle = handleOf(browser);
  return browser.send(() => work(application.pawl, handle, browser));
};
const is = (wanted) => (found) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`gives ${JSON.stringify(found)}`);
};

/**
 * What an application does, by name: `prepare` gives the browser, `act` is what fails, `after` is another try by whoever is
 * honest, `holds` what has to hold after it; `ends` are the errors that a whole answer may be.
 */
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
      return Object.assign(thief, { victim: browser });
    },
    act: refresh,
    // The latter where the core was asked again, because its first answer was lost: the session has ended since.
    ends: ["TOKEN_THEFT_DETECTED", "UNAUTHORISED"],
    isTheft: true,
    async after(application, thief) {
      const { error } = await refresh(application, thief);
      if (!["TOKEN_THEFT_DETECTED", "UNAUTHORISED"].includes(error?.code))
        throw new Error(`the thief is answered ${error?.code ?? "well"}`);
      await isOut(application, thief.victim);
    },
  },
  revokeSession: ending((application, browser) =>
    inSession(application, browser, (session) => session.revokeSession()),
  ),
  signOut: ending((application, browser) => inSession(application, browser, (session) => session.signOut())),
  revokeSessionUsingSessionHandle: ending(byHandle((pawl, handle) => pawl.revokeSessionUsingSessionHandle(handle))),
  revokeAllSessionsForUser: ending((application, browser) =>
    browser.send(() => application.pawl.revokeAllSessionsForUser(browser.user)),
  ),
  revokeOthers: {
    ...repeated((application, browser) =>
      inSession(application, browser, (session) => application.pawl.sessions.revokeOthers(session)),
    ),
    async prepare(application) {
      const browser = await settled(application);
      const other = createBrowser(browser.user);
      must(await loginOf(application, other));
      return Object.assign(browser, { other });
    },
    holds: (application, { other }) => isOut(application, other),
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

export const requests = Object.entries(table).map(([name, request]) => ({
  name,
  prepare: settled,
  holds: async () => undefined,
  ends: [undefined],
  ...request,
}));
