import express from "express";
// @ts-expect-error -- it ships no types
import session from "express-session";
import { listen, loginsOf } from "./listen.mjs";

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
  return { ...(await listen(app)), plan: { kind: "visits", logins: loginsOf(sessions), path: "/me" } };
};
