import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Application, ApplicationOptions } from "../../../packages/web/test/application.js";
import { SessionPage } from "../../../packages/web/test/page.js";
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
const begin = async (
  release: string,
  options: ApplicationOptions = {},
): Promise<{ readonly app: Application; readonly context: BrowserContext; readonly origin: string }> => {
  const app = await startApplication(options);
  await servePeer(app, release);
  const context = await browser.newContext();
  open.push(app, context);
  return { app, context, origin: app.origin() };
};

describe("supertokens-website 4.2.0", () => {
  const release = "supertokens-website-4";
  const optionsFor = (origin: string) => ({ refreshTokenUrl: origin + REFRESH });

  test("B.1.4.4–8: login, anti-CSRF, expiry, a new id each time, sign-out", async () => {
    const { app, context, origin } = await begin(release);
    const page = await PeerPage.open(context, { origin, options: optionsFor(origin) });
    expect([await page.call("/me"), app.count("POST", REFRESH)]).toEqual([401, 0]);
    expect(await page.login()).toBe(200);
    const ids = [await page.cookie("sIRTFrontend")];
    expect(await page.sdk("doesSessionExist")).toBe(true);
    for (let round = 1; round <= 3; round++) {
      app.clock.advance("2h");
      expect(await page.call("/me", { method: "POST" })).toBe(200);
      expect(app.count("POST", REFRESH, 200)).toBe(round);
      ids.push(await page.cookie("sIRTFrontend"));
    }
    expect(new Set(ids).size).toBe(4);
    expect(await page.call("/signout", { method: "POST" })).toBe(200);
    expect([await page.sdk("doesSessionExist"), await page.frontendCookies()]).toEqual([false, []]);
    expect(await page.call("/me")).toBe(401);
    expect(app.count("POST", REFRESH)).toBe(3);
    expect(await context.cookies()).toEqual([]);
  });

  test("B.1.4.9, 15: parallel calls, and other tabs, make one refresh", async () => {
    const { app, context, origin } = await begin(release);
    const options = optionsFor(origin);
    const pages = [
      await PeerPage.open(context, { origin, options }),
      await PeerPage.open(context, { origin, options }),
    ];
    await pages[0]!.login();
    app.clock.advance("2h");
    const calls = pages.flatMap((page) => [page.call("/me"), page.call("/me"), page.call("/me")]);
    expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200, 200]);
    // One refresh, where its lock works: it is not atomic, and two at once are harmless here.
    expect(app.count("POST", REFRESH, 200)).toBeLessThanOrEqual(2);
    expect(app.count("POST", REFRESH, 401)).toBe(0);
  });

  test("B.1.4.5, 12: a session that was ended is over, in one round", async () => {
    const { app, context, origin } = await begin(release);
    const page = await PeerPage.open(context, { origin, options: optionsFor(origin) });
    await page.login();
    await app.pawl.revokeAllSessionsForUser("u1");
    app.clock.advance("2h");
    expect(await page.call("/me")).toBe(401);
    expect([await page.sdk("doesSessionExist"), app.count("POST", REFRESH)]).toEqual([false, 1]);
    await page.login();
    await app.pawl.revokeAllSessionsForUser("u1");
    expect(await page.call("/me")).toBe(401);
    expect([await page.sdk("doesSessionExist"), app.count("POST", REFRESH)]).toEqual([false, 1]);
  });

  test("B.1.4.13: an outage is no logout", async () => {
    const { app, context, origin } = await begin(release);
    const page = await PeerPage.open(context, { origin, options: optionsFor(origin) });
    await page.login();
    app.clock.advance("2h");
    app.intercept(REFRESH, (_req, res) => void res.status(503).json({}));
    expect(await page.call("/me")).toBe("refresh answered 503");
    app.intercept(REFRESH, undefined);
    expect(await page.call("/me")).toBe(200);
    expect(await page.sdk("attemptRefreshingSession")).toBe(true);
  });

  test("an API on another origin", async () => {
    const cookies = { sameSite: "none", secure: true, domain: "site.localhost" } as const;
    const { app, context } = await begin(release, { allowHost: "app.site.localhost", cookies });
    const api = app.origin("api.site.localhost");
    const options = { ...optionsFor(api), websiteRootDomain: "app.site.localhost" };
    const page = await PeerPage.open(context, { origin: app.origin("app.site.localhost"), api, options });
    expect(await page.login()).toBe(200);
    app.clock.advance("2h");
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(app.count("POST", REFRESH, 200)).toBe(1);
  });
});

