// The operations as an application sees them: a browser's requests through `@pawl/node`, which refreshes in place.
import { createPawl, nodeExchange } from "@pawl/node";
import { claimsOf } from "../interleavings/stage.mjs";
import { createBrowser, createLife, is, must, namedRequests, otherOf } from "./application.mjs";

/**
 * @typedef {import("@pawl/node").Session} Session
 * @typedef {import("./application.mjs").Browser} Browser
 * @typedef {import("./application.mjs").Application<import("@pawl/node").Pawl>} Application
 * @typedef {import("./application.mjs").Request<Application>} Request
 * @typedef {import("./application.mjs").Act<Application>} Act
 */

/** @type {Act} */
const loginOf = ({ pawl }, browser) =>
  browser.send((req, res) =>
    pawl.createSession(nodeExchange(req, res), { userId: browser.user, payload: { role: "a" }, data: { cart: [] } }),
  );
/** With the session of a request, which has to have one. @type {(work: (session: Session) => unknown) => Act} */
const withSession =
  (work) =>
  ({ pawl }, browser) =>
    browser.send(async (req, res) => work(await pawl.requireSession(nodeExchange(req, res))));
const inSession = withSession(() => undefined);
/** @type {Act} */
const askedFor = ({ pawl }, browser) =>
  browser.send(async (req, res) => {
    const session = await pawl.getSession(nodeExchange(req, res));
    // Nobody, where somebody is logged in, would be a logout.
    if (session === undefined) throw Object.assign(new Error("nobody is logged in"), { code: "NOBODY" });
  });
/** @type {Act} */
const refresh = ({ pawl }, browser) => browser.send((req, res) => pawl.refreshSession(nodeExchange(req, res)));
/** @type {Act} */
const signOut = ({ pawl }, browser) => browser.send((req, res) => pawl.signOut(nodeExchange(req, res)));

/** @type {(browser: Browser) => string} */
const handleOf = ({ jar }) => claimsOf(jar.get("__Host-pawl-access") ?? "").handle;

const { settled, returning, goesOn, isOut, repeated, ending, byHandle } = createLife({
  login: loginOf,
  turns: [inSession, askedFor],
  asks: inSession,
  handleOf,
});

/** A request whose session has ended. @type {(act: Act) => Pick<Request, "act" | "after" | "prepare" | "ends">} */
const refused = (act) => ({
  async prepare(application) {
    const browser = await returning(application);
    await application.pawl.sessions.endUser(browser.user);
    return browser;
  },
  act,
  ends: ["UNAUTHORISED"],
  after: isOut,
});
/** Somebody who stole the cookies comes back with them. @type {(act: Act) => Pick<Request, "act" | "after" | "prepare" | "ends" | "isTheft">} */
const stolen = (act) => ({
  async prepare(application) {
    const browser = await settled(application);
    const thief = browser.copy();
    await goesOn(application, browser);
    return Object.assign(thief, { other: browser });
  },
  act,
  // The latter where the core was asked again, because its first answer was lost: the session has ended since.
  ends: ["TOKEN_THEFT", "UNAUTHORISED"],
  isTheft: true,
  async after(application, thief) {
    const { error } = await act(application, thief);
    if (!["TOKEN_THEFT", "UNAUTHORISED"].includes(error?.code))
      throw new Error(`the thief is answered ${error?.code ?? "well"}`);
    await isOut(application, otherOf(thief));
  },
});

const stepUp = withSession((session) => session.stepUp({ methods: ["hwk"] }));
const actAs = withSession((session) => session.actAs({ userId: "bob", payload: { role: "b" }, reason: "ticket" }));
const actAsSelf = withSession((session) => session.actAsSelf());
const whom = withSession((session) => session.userId);

/** A browser whose session acts for Bob. @type {(application: Application) => Promise<Browser>} */
const acting = async (application) => {
  const browser = await settled(application);
  must(await actAs(application, browser));
  return browser;
};

const OLD = "old.sid";
/** Another system, whose cookie names its user. */
const adopt = {
  cookies: [OLD],
  until: "9999-12-31",
  load(/** @type {import("@pawl/node").FormerRequest} */ request) {
    const id = request.cookie(OLD) ?? "";
    return { id, userId: id };
  },
};
/** A browser that is logged in there. @type {(application: Application) => Promise<Browser>} */
const fromBefore = async (application) => {
  const browser = application.browser();
  browser.jar.set(OLD, browser.user);
  return browser;
};

/** A route of the session, as an error where it answers one. @type {(method: string, url: string) => Act} */
const route =
  (method, url) =>
  ({ pawl }, browser) =>
    browser.send(async (req, res) => {
      const answer = await pawl.handle(nodeExchange({ ...req, method, url }, res));
      if (answer === undefined) throw new Error(`${method} ${url} is not answered`);
      const { code } = /** @type {{ code?: string }} */ (answer.body ?? {});
      const retryAfter = Number(answer.headers["Retry-After"] ?? 0);
      if (answer.status >= 400) throw Object.assign(new Error(`${method} ${url}`), { code, retryAfter });
    });

