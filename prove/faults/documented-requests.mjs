// The operations as an application sees them: a browser's requests through `@pawl/supertokens`.
import { createPawl } from "@pawl/supertokens";
import { createBrowser, createLife, HOUR, is, must, namedRequests, otherOf } from "./application.mjs";

/**
 * @typedef {import("@pawl/supertokens").Session} Session
 * @typedef {import("./application.mjs").Browser} Browser
 * @typedef {import("./application.mjs").Application<import("@pawl/supertokens").Pawl>} Application
 * @typedef {import("./application.mjs").Request<Application>} Request
 * @typedef {import("./application.mjs").Act<Application>} Act
 */

/** @type {Act} */
const loginOf = ({ pawl }, browser) =>
  browser.send((_req, res) => pawl.createNewSession(res, browser.user, { role: "a" }, { cart: [] }));
/** @type {Act} */
const refresh = ({ pawl }, browser) => browser.send((req, res) => pawl.refreshSession(req, res));
/** @type {(work: (session: Session, application: Application) => Promise<unknown>) => Act} */
const withSession = (work) => (application, browser) =>
  browser.send(async (req, res) => work(await application.pawl.getSession(req, res, false), application));
const inSession = withSession(async () => undefined);

/** @returns {string} */
const handleOf = (/** @type {Browser} */ browser) => {
  const [, body = ""] = browser.jar.get("sAccessToken")?.split(".") ?? [];
  return JSON.parse(Buffer.from(body, "base64url").toString()).sessionHandle;
};
const { settled, returning, goesOn, isOut, repeated, ending, byHandle } = createLife({
  login: loginOf,
  turns: [refresh, inSession],
  asks: refresh,
  handleOf,
});

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

/** @type {import("./application.mjs").Api<import("@pawl/supertokens").Pawl>} */
export const documentedApi = {
  open: (options) => createPawl({ cookies: { secure: false, sameSite: "lax" }, ...options }),
  unknown: "GENERAL_ERROR",
  requests: namedRequests(table, { prepare: settled }),
  unasked: {
    regenerateSession: "not asked for by the SDK",
    stepUp: "nothing that the documented API has",
    actAs: "nothing that the documented API has",
    actAsSelf: "nothing that the documented API has",
    adoptSession: "nothing that the documented API has",
    refuseAdoption: "nothing that the documented API has",
    bindSession: "nothing that the documented API has",
    liveSessions: "nothing that the documented API has",
  },
};