describe.each(["cookie", "header"] as const)("supertokens-website 20.1.6, %s mode", (tokenTransferMethod) => {
  const release = "supertokens-website-20";
  const optionsFor = (apiDomain: string) => ({ apiDomain, apiBasePath: "/", tokenTransferMethod });
  const openPage = async (options: ApplicationOptions = {}) => {
    const begun = await begin(release, options);
    const { context, origin } = begun;
    return { ...begun, page: await PeerPage.open(context, { origin, options: optionsFor(origin) }) };
  };

  test("B.2.4.5, 9, 16, 21, 29: first contact, login, anti-CSRF, expiry, sign-out, with its events", async () => {
    const { app, context, page } = await openPage();
    expect([await page.call("/me"), await page.call("/me"), app.count("POST", REFRESH)]).toEqual([401, 401, 1]);
    expect(await page.sdk("doesSessionExist")).toBe(false);
    expect(await page.login()).toBe(200);
    expect([await page.sdk("doesSessionExist"), await page.sdk("getUserId")]).toEqual([true, "u1"]);
    expect(await page.sdk("getAccessTokenPayloadSecurely")).toMatchObject({ sub: "u1", role: "reader" });
    for (let round = 1; round <= 3; round++) {
      app.clock.advance("2h");
      expect(await page.call("/me", { method: "POST" })).toBe(200);
      expect(app.count("POST", REFRESH, 200)).toBe(round);
    }
    const httpOnly = (await context.cookies()).filter((cookie) => cookie.httpOnly).map(({ name }) => name);
    expect(httpOnly).toHaveLength(tokenTransferMethod === "cookie" ? 3 : 0);
    expect((await page.events()).filter((name) => name === "REFRESH_SESSION")).toHaveLength(3);
    await page.sdk("signOut");
    expect((await page.events()).at(-1)).toBe("SIGN_OUT");
    expect(await page.sdk("doesSessionExist")).toBe(false);
    expect(await page.frontendCookies()).toEqual(["st-last-access-token-update"]);
    expect((await context.cookies()).filter((cookie) => cookie.httpOnly)).toEqual([]);
    expect([await page.call("/me"), app.count("POST", REFRESH)]).toEqual([401, 4]);
  });

  test("B.2.4.11, 17: parallel calls, and other tabs, make one refresh", async () => {
    const { app, context, origin, page } = await openPage();
    const other = await PeerPage.open(context, { origin, options: optionsFor(origin) });
    await page.login();
    app.clock.advance("2h");
    const calls = [page, other].flatMap((it) => [it.call("/me"), it.call("/me"), it.call("/me")]);
    expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(app.count("POST", REFRESH, 200)).toBeLessThanOrEqual(2);
  });

  test("B.2.4.12: a session that was ended is over, with UNAUTHORISED", async () => {
    const { app, page } = await openPage();
    await page.login();
    await app.pawl.revokeAllSessionsForUser("u1");
    expect(await page.call("/me")).toBe(401);
    expect(await page.events()).toContain("UNAUTHORISED");
    expect(await page.sdk("doesSessionExist")).toBe(false);
    await page.login();
    await app.pawl.revokeAllSessionsForUser("u1");
    app.clock.advance("2h");
    expect(await page.call("/me")).toBe(401);
    expect(await page.sdk("doesSessionExist")).toBe(false);
  });

  test("B.2.4.14, 15: an outage is no logout", async () => {
    const { app, page } = await openPage();
    await page.login();
    app.clock.advance("2h");
    app.intercept(REFRESH, (_req, res) => void res.status(503).json({}));
    expect(await page.call("/me")).toBe(503);
    app.intercept(REFRESH, undefined);
    expect(await page.call("/me")).toBe(200);
    expect(await page.sdk("attemptRefreshingSession")).toBe(true);
  });

  test("an API on another origin, with `csrf: header`", async () => {
    const cookies = { sameSite: "none", secure: true } as const;
    const { app, context } = await begin(release, { allowHost: "app.site.localhost", cookies, csrf: "header" });
    const api = app.origin("api.site.localhost");
    const page = await PeerPage.open(context, {
      origin: app.origin("app.site.localhost"),
      api,
      options: optionsFor(api),
    });
    expect(await page.login()).toBe(200);
    app.clock.advance("2h");
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(app.count("POST", REFRESH, 200)).toBe(1);
  });
});

describe("from one SDK to another, with the same cookies", () => {
  test("B.2.4.7: 4.2.0, then 20.1.6, then header mode, then @pawl/web: nobody is logged out", async () => {
    const { app, context, origin } = await begin("supertokens-website-4");
    const first = await PeerPage.open(context, { origin, options: { refreshTokenUrl: origin + REFRESH } });
    await first.login();
    app.clock.advance("2h");
    await servePeer(app, "supertokens-website-20");
    for (const tokenTransferMethod of ["cookie", "header"]) {
      const options = { apiDomain: origin, apiBasePath: "/", tokenTransferMethod };
      const second = await PeerPage.open(context, { origin, options });
      expect(await second.call("/me", { method: "POST" })).toBe(200);
      expect(await second.sdk("getUserId")).toBe("u1");
      app.clock.advance("2h");
      expect(await second.call("/me")).toBe(200);
    }
    const third = await SessionPage.open(context, origin);
    app.clock.advance("2h");
    expect(await third.call("/me", { method: "POST" })).toBe(200);
    expect(await third.userId()).toBe("u1");
  });
});
