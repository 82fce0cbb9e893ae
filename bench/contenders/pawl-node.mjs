/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { createServer } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { createPawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import { forFastify } from "@pawl/node/fastify";
import { forFetch } from "@pawl/node/fetch";
import { forHono } from "@pawl/node/hono";
import { forNode } from "@pawl/node/node";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

const payload = { role: "member" };

/** `requireSession` on a request: cookies read, token verified, a Session object made. */
export const verifySeen = async () => {
  const pawl = createPawl({ storage: "memory:" });
  const { requireSession } = forNode(pawl);
  const headers = [];
  for (let user = 0; user < SEEN_SESSIONS; user++) {
    const { accessToken, refreshToken } = await pawl.tokens.create({ userId: `user-${user}`, payload });
    headers.push(`__Host-pawl-access=${accessToken}; __Host-pawl-refresh=${refreshToken}`);
  }
  const next = freshStrings(headers);
  return {
    pass: async () => {
      for (let i = 0; i < 2000; i++) {
        const response = { getHeader: () => undefined, setHeader: () => undefined };
        const session = await requireSession({ method: "GET", headers: { cookie: next() } }, response);
        if (session.userId === "") throw new Error("no user");
      }
      return 2000;
    },
    close: () => pawl.close(),
  };
};

/**
 * The application that the guide shows for each framework: routes, errors and `requireSession`.
 * @typedef {{ directory: string, sessions: number }} Settings
 */
const open = (/** @type {string} */ directory) =>
  createPawl({ storage: `sqlite:${directory}/sessions-${process.pid}.db` });

/** @param {Settings} settings */
export const expressServer = async ({ sessions, directory }) => {
  const { routes, errors, createSession, requireSession, sessionOf } = forExpress(open(directory));
  const app = express();
  app.use(routes());
  app.get("/me", requireSession(), (request, response) => {
    response.json({ userId: sessionOf(request).userId });
  });
  app.post("/login/:user", async (request, response) => {
    await createSession(request, response, { userId: request.params.user, payload });
    response.json({});
  });
  app.use(errors());
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const nodeHttpServer = async ({ sessions, directory }) => {
  const { handle, createSession, requireSession } = forNode(open(directory));
  const server = createServer(
    (request, response) =>
      void handle(request, response, async () => {
        const { userId } =
          request.method === "POST"
            ? await createSession(request, response, { userId: request.url?.slice("/login/".length) ?? "", payload })
            : await requireSession(request, response);
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify({ userId }));
      }),
  );
  return { ...(await listen(server)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const fastifyServer = async ({ sessions, directory }) => {
  const { routes, errors, createSession, requireSession, sessionOf } = forFastify(open(directory));
  const app = Fastify();
  await app.register(routes());
  app.setErrorHandler(errors());
  app.get("/me", { preHandler: requireSession() }, async (request) => ({ userId: sessionOf(request).userId }));
  app.post("/login/:user", async (request, reply) => {
    const { user } = /** @type {{ user: string }} */ (request.params);
    await createSession(request, reply, { userId: user, payload });
    return {};
  });
  await app.ready();
  return { ...(await listen(app.server)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const honoServer = async ({ sessions, directory }) => {
  const { routes, errors, createSession, requireSession } = forHono(open(directory));
  const app = new Hono();
  app.use(routes());
  app.onError(errors());
  app.get("/me", requireSession(), (context) => context.json({ userId: context.var.session.userId }));
  app.post("/login/:user", async (context) => {
    await createSession(context, { userId: context.req.param("user"), payload });
    return context.json({});
  });
  return { ...(await listen(createAdaptorServer(app))), plan: visitsTo(sessions) };
};

/**
 * A function from `Request` to `Response`, on the server that Hono has for such functions.
 * @param {Settings} settings
 */
export const fetchServer = async ({ sessions, directory }) => {
  const { handle, createSession, requireSession } = forFetch(open(directory));
  const application = async (/** @type {Request} */ request) => {
    const { userId } =
      request.method === "POST"
        ? await createSession(request, { userId: request.url.slice(request.url.lastIndexOf("/") + 1), payload })
        : await requireSession(request);
    return Response.json({ userId });
  };
  const fetch = (/** @type {Request} */ request) => handle(request, () => application(request));
  return { ...(await listen(createAdaptorServer({ fetch }))), plan: visitsTo(sessions) };
};
