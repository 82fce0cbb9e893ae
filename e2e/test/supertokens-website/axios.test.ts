import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApplicationOptions } from "../../../packages/web/test/application.js";
import { PeerPage, servePeer, startApplication } from "./peer-page.js";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const REFRESH = "/session/refresh";
const POST = { method: "POST" };

const begin = async (
  options: ApplicationOptions = {},
  hosts: { readonly site?: string; readonly api?: string } = {},
) => {
  const app = await startApplication(options);
  await servePeer(app, "supertokens-website-4/axios");
  const context = await browser.newContext();
  open.push(app, context);
  const [origin, api] = [app.origin(hosts.site), app.origin(hosts.api)];
  const setUp = {
    refreshTokenUrl: api + REFRESH,
    ...(hosts.site === undefined ? {} : { websiteRootDomain: hosts.site }),
  };
  return { app, context, page: await PeerPage.open(context, { origin, api, options: setUp }) };
};

describe("supertokens-website 4.2.0, its entry for axios", () => {
  test("login, anti-CSRF, expiry, a new id each time, sign-out", async () => {
    const { app, context, page } = await begin();
    expect([await page.callByAxios("/me"), app.count("POST", REFRESH)]).toEqual([401, 0]);
    expect(await page.callByAxios("/login", POST)).toBe(200);
    const ids = [await page.cookie("sIRTFrontend")];
    expect(await page.sdk("doesSessionExist")).toBe(true);
    for (let round = 1; round <= 3; round++) {
      app.clock.advance("2h");
      expect(await page.callByAxios("/me", POST)).toBe(200);
      expect(app.count("POST", REFRESH, 200)).toBe(round);
      ids.push(await page.cookie("sIRTFrontend"));
    }
    expect(new Set(ids).size).toBe(4);
    expect(await page.callByAxios("/signout", POST)).toBe(200);
    expect([await page.sdk("doesSessionExist"), await page.frontendCookies()]).toEqual([false, []]);
    expect([await page.callByAxios("/me"), app.count("POST", REFRESH)]).toEqual([401, 3]);
    expect(await context.cookies()).toEqual([]);
  });

  test("parallel calls make one refresh; a session that was ended is over in one round", async () => {
    const { app, page } = await begin();
    await page.callByAxios("/login", POST);
    app.clock.advance("2h");
    const calls = Array.from({ length: 5 }, () => page.callByAxios("/me"));
    expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200]);
    // One refresh, where its lock works: it is not atomic, and two at once are harmless here.
    expect(app.count("POST", REFRESH, 200)).toBeLessThanOrEqual(2);
    expect(app.count("POST", REFRESH, 401)).toBe(0);
    await app.pawl.revokeAllSessionsForUser("u1");
    app.clock.advance("2h");
    expect(await page.callByAxios("/me")).toBe(401);
    expect([await page.sdk("doesSessionExist"), app.count("POST", REFRESH, 401)]).toEqual([false, 1]);
  });

  test("an outage is no logout", async () => {
    const { app, page } = await begin();
    await page.callByAxios("/login", POST);
    app.clock.advance("2h");
    app.intercept(REFRESH, (_req, res) => void res.status(503).json({}));
    expect(await page.callByAxios("/me")).toBe("refresh answered 503");
    expect(await page.sdk("doesSessionExist")).toBe(true);
    app.intercept(REFRESH, undefined);
    expect(await page.callByAxios("/me")).toBe(200);
    expect(await page.sdk("attemptRefreshingSession")).toBe(true);
  });

  test("an API on another origin", async () => {
    const cookies = { sameSite: "none", secure: true, domain: "site.localhost" } as const;
    const hosts = { site: "app.site.localhost", api: "api.site.localhost" };
    const { app, page } = await begin({ allowHost: hosts.site, cookies }, hosts);
    expect(await page.callByAxios("/login", POST)).toBe(200);
    app.clock.advance("2h");
    expect(await page.callByAxios("/me", POST)).toBe(200);
    expect(app.count("POST", REFRESH, 200)).toBe(1);
  });
});
