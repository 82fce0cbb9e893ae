/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { fromNodeHeaders } from "better-auth/node";
import express from "express";
import { SqliteDialect } from "kysely";
import { listen, visitsTo } from "./listen.mjs";
import { openDatabase } from "./sqlite.mjs";

/** better-auth takes the class of `node:sqlite` as it is; `libsql`, of better-sqlite3's shape, through Kysely's dialect. */
const acceptable = (/** @type {any} */ database) =>
  database.constructor.name === "DatabaseSync"
    ? database
    : { dialect: new SqliteDialect({ database }), type: /** @type {const} */ ("sqlite") };

/**
 * better-auth at its defaults: every `getSession` reads session and user from SQLite.
 * @param {{ directory: string, sessions: number }} settings
 */
export const expressServer = async ({ sessions, directory }) => {
  const auth = betterAuth({
    database: acceptable(openDatabase(`${directory}/better-auth.db`)),
    secret: "a secret of this benchmark, long enough",
    baseURL: "http://127.0.0.1",
    // The cost of a password hash is no part of what is measured.
    emailAndPassword: {
      enabled: true,
      password: { hash: async (/** @type {string} */ text) => text, verify: async () => true },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  const app = express();
  app.get("/me", async (request, response) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
    response.status(session === null ? 401 : 200).json({ userId: session?.user.name });
  });
  app.post("/login/:user", async (request, response) => {
    const { user } = request.params;
    const signedUp = await auth.api.signUpEmail({
      body: { email: `${user}@example.com`, name: user, password: "irrelevant here" },
      asResponse: true,
    });
    for (const cookie of signedUp.headers.getSetCookie()) response.append("Set-Cookie", cookie);
    response.json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};