/** @type {import("./application.mjs").Api<import("@pawl/node").Pawl>} */
export const ownApi = {
  open: (options) => createPawl({ ...options, adopt }),
  unknown: "UNKNOWN",
  requests: namedRequests(
    {
      createSession: {
        prepare: async (application) => application.browser(),
        act: loginOf,
        async after(application, browser) {
          must(await loginOf(application, browser));
          await goesOn(application, browser);
        },
      },
      getSession: repeated(askedFor),
      requireSession: repeated(inSession),
      "getSession, refreshed in place": { ...repeated(askedFor), prepare: returning },
      "requireSession, refreshed in place": { ...repeated(inSession), prepare: returning },
      "requireSession, the access cookie is missing": {
        ...repeated(inSession),
        async prepare(application) {
          const browser = await settled(application);
          browser.jar.delete("__Host-pawl-access");
          return browser;
        },
      },
      "requireSession, another request has refreshed": {
        ...repeated(inSession),
        async prepare(application) {
          const browser = await returning(application);
          must(await inSession(application, browser.copy()));
          return browser;
        },
      },
      "requireSession, twice at once": {
        ...repeated((application, browser) =>
          browser.send(async (req, res) => {
            const { pawl } = application;
            const both = [nodeExchange(req, res), nodeExchange(req, { ...res })].map((one) => pawl.requireSession(one));
            await Promise.allSettled(both);
            await Promise.all(both);
          }),
        ),
        prepare: returning,
      },
      "requireSession, the session has ended": refused(inSession),
      "requireSession, stolen": stolen(inSession),
      readSession: repeated(
        ({ pawl }, browser) =>
          browser.send(async (req, res) => (await pawl.readSession(nodeExchange(req, res))).status),
        is("valid"),
      ),
      "requireSession, with the cookie from before": {
        ...repeated(inSession),
        prepare: fromBefore,
        refreshesFirst: true,
      },
      refreshSession: { ...repeated(refresh), prepare: returning },
      "refreshSession, the session has ended": refused(refresh),
      "refreshSession, stolen": stolen(refresh),
      "POST /session/refresh": { ...repeated(route("POST", "/session/refresh")), prepare: returning },
      signOut: ending(signOut),
      "signOut, the access token has run out": { ...ending(signOut), prepare: returning, refreshesFirst: true },
      "POST /signout": { ...ending(route("POST", "/signout")), prepare: returning, refreshesFirst: true },
      "session.end": ending(withSession((session) => session.end())),
      "session.endOthers": {
        ...repeated(withSession((session) => session.endOthers())),
        async prepare(application) {
          const browser = await settled(application);
          const other = createBrowser(browser.user);
          must(await loginOf(application, other));
          return Object.assign(browser, { other });
        },
        holds: (application, browser) => isOut(application, otherOf(browser)),
      },
      "session.getData": repeated(
        withSession((session) => session.getData()),
        is({ cart: [] }),
      ),
      "session.setData": {
        ...repeated(withSession((session) => session.setData({ cart: [1] }))),
        holds: async ({ pawl }, browser) => is({ cart: [1] })((await pawl.sessions.get(handleOf(browser)))?.data),
      },
      "session.updatePayload": repeated(
        withSession(async (session) => {
          await session.updatePayload({ role: "b" });
          return session.payload;
        }),
        is({ role: "b" }),
      ),
      "session.updatePayload, refreshed in place": {
        ...repeated(withSession((session) => session.updatePayload({ role: "b" }))),
        prepare: returning,
        refreshesFirst: true,
      },
      "session.stepUp": {
        ...repeated(stepUp),
        holds: async (application, browser) =>
          is(["hwk"])(must(await withSession(({ auth }) => auth?.methods)(application, browser))),
      },
      "session.actAs": {
        act: actAs,
        async after(application, browser) {
          const { error } = await actAs(application, browser);
          // Where the first one was done, its answer alone was lost.
          if (error?.code !== "FORBIDDEN") must({ error, headers: new Map() });
          await goesOn(application, browser);
        },
      },
      "session.actAsSelf": {
        ...repeated(actAsSelf),
        prepare: acting,
        holds: async (application, browser) => is(browser.user)(must(await whom(application, browser))),
      },
      "acting has run out": {
        ...repeated(whom),
        async prepare(application) {
          const browser = await acting(application);
          application.clock.time += 20 * 60_000;
          return browser;
        },
        refreshesFirst: true,
        holds: async (application, browser) => is(browser.user)(must(await whom(application, browser))),
      },
      "session.list": repeated(
        withSession(async (session) => (await session.list()).length),
        is(1),
      ),
      "sessions.end": ending(byHandle((pawl, handle) => pawl.sessions.end(handle))),
      "sessions.endUser": ending((application, browser) =>
        browser.send(() => application.pawl.sessions.endUser(browser.user)),
      ),
      "sessions.updateData": repeated(
        byHandle((pawl, handle) => pawl.sessions.updateData(handle, { cart: [1] })),
        is(true),
      ),
      "sessions.updatePayload": repeated(
        byHandle((pawl, handle) => pawl.sessions.updatePayload(handle, { role: "b" })),
        is(true),
      ),
      "sessions.explain": repeated(
        byHandle(async (pawl, handle) => (await pawl.sessions.explain(handle)).status),
        is("live"),
      ),
    },
    { prepare: settled },
  ),
  unasked: {
    listSessionHandles: "a list of sessions is asked for instead",
    refuseAdoption: "asked in the background, until it is taken",
    bindSession: "asked by browsers that bind sessions, over https alone",
    liveSessions: "asked by sockets, in the background",
  },
};
