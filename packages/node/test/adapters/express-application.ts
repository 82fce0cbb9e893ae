import type { Hooks, KitPawl } from "@pawl/adapter-conformance";
import express from "express";
import { forExpress } from "../../src/adapters/express.js";

/** The kit's application on Express. */
export const application = (pawl: KitPawl, { wait }: Hooks) => {
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
  app.get("/vault", requireSession({ maxAge: "10m", actor: false }), (_req, res) => void res.json({}));
  app.post("/confirm", requireSession(), async (req, res) => {
    await sessionOf(req).stepUp({ methods: ["otp"] });
    res.json({});
  });
  app.post("/act", requireSession(), async (req, res) => {
    const session = sessionOf(req);
    if (session.actor) await session.actAsSelf();
    else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
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
  app.get("/stream", requireSession(), async (req, res) => {
    res.write("one");
    await wait({
      createSession: () => createSession(req, res, { userId: "alice", payload: { role: "user" } }),
      updatePayload: () => sessionOf(req).updatePayload({ role: "admin" }),
      signOut: () => signOut(req, res),
    });
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
