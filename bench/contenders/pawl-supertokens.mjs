/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { createNewSession, createPawl, getSession, init } from "@pawl/supertokens";
import express from "express";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

const payload = { role: "member" };

/** A response that only takes down its cookies, where there is no server. */
const recordCookies = () => {
  /** @type {string[]} */
  let lines = [];
  return {
    getHeader: (/** @type {string} */ name) => (name === "Set-Cookie" ? lines : undefined),
    setHeader: (/** @type {string} */ name, /** @type {any} */ value) => {
      if (name === "Set-Cookie") lines = value;
    },
    /** The `Cookie` header of requests to the path `/`. */
    cookieHeader: () =>
      lines
        .map((line) => line.split(";")[0] ?? "")
        .filter((cookie) => !cookie.startsWith("sRefreshToken="))
        .join("; "),
  };
};

/** The documented `getSession` on a request: cookies read, token verified, a Session object made. */
export const verifySeen = async () => {
  const pawl = createPawl({ storage: "memory:", enableAntiCsrf: false });
  const headers = [];
  for (let user = 0; user < SEEN_SESSIONS; user++) {
    const response = recordCookies();
    await pawl.createNewSession(response, `user-${user}`, payload);
    headers.push(response.cookieHeader());
  }
  const next = freshStrings(headers);
  const response = recordCookies();
  return {
    pass: async () => {
      for (let i = 0; i < 2000; i++) {
        const session = await pawl.getSession({ headers: { cookie: next() } }, response, false);
        if (session.getUserId() === "") throw new Error("no user");
      }
      return 2000;
    },
    close: () => pawl.close(),
  };
};

/**
 * The documented example: `init`, and `getSession` in the handler.
 * @param {{ directory: string, sessions: number }} settings
 */
export const expressServer = async ({ sessions, directory }) => {
  init({ storage: `sqlite:${directory}/sessions-${process.pid}.db`, cookies: { secure: false } });
  const app = express();
  app.get("/me", async (request, response) => {
    const session = await getSession(request, response, false);
    response.json({ userId: session.getUserId() });
  });
  app.post("/login/:user", async (request, response) => {
    await createNewSession(response, request.params.user, payload);
    response.json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};
