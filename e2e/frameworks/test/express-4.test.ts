import { createServer } from "node:http";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import { forExpress } from "@pawl/node/express";
import express, { type Request, type RequestHandler, type Response } from "express";
import { served } from "./served.js";

/** Express 4 waits for no promise. */
const settled =
  (handler: (req: Request, res: Response) => Promise<void>): RequestHandler =>
  (req, res, next) => {
    handler(req, res).catch(next);
  };

const application = (pawl: KitPawl, { wait }: Hooks) => {
  const { routes, errors, createSession, getSession, requireSession, sessionOf, signOut } = forExpress(pawl);
  const app = express();
  app.use(routes());
  app.get("/public", (_req, res) => void res.send("public"));
  app.post(
    "/login",
    settled(async (req, res) => {
      res.cookie("app", "1");
      const role = req.query["role"] === "admin" ? "admin" : "user";
      await createSession(req, res, { userId: "alice", payload: { role } });
      res.json({});
    }),
  );
  app.get("/me", requireSession(), (req, res) => {
    const { userId, payload } = sessionOf(req);
    res.json({ userId, role: payload.role });
  });
  app.get(
    "/maybe",
    settled(async (req, res) => void res.json({ userId: (await getSession(req, res))?.userId ?? null })),
  );
  app.delete(
    "/users/:id",
    requireSession({ where: ({ payload }) => payload.role === "admin" }),
    (_req, res) => void res.json({}),
  );
  app.post(
    "/save",
    requireSession(),
    settled(async (req, res) => {
      await sessionOf(req).updatePayload({ role: "admin" });
      res.json({});
    }),
  );
  app.get("/vault", requireSession({ maxAge: "10m", actor: false }), (_req, res) => void res.json({}));
  app.post(
    "/confirm",
    requireSession(),
    settled(async (req, res) => {
      await sessionOf(req).stepUp({ methods: ["otp"] });
      res.json({});
    }),
  );
  app.post(
    "/act",
    requireSession(),
    settled(async (req, res) => {
      const session = sessionOf(req);
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
      res.json({});
    }),
  );
  app.get(
    "/slow",
    requireSession(),
    settled(async (_req, res) => {
      await wait();
      res.json({});
    }),
  );
  app.get("/throws", requireSession(), () => {
    throw new Error("for the test");
  });
  app.get("/redirect", requireSession(), (_req, res) => {
    res.cookie("app", "2");
    res.redirect("/public");
  });
  app.get(
    "/stream",
    requireSession(),
    settled(async (req, res) => {
      res.write("one");
      await wait({
        createSession: () => createSession(req, res, { userId: "alice", payload: { role: "user" } }),
        updatePayload: () => sessionOf(req).updatePayload({ role: "admin" }),
        signOut: () => signOut(req, res),
      });
      res.end("two");
    }),
  );
  app.post(
    "/leave",
    settled(async (req, res) => {
      await signOut(req, res);
      res.json({});
    }),
  );
  app.use(errors());
  app.set("env", "test");
  return app;
};

testAdapter("Express 4", async (pawl, hooks) => served(createServer(application(pawl, hooks))));
