import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import express from "express";
import type { Page } from "playwright-core";
import { forExpress } from "../src/adapters/express.js";
import { type CookieOptions, createPawl, nodeExchange } from "../src/index.js";
import { served } from "./adapters/served.js";
import { testClock } from "./clock.js";

export const HOUR = 3_600_000;

export interface ApplicationOptions {
  readonly cookies?: CookieOptions;
  /** PEM; with it the application is served over TLS. */
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** Handles what comes before the application's own routes. */
  readonly before?: express.RequestHandler;
}

/**
 * An application whose pages hold no script of ours: `/` draws who is logged in, and so does `/rendered`, which cannot set
 * cookies and sends the browser to refresh. For browsers on `localhost`, or over TLS on any host.
 */
export const startApplication = async ({ cookies, certificate, before }: ApplicationOptions = {}) => {
  const clock = testClock();
  const thefts: string[] = [];
  const pawl = createPawl({
    storage: "memory:",
    clock,
    cookies,
    onTokenTheft: ({ handle }) => void thefts.push(handle),
  });
  const { routes, errors, createSession, requireSession, getSession, sessionOf } = forExpress(pawl);
  const app = express();
  if (before !== undefined) app.use(before);
  app.use(routes());
  app.get(
    "/login",
    (_req, res) => void res.type("html").send('<form method="post"><input name="user"><button>Log in</button></form>'),
  );
  app.post("/login", express.urlencoded(), async (req, res) => {
    await createSession(req, res, { userId: String(req.body.user) });
    res.redirect("/");
  });
  const draw = (res: express.Response, userId = "nobody") => void res.type("html").send(`<title>${userId}</title>`);
  app.get("/", async (req, res) => draw(res, (await getSession(req, res))?.userId));
  app.get("/rendered", async (req, res) => {
    const read = await pawl.readSession(nodeExchange(req, res));
    if (read.status !== "try_refresh") return draw(res, read.status === "valid" ? read.session.userId : undefined);
    res.redirect(303, `/session/refresh?return=${encodeURIComponent(req.originalUrl)}`);
  });
  app.get("/me", requireSession(), (req, res) => void res.json({ userId: sessionOf(req).userId }));
  app.delete("/me", requireSession(), (_req, res) => void res.json({}));
  app.post("/me", requireSession(), (_req, res) => void res.json({}));
  app.use(errors());
  const { origin, close } = await served(
    certificate === undefined ? createHttpServer(app) : createHttpsServer(certificate, app),
  );
  const { port } = new URL(origin);
  return {
    clock,
    thefts,
    pawl,
    port,
    origin: `http://localhost:${port}`,
    async close() {
      await close();
      await pawl.close();
    },
  };
};

/** Logs in by the form, as a person does. */
export const logIn = async (page: Page, origin: string, user = "alice"): Promise<void> => {
  await page.goto(`${origin}/login`);
  await page.fill("input", user);
  await page.click("button");
  await page.waitForURL(`${origin}/`);
};
