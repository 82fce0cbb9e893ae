import express from "express";
// @ts-expect-error -- it ships no types
import session from "express-session";
import { browserHeaders, requestText } from "../load-plan.mjs";
import { listen } from "./listen.mjs";

/**
 * The handler alone. It gets the very requests that Pawl gets, so that the difference is what Pawl adds.
 * @param {{ requests: string[] }} settings
 */
export const bare = async ({ requests }) => {
  const app = express();
  app.get("/me", (_request, response) => {
    response.json({ userId: "user-1" });
  });
  return { ...(await listen(app)), plan: { kind: "fixed", requests } };
};

/**
 * express-session with its MemoryStore: an opaque id, a look-up per request.
 * @param {{ sessions: number }} settings
 */
export const memorySession = async ({ sessions }) => {
  const app = express();
  app.use(session({ secret: "a secret of this benchmark", resave: false, saveUninitialized: false }));
  app.post("/login/:user", (/** @type {any} */ request, response) => {
    Object.assign(request.session, { userId: request.params.user, role: "member" });
    response.json({});
  });
  app.get("/me", (/** @type {any} */ request, response) => {
    const { userId } = request.session;
    response.status(userId === undefined ? 401 : 200).json({ userId });
  });
  const server = await listen(app);
  const requests = [];
  for (let user = 0; user < sessions; user++) {
    const login = await fetch(`http://127.0.0.1:${server.port}/login/user-${user}`, { method: "POST" });
    const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    requests.push(requestText({ path: "/me", headers: { ...browserHeaders, cookie } }));
  }
  return { ...server, plan: { kind: "fixed", requests } };
};
