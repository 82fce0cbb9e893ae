import type { CanActivate } from "@nestjs/common";
import { forExpress } from "@pawl/node/express";
import { forFastify } from "@pawl/node/fastify";
import { forHono } from "@pawl/node/hono";
import { forNest } from "@pawl/node/nest";
import express from "express";
import { fastify } from "fastify";
import { Hono } from "hono";
import { pawl } from "./without-frameworks.js";

const ofExpress = forExpress(pawl);
export const expressApplication = express();
expressApplication.use(ofExpress.routes());
expressApplication.post("/login", async (req, res) => {
  await ofExpress.createSession(req, res, { userId: "alice", payload: { role: "admin" } });
  res.json({});
});
expressApplication.get("/me", ofExpress.requireSession(), (req, res) => {
  res.json({ role: ofExpress.sessionOf(req).payload.role });
});
expressApplication.use(ofExpress.errors());

const ofFastify = forFastify(pawl);
export const fastifyApplication = fastify();
fastifyApplication.register(ofFastify.routes());
fastifyApplication.setErrorHandler(ofFastify.errors());
fastifyApplication.get("/me", { preHandler: ofFastify.requireSession() }, (request) => ({
  role: ofFastify.sessionOf(request).payload.role,
}));

const ofHono = forHono(pawl);
export const honoApplication = new Hono();
honoApplication.use(ofHono.routes());
honoApplication.onError(ofHono.errors());
honoApplication.get("/me", ofHono.requireSession(), (c) => c.json({ role: c.var.session.payload.role }));

export const guard: CanActivate = forNest(pawl).requireSession({ where: ({ payload }) => payload.role === "admin" });
