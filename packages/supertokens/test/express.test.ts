/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes rejections on to the error handler */
import { createServer } from "node:http";
import express, { type ErrorRequestHandler } from "express";
import { afterEach, describe, expect, test } from "vitest";
import { Error as SessionError } from "../src/index.js";
import { Browser } from "./browser.js";
import { modes, type Running } from "./modes.js";
import { failureOf, listen, type WebApp } from "./web-app.js";

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

describe.each(modes)("Express 5 on $name", ({ start }) => {
  const begin = async () => {
    const running = await start();
    const { pawl } = running;
    const app = express();
    app.set("trust proxy", "loopback");
    app.use(express.json());
    app.post("/login", async (req, res) => {
      const { userId } = req.body as { readonly userId: string };
      res.json({ handle: (await pawl.createNewSession(res, userId)).getHandle() });
    });
    app.get("/me", async (req, res) => {
      res.json({ userId: (await pawl.getSession(req, res, false)).getUserId() });
    });
    app.get("/sessions", async (req, res) => {
      const current = await pawl.getSession(req, res, false);
      res.json(await pawl.sessions.listForUser(current.getUserId(), { current }));
    });
    app.post("/session/refresh", async (req, res) => {
      res.json({ handle: (await pawl.refreshSession(req, res)).getHandle() });
    });
    app.options("/{*any}", (_req, res) => {
      pawl.setRelevantHeadersForOptionsAPI(res);
      res.json({});
    });
    const onError: ErrorRequestHandler = (error, _req, res, next) => {
      if (SessionError.isErrorFromAuth(error)) res.status(401).json(failureOf(error));
      else next(error);
    };
    app.use(onError);
    const web = await listen(createServer(app));
    open.push(running, web);
    return { ...running, browser: new Browser(web) };
  };

  test("log in, ask, refresh; errors reach the error handler with their cookies", async () => {
    const { browser, clock, pawl } = await begin();
    const headers = { "content-type": "application/json", "x-forwarded-for": "192.0.2.7" };
    const login = await browser.send("/login", { method: "POST", body: { userId: "u1" }, headers });
    expect(login.setCookie).toHaveLength(3);
    expect((await browser.send("/me")).body).toEqual({ userId: "u1" });
    clock.advance("2h");
    expect((await browser.send("/me")).body.errType).toBe(3000);
    expect((await browser.refresh()).body).toEqual(login.body);
    const [session] = (await browser.send("/sessions")).body as Record<string, unknown>[];
    expect(session).toMatchObject({ device: "TestBrowser/1.0", address: "192.0.2.7", current: true });
    await pawl.revokeAllSessionsForUser("u1");
    const ended = await browser.send("/me");
    expect(ended).toMatchObject({ status: 401, body: { errType: 2000 } });
    expect(ended.setCookie.length).toBeGreaterThanOrEqual(3);
    expect(ended.headers["cache-control"]).toBe("no-store");
  });

  test("a preflight", async () => {
    const { browser } = await begin();
    const { headers } = await browser.send("/me", { method: "OPTIONS", headers: { origin: "https://example.com" } });
    expect(headers["access-control-allow-credentials"]).toBe("true");
  });
});
