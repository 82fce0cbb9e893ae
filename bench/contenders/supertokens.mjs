/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";
import { startSupertokensCore } from "./supertokens-core.mjs";

const init = async () => {
  const core = await startSupertokensCore();
  supertokens.init({
    framework: "express",
    supertokens: { connectionURI: core.uri },
    appInfo: { appName: "bench", apiDomain: "http://localhost", websiteDomain: "http://localhost" },
    recipeList: [Session.init({ antiCsrf: "NONE", getTokenTransferMethod: () => "cookie" })],
    telemetry: false,
  });
};

const payload = { role: "member" };

/** `getSession` without request and response: RS256, no call to the core. */
export const verify = async () => {
  await init();
  const tokens = [];
  for (let user = 0; user < SEEN_SESSIONS; user++) {
    const recipeUserId = new supertokens.RecipeUserId(`user-${user}`);
    const session = await Session.createNewSessionWithoutRequestResponse("public", recipeUserId, payload);
    tokens.push(session.getAllSessionTokensDangerously().accessToken);
  }
  const next = freshStrings(tokens);
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
  await init();
  const app = express();
  app.get("/me", verifySession(), (request, response) => {
    response.json({ userId: /** @type {any} */ (request).session.getUserId() });
  });
  app.post("/login/:user", async (request, response) => {
    const recipeUserId = new supertokens.RecipeUserId(request.params.user);
    await Session.createNewSession(request, response, "public", recipeUserId, payload);
    response.json({});
  });
  app.use(errorHandler());
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};
