import express from "express";
import supertokens from "supertokens-node";
import { errorHandler } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { browserHeaders, requestText } from "../load-plan.mjs";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen } from "./listen.mjs";
import { startSupertokensCore } from "./supertokens-core.mjs";

/** @param {number} count of sessions @returns {Promise<string[]>} their access tokens */
const createSessions = async (count) => {
  const core = await startSupertokensCore();
  supertokens.init({
    framework: "express",
    supertokens: { connectionURI: core.uri },
    appInfo: { appName: "bench", apiDomain: "http://localhost", websiteDomain: "http://localhost" },
    recipeList: [Session.init({ antiCsrf: "NONE", getTokenTransferMethod: () => "cookie" })],
    telemetry: false,
  });
  const tokens = [];
  for (let user = 0; user < count; user++) {
    const recipeUserId = new supertokens.RecipeUserId(`user-${user}`);
    const session = await Session.createNewSessionWithoutRequestResponse("public", recipeUserId, { role: "member" });
    tokens.push(session.getAllSessionTokensDangerously().accessToken);
  }
  return tokens;
};

/** `getSession` without request and response: RS256, no call to the core. */
export const verify = async () => {
  const next = freshStrings(await createSessions(SEEN_SESSIONS));
  return {
    pass: async () => {
      for (let i = 0; i < 200; i++) {
        const session = await Session.getSessionWithoutRequestResponse(next());
        if (session.getUserId() === "") throw new Error("no user");
      }
      return 200;
    },
  };
};

/**
 * `verifySession()` before the handler.
 * @param {{ sessions: number }} settings
 */
export const expressServer = async ({ sessions }) => {
  const tokens = await createSessions(sessions);
  const app = express();
  app.get("/me", verifySession(), (request, response) => {
    response.json({ userId: /** @type {any} */ (request).session.getUserId() });
  });
  app.use(errorHandler());
  const requests = tokens.map((token) =>
    requestText({ path: "/me", headers: { ...browserHeaders, cookie: `sAccessToken=${encodeURIComponent(token)}` } }),
  );
  return { ...(await listen(app)), plan: { kind: "fixed", requests } };
};
