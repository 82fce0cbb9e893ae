/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import express from "express";
import { getIronSession, sealData, unsealData } from "iron-session";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

const password = "a password of this benchmark, long enough";
const options = { password, cookieName: "session", cookieOptions: { secure: false } };

/** @typedef {{ userId?: string, role?: string }} Data */

/** The unsealing of its cookie: it is encrypted, and no results are kept. */
export const unseal = async () => {
  const seals = await Promise.all(
    Array.from({ length: SEEN_SESSIONS }, (_, user) => sealData({ userId: `user-${user}`, role: "member" }, options)),
  );
  const next = freshStrings(seals);
  return {
    pass: async () => {
      for (let i = 0; i < 200; i++) {
        const { userId } = /** @type {Data} */ (await unsealData(next(), options));
        if (userId === undefined) throw new Error("no user");
      }
      return 200;
    },
  };
};

/** @param {{ sessions: number }} settings */
export const expressServer = async ({ sessions }) => {
  const app = express();
  app.get("/me", async (request, response) => {
    const { userId } = /** @type {Data} */ (await getIronSession(request, response, options));
    response.status(userId === undefined ? 401 : 200).json({ userId });
  });
  app.post("/login/:user", async (request, response) => {
    const session = await getIronSession(request, response, options);
    Object.assign(session, { userId: request.params.user, role: "member" });
    await session.save();
    response.json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};
