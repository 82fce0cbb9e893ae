import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createPawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import { launchChromium } from "@pawl/test-servers/chromium";
import express from "express";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { testClock } from "../../../packages/node/test/clock.js";
import { PeerPage, servePeer } from "./peer-page.js";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const HOUR = 3_600_000;
const PAGE = "app.site.localhost";
const API = "api.site.localhost";

/** An application on Pawl's own API; `isApart`: its pages are on another origin. */
const start = async ({ basePath, isApart = false }: { basePath?: string; isApart?: boolean } = {}) => {
  const clock = testClock();
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const [origin, api] = [PAGE, isApart ? API : PAGE].map((host) => `http://${host}:${port}`) as [string, string];
  const pawl = createPawl({
    storage: "memory:",
    clock,
    frontend: "supertokens-website",
    basePath,
    origins: isApart ? [origin] : [],
  });
  const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
  const answers: string[] = [];
  const outage = { isOn: false };
  app.use((req, res, next) => {
    res.on("finish", () => answers.push(`${req.method} ${req.path} ${res.statusCode}`));
    if (outage.isOn && req.path.endsWith("/session/refresh")) res.status(503).json({});
    else next();
  });
  await servePeer({ intercept: (path, handler) => void app.get(path, handler!) }, "supertokens-website-20");
  app.use(routes());
  app.post("/login", async (req, res) => {
    await createSession(req, res, { userId: "alice", payload: { role: "reader" } });
    res.json({});
  });
  app.all("/me", requireSession(), (req, res) => void res.json({ userId: sessionOf(req).userId }));
  app.use(errors());
  const context = await browser.newContext();
  open.push(
    {
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await pawl.close();
      },
    },
    context,
  );
  const options = { apiDomain: api, apiBasePath: basePath ?? "/", tokenTransferMethod: "cookie" };
  const page = await PeerPage.open(context, { origin, api, options });
  return {
    clock,
    pawl,
    outage,
    api,
    context,
    page,
    openPage: () => PeerPage.open(context, { origin, api, options }),
    refreshes: (status: number) =>
      answers.filter((answer) => answer === `POST ${basePath ?? ""}/session/refresh ${status}`).length,
    cookies: async () =>
      (await context.cookies())
        .filter(({ httpOnly }) => httpOnly)
        .map(({ name, path }) => `${name} ${path}`)
        .toSorted(),
  };
};

describe.each([
  ["of the same origin", {}],
  ["below a base path", { basePath: "/auth" }],
  ["of another origin", { isApart: true }],
] as const)("pages with supertokens-website 20.1.6, %s", (_, options) => {
  test("log in, refresh when the access token has run out, and sign out", async () => {
    const { clock, page, cookies, refreshes } = await start(options);
    expect(await page.call("/me")).toBe(401);
    expect(await page.sdk("doesSessionExist")).toBe(false);
    expect(await page.login()).toBe(200);
    const path = `${"basePath" in options ? options.basePath : ""}/session/refresh`;
    expect(await cookies()).toEqual(["sAccessToken /", `sRefreshToken ${path}`]);
    expect([await page.sdk("doesSessionExist"), await page.sdk("getUserId")]).toEqual([true, "alice"]);
    expect(await page.sdk("getAccessTokenPayloadSecurely")).toMatchObject({ sub: "alice", role: "reader" });
    for (let round = 1; round <= 3; round++) {
      clock.advance(2 * HOUR);
      const calls = Array.from({ length: 5 }, () => page.call("/me", { method: "POST" }));
      expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200]);
      expect(refreshes(200)).toBe(round);
    }
    clock.advance(2 * HOUR);
    await page.sdk("signOut");
    expect((await page.events()).at(-1)).toBe("SIGN_OUT");
    expect([await page.sdk("doesSessionExist"), await cookies()]).toEqual([false, []]);
    expect(await page.call("/me")).toBe(401);
  });
});

describe("pages with supertokens-website 20.1.6", () => {
  test("in two tabs refresh side by side, again and again", async () => {
    const { clock, page, openPage, pawl } = await start();
    await page.login();
    const other = await openPage();
    for (let round = 0; round < 5; round++) {
      clock.advance(2 * HOUR);
      const calls = [page, other].flatMap((it) => [it.call("/me"), it.call("/me")]);
      expect(await Promise.all(calls)).toEqual([200, 200, 200, 200]);
    }
    expect((await pawl.sessions.list("alice")).items).toHaveLength(1);
  });

  test("are logged out when a stolen refresh token comes back, and hold no cookie afterwards", async () => {
    const { clock, api, context, page, cookies, pawl } = await start();
    await page.login();
    const stolen = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    for (let round = 0; round < 2; round++) {
      clock.advance(2 * HOUR);
      expect(await page.call("/me")).toBe(200);
    }
    const caught = await fetch(`${api.replace(PAGE, "localhost")}/session/refresh`, {
      method: "POST",
      headers: { cookie: stolen, "st-auth-mode": "cookie" },
    });
    expect([caught.status, caught.headers.get("front-token")]).toEqual([401, "remove"]);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect(await page.call("/me")).toBe(401);
    expect([await page.sdk("doesSessionExist"), await cookies()]).toEqual([false, []]);
    expect(await page.events()).toContain("UNAUTHORISED");
  });

  test("stay logged in through an outage", async () => {
    const { clock, page, outage } = await start();
    await page.login();
    clock.advance(2 * HOUR);
    outage.isOn = true;
    expect(await page.call("/me")).toBe(503);
    outage.isOn = false;
    expect(await page.call("/me")).toBe(200);
  });
});
