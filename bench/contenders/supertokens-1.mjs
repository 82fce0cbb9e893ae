/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { createRequire } from "node:module";
import express from "express";
import { startWorker } from "../worker.mjs";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

const require = createRequire(import.meta.url);
const payload = { role: "member" };

/**
 * Pawl's own core, which speaks CDI 1.0, in a process of its own: it is asked while sessions are made, never during a slice.
 * @param {string} directory
 */
const startCore = async (directory) => {
  const core = startWorker("contender-process.mjs", ["pawl-core", "cdi1"]);
  const { port } = await core.call("open", { directory });
  return { hosts: [{ hostname: "127.0.0.1", port }], stop: core.stop };
};

/**
 * `getSession` without request and response, with no core to ask.
 * @param {{ directory: string }} settings
 */
export const verify = async ({ directory }) => {
  const { init, createNewSession, getSession } = require("supertokens-node-1/session");
  const core = await startCore(directory);
  init(core.hosts);
  const tokens = [];
  for (let user = 0; user < SEEN_SESSIONS; user++)
    tokens.push((await createNewSession(`user-${user}`, payload)).accessToken.token);
  await core.stop();
  const next = freshStrings(tokens);
  return {
    pass: async () => {
      for (let i = 0; i < 200; i++) {
        const { session } = await getSession(next(), undefined, false, "an id refresh token");
        if (session.userId === "") throw new Error("no user");
      }
      return 200;
    },
  };
};

/** @param {{ sessions: number, directory: string }} settings */
export const expressServer = async ({ sessions, directory }) => {
  const { init, createNewSession, getSession } = require("supertokens-node-1");
  const core = await startCore(directory);
  init(core.hosts);
  const app = express();
  app.get("/me", async (request, response) => {
    const session = await getSession(request, response, false);
    response.json({ userId: session.getUserId() });
  });
  app.post("/login/:user", async (request, response) => {
    await createNewSession(response, request.params.user, payload);
    response.json({});
  });
  const { close, ...server } = await listen(app);
  const stop = async () => {
    close();
    await core.stop();
  };
  return { ...server, close: stop, plan: visitsTo(sessions) };
};
