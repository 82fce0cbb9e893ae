import { randomUUID } from "node:crypto";
import express from "express";
// @ts-expect-error -- it ships no types
import session from "express-session";
import { claimsOf, createSigner } from "./access-tokens.mjs";
import { listen, loginsOf } from "./listen.mjs";

/**
 * The handler alone. Everything else is as with Pawl, login and cookies too, so that the difference is what Pawl does.
 * @param {{ sessions: number }} settings
 */
export const bare = async ({ sessions }) => {
  const signer = createSigner("ES256");
  const app = express();
  app.get("/me", (_request, response) => {
    response.json({ userId: "user-1" });
  });
  app.post("/login/:user", (_request, response) => {
    response.append("Set-Cookie", `sAccessToken=${signer.sign(claimsOf(1))}; Path=/`);
    response.append("Set-Cookie", `sIdRefreshToken=${randomUUID()}; Path=/`);
    response.json({});
  });
  return { ...(await listen(app)), plan: { kind: "visits", logins: loginsOf(sessions), path: "/me" } };
};

/**
 * express-session with its MemoryStore: an opaque id, a look-up per request.
 * @param {{ sessions: number }} settings
 */
export const memorySession = async ({ sessions }) => {
  const app = express();
  app.use(session({ secret: "a secret of this benchmark", resave: false, saveUninitialized: false }));
  app.get("/me", (/** @type {any} */ request, response) => {
    const { userId } = request.session;
    response.status(userId === undefined ? 401 : 200).json({ userId });
  });
  app.post("/login/:user", (/** @type {any} */ request, response) => {
    Object.assign(request.session, { userId: request.params.user, role: "member" });
    response.json({});
  });
  return { ...(await listen(app)), plan: { kind: "visits", logins: loginsOf(sessions), path: "/me" } };
};
