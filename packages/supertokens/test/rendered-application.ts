import express, { type RequestHandler } from "express";
import { sessionErrorHandler, sessionMiddleware } from "../src/express.js";
import type { Pawl } from "../src/index.js";

const page = (title: string, body: string): string =>
  `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}`;
const button = (action: string, text: string): string =>
  `<form method="post" action="${action}"><button>${text}</button></form>`;

/** Pages rendered on the server, with plain forms and without a line of script. */
export const renderedApplication = (pawl: Pawl): express.Express => {
  /** Reads the session and changes nothing. A browser whose access token has ended is sent to get new cookies, and comes back. */
  const withSession: RequestHandler = async (req, res, next) => {
    const session = await pawl.readSession(req);
    res.locals["session"] = session;
    if (session.kind === "try_refresh")
      res.redirect(303, `/session/refresh?return=${encodeURIComponent(req.originalUrl)}`);
    else next();
  };

  const app = express();
  app.use(sessionMiddleware({ pawl }));

  app.get("/", withSession, (_req, res) => {
    const { session } = res.locals as { session: Awaited<ReturnType<Pawl["readSession"]>> };
    res.send(
      session.kind === "valid"
        ? page(`Hello ${session.userId}`, `<a href="/orders?page=2">Orders</a>${button("/leave", "Log out")}`)
        : page("Welcome", button("/login", "Log in as Ada")),
    );
  });

  app.get("/orders", withSession, (_req, res) => {
    const { session } = res.locals as { session: Awaited<ReturnType<Pawl["readSession"]>> };
    if (session.kind === "none") res.redirect(303, "/");
    else res.send(page("Orders", ""));
  });

  app.post("/login", async (_req, res) => {
    await pawl.createNewSession(res, "Ada", { role: "reader" });
    res.redirect(303, "/");
  });

  app.post("/leave", async (req, res) => {
    const session = await pawl.getSession(req, res, true);
    await session.signOut();
    res.redirect(303, "/");
  });

  app.use(sessionErrorHandler());
  return app;
};
