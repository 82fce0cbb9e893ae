import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { claimsOf, createSigner } from "./access-tokens.mjs";
import { listen, visitsTo } from "./listen.mjs";

/**
 * The handler alone, in each framework. Everything else is as with Pawl, login and cookies too, so that the difference is
 * what Pawl does.
 * @typedef {{ sessions: number }} Settings
 */

/** Makes cookies of the names and the size of Pawl's. */
const cookieMaker = () => {
  const signer = createSigner("ES256");
  return () => [
    `__Host-pawl-access=${signer.sign(claimsOf(1))}; Path=/`,
    `__Host-pawl-refresh=pawl_rt_1.${randomBytes(104).toString("base64url")}; Path=/`,
  ];
};

const answer = { userId: "user-1" };

/** @param {Settings} settings */
export const expressAlone = async ({ sessions }) => {
  const newCookies = cookieMaker();
  const app = express();
  app.get("/me", (_request, response) => {
    response.json(answer);
  });
  app.post("/login/:user", (_request, response) => {
    response.append("Set-Cookie", newCookies()).json({});
  });
  return { ...(await listen(app)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const nodeHttpAlone = async ({ sessions }) => {
  const newCookies = cookieMaker();
  const server = createServer((request, response) => {
    if (request.method === "POST") response.setHeader("Set-Cookie", newCookies());
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(answer));
  });
  return { ...(await listen(server)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const fastifyAlone = async ({ sessions }) => {
  const newCookies = cookieMaker();
  const app = Fastify();
  app.get("/me", async () => answer);
  app.post("/login/:user", async (_request, reply) => {
    reply.header("Set-Cookie", newCookies());
    return {};
  });
  await app.ready();
  return { ...(await listen(app.server)), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const honoAlone = async ({ sessions }) => {
  const newCookies = cookieMaker();
  const app = new Hono();
  app.get("/me", (context) => context.json(answer));
  app.post("/login/:user", (context) => {
    for (const cookie of newCookies()) context.header("Set-Cookie", cookie, { append: true });
    return context.json({});
  });
  return { ...(await listen(createAdaptorServer(app))), plan: visitsTo(sessions) };
};

/** @param {Settings} settings */
export const fetchAlone = async ({ sessions }) => {
  const newCookies = cookieMaker();
  const fetch = (/** @type {Request} */ request) => {
    const response = Response.json(answer);
    if (request.method === "POST") for (const cookie of newCookies()) response.headers.append("Set-Cookie", cookie);
    return response;
  };
  return { ...(await listen(createAdaptorServer({ fetch }))), plan: visitsTo(sessions) };
};
