import { RedisStore } from "connect-redis";
import connectPostgres from "connect-pg-simple";
import express from "express";
import session from "express-session";
import { Pool } from "pg";
import { createClient } from "redis";
import { listen, visitsTo } from "./listen.mjs";

/**
 * express-session: an opaque id, and a look-up in the store per request. Each store is as it comes, which writes at the end
 * of each request that the session was used.
 * @param {number} sessions
 * @param {{ store?: unknown }} [where] in memory unless given
 */
const serverOn = async (sessions, where = {}) => {
  const app = express();
  app.use(session({ secret: "a secret of this benchmark", resave: false, saveUninitialized: false, ...where }));
  app.get("/me", (/** @type {any} */ request, response) => {
    const { userId } = request.session;
    response.status(userId === undefined ? 401 : 200).json({ userId });
  });
  app.post("/login/:user", (/** @type {any} */ request, response) => {
    Object.assign(request.session, { userId: request.params.user, role: "member" });
    response.json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};

/** @param {{ sessions: number }} settings */
export const memoryServer = ({ sessions }) => serverOn(sessions);

/**
 * On a Redis at its own defaults: it does not wait for a disk.
 * @param {{ sessions: number, url: string }} settings
 */
export const redisServer = async ({ sessions, url }) => {
  const client = createClient({ url });
  await client.connect();
  await client.configSet("appendonly", "no");
  return serverOn(sessions, { store: new RedisStore({ client }) });
};

/** @param {{ sessions: number, url: string }} settings */
export const postgresServer = ({ sessions, url }) => {
  const pool = new Pool({ connectionString: url });
  const Store = connectPostgres(session);
  return serverOn(sessions, { store: new Store({ pool, createTableIfMissing: true }) });
};
