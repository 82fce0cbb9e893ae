import { createServer } from "node:http";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import express from "express";
import { expect, test } from "vitest";
import { createPawl } from "../../src/index.js";
import { forExpress } from "../../src/adapters/express.js";
import { served } from "./served.js";

const application = (pawl: KitPawl, { wait }: Hooks) => {
  const { routes, errors, createSession, getSession, requireSession, sessionOf, signOut } = forExpress(pawl);
  const app = express();
  app.use(routes());
  app.get("/public", (_req, res) => void res.send("public"));
  app.post("/login", async (req, res) => {
    res.cookie("app", "1");
    await createSession(req, res, {
      userId: "alice",
      payload: { role: req.query["role"] === "admin" ? "admin" : "user" },
    });
    res.json({});
  });
  app.get("/me", requireSession(), (req, res) => {
    const { userId, payload } = sessionOf(req);
    res.json({ userId, role: payload.role });
  });
  app.get("/maybe", async (req, res) => {
    res.json({ userId: (await getSession(req, res))?.userId ?? null });
  });
  app.delete(
    "/users/:id",
    requireSession({ where: ({ payload }) => payload.role === "admin" }),
    (_req, res) => void res.json({}),
  );
  app.post("/save", requireSession(), async (req, res) => {
    await sessionOf(req).updatePayload({ role: "admin" });
    res.json({});
  });
  app.get("/slow", requireSession(), async (_req, res) => {
    await wait();
    res.json({});
  });
  app.get("/throws", requireSession(), () => {
    throw new Error("for the test");
  });
  app.get("/redirect", requireSession(), (_req, res) => {
    res.cookie("app", "2");
    res.redirect("/public");
  });
  app.get("/stream", requireSession(), async (_req, res) => {
    res.write("one");
    await wait();
    res.end("two");
  });
  app.post("/leave", async (req, res) => {
    await signOut(req, res);
    res.json({});
  });
  app.use(errors());
  app.set("env", "test");
  return app;
};

testAdapter("Express 5", async (pawl, hooks) => served(createServer(application(pawl, hooks))));

test("routes are found below a mounted router, with a base path, and where a proxy's part of the URL was cut off", async () => {
  for (const [options, mount, path] of [
    [{}, "/auth", "/auth/signout"],
    [{ basePath: "/sessions" }, "/auth", "/auth/sessions/signout"],
    [{ basePath: "/sessions" }, "/", "/sessions/signout"],
    [{}, "/", "/proxy/signout"],
  ] as const) {
    const pawl = createPawl({ storage: "memory:", ...options });
    const app = express();
    app.use((req, _res, next) => {
      req.url = req.url.replace(/^\/proxy/, "");
      next();
    });
    app.use(mount, forExpress(pawl).routes());
    const { origin, close } = await served(createServer(app));
    expect([path, (await fetch(origin + path, { method: "POST" })).status]).toEqual([path, 200]);
    expect((await fetch(`${origin}/other/signout`, { method: "POST" })).status).toBe(404);
    await close();
    await pawl.close();
  }
});
