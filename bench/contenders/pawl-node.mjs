/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { createServer } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { createNewSession, createPawl, getSession, init } from "@pawl/supertokens";
import { fetchExchange } from "@pawl/supertokens/fetch";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { freshStrings, SEEN_SESSIONS } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

/** A response that only takes down its cookies, where there is no server. */
const recordCookies = () => {
  /** @type {string[]} */
  let lines = [];
  return {
    getHeader: (/** @type {string} */ name) => (name === "Set-Cookie" ? lines : undefined),
    setHeader: (/** @type {string} */ name, /** @type {any} */ value) => {
      if (name === "Set-Cookie") lines = value;
    },
    /** The `Cookie` header of requests to the path `/`. */
    cookieHeader: () =>
      lines
        .map((line) => line.split(";")[0] ?? "")
        .filter((cookie) => !cookie.startsWith("sRefreshToken="))
        .join("; "),
  };
};

/** The documented `getSession` on a request: cookies read, token verified, a Session object made. */
export const verifySeen = async () => {
  const pawl = createPawl({ storage: "memory:", enableAntiCsrf: false });
  const headers = [];
  for (let user = 0; user < SEEN_SESSIONS; user++) {
    const response = recordCookies();
    await pawl.createNewSession(response, `user-${user}`, { role: "member" });
    headers.push(response.cookieHeader());
  }
  const next = freshStrings(headers);
  const response = recordCookies();
  return {
    pass: async () => {
      for (let i = 0; i < 2000; i++) {
        const session = await pawl.getSession({ headers: { cookie: next() } }, response, false);
        if (session.getUserId() === "") throw new Error("no user");
      }
      return 2000;
    },
    close: () => pawl.close(),
  };
};

/**
 * The five-minute start, in each framework: `init`, and `getSession` in the handler.
 * @typedef {{ directory: string, sessions: number }} Settings
 */
const start = (/** @type {string} */ directory) =>
  init({ storage: `sqlite:${directory}/sessions-${process.pid}.db`, cookies: { secure: false } });

const payload = { role: "member" };

/** @param {Settings} settings */
export const expressServer = async ({ sessions, directory }) => {
  start(directory);
  const app = express();
  app.get("/me", async (request, response) => {
    const session = await getSession(request, response, false);
    response.json({ userId: session.getUserId() });
  });
  app.post("/login/:user", async (request, response) => {
    await createNewSession(response, request.params.user, payload);
    response.json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const nodeHttpServer = async ({ sessions, directory }) => {
  start(directory);
  const answer = async (
    /** @type {import("node:http").IncomingMessage} */ request,
    /** @type {import("node:http").ServerResponse} */ response,
  ) => {
    const session =
      request.method === "POST"
        ? await createNewSession(response, request.url?.slice("/login/".length) ?? "", payload)
        : await getSession(request, response, false);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ userId: session.getUserId() }));
  };
  const server = createServer((request, response) => void answer(request, response));
  return { ...(await listen(server)), plan: visitsTo(sessions) };
};

/**
 * With the request and the answer of `node:http` that Fastify holds.
 * @param {Settings} settings
 */
export const fastifyServer = async ({ sessions, directory }) => {
  start(directory);
  const app = Fastify();
  app.get("/me", async (request, reply) => {
    const session = await getSession(request.raw, reply.raw, false);
    return { userId: session.getUserId() };
  });
  app.post("/login/:user", async (request, reply) => {
    await createNewSession(reply.raw, /** @type {{ user: string }} */ (request.params).user, payload);
    return {};
  });
  await app.ready();
  return { ...(await listen(app.server)), plan: visitsTo(sessions) };
};

/**
 * With what `@pawl/supertokens/fetch` has for handlers of the form Request → Response.
 * @param {Settings} settings
 */
export const honoServer = async ({ sessions, directory }) => {
  start(directory);
  const app = new Hono();
  app.get("/me", async (context) => {
    const { req, res, applyTo } = fetchExchange(context.req.raw);
    const session = await getSession(req, res, false);
    return applyTo(context.json({ userId: session.getUserId() }));
  });
  app.post("/login/:user", async (context) => {
    const { res, applyTo } = fetchExchange(context.req.raw);
    await createNewSession(res, context.req.param("user"), payload);
    return applyTo(context.json({}));
  });
  return { ...(await listen(createAdaptorServer(app))), plan: visitsTo(sessions) };
};
