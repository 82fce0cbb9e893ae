import cookieParser from "cookie-parser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bothSettings, startTestCore, type TestCore } from "../core.js";
import { expressEntry, setup } from "./application.js";
import { expectCleared, expectUntouched } from "./cookie-expectations.js";
import type { Answer, Browser } from "./express-application.js";

const entry = expressEntry();
const namesOf = ({ setCookies }: Answer): readonly string[] => setCookies.map((line) => line.split("=")[0] ?? "");
const accessTokenOf = (browser: Browser): string => browser.tokens.get("sAccessToken") ?? "";
const ALL = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];

describe.each(bothSettings)(
  "cookies of supertokens-node@1.0.1 in Express, unmodified, with $settings",
  ({ settings, options }) => {
    let core: TestCore;
    beforeAll(async () => {
      core = await startTestCore(options);
    });
    afterAll(() => core.close());

    test("login sets the documented cookies and headers", async () => {
      const { loggedIn } = await setup(entry, core);
      const { headers, setCookies } = (await loggedIn()).last as Answer;
      const [access, refresh, id] = setCookies;
      expect(access).toMatch(
        /^sAccessToken=[^;]+; Domain=localhost; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=None$/,
      );
      expect(refresh).toMatch(/^sRefreshToken=[^;]+; .*; Path=\/session\/refresh; /);
      expect(id).toMatch(/^sIdRefreshToken=[^;]+; .*; Path=\/; /);
      expect(setCookies).toHaveLength(3);
      expect(headers.get("id-refresh-token")).toMatch(/^[0-9a-f-]{36};\d+$/);
      expect(headers.get("access-control-expose-headers")).toBe("id-refresh-token, anti-csrf");
    });

    for (const parser of [undefined, cookieParser()])
      test(`lives a whole life ${parser ? "with" : "without"} cookie-parser`, async () => {
        const { loggedIn, proxy, userId } = await setup(expressEntry(parser), core);
        const browser = await loggedIn();
        const headers = { "anti-csrf": browser.antiCsrf ?? "" };
        const me = await browser.call("GET", "/me?csrf=yes", headers);
        expect(me.body).toEqual({ userId, payload: { role: "a" } });
        expect(proxy.take()).toEqual([]);
        expect((await browser.call("GET", "/data")).body).toEqual({ note: 1 });
        await browser.call("PUT", "/data?note=2");
        expect((await browser.call("GET", "/data")).body).toEqual({ note: "2" });
        core.clock.advance(60_000);
        const before = browser.tokens.get("sRefreshToken");
        expect(await browser.refresh()).toEqual({ userId });
        expect(browser.tokens.get("sRefreshToken")).not.toBe(before);
        await browser.call("POST", "/logout", headers);
        expect(browser.tokens.size).toBe(0);
      });

    test("1.0.1 statement 3: without access token TRY_REFRESH_TOKEN, whatever else is there; cookies untouched", async () => {
      const { loggedIn, proxy, sdk, userId } = await setup(entry, core);
      const complete = await loggedIn();
      const names = ["sIdRefreshToken", "sRefreshToken"] as const;
      for (const missing of [[], [names[0]], [names[1]], names]) {
        const browser = complete.copy();
        for (const name of ["sAccessToken", ...missing] as const) browser.tokens.delete(name);
        expect(await browser.verify()).toEqual({
          errType: sdk.Error.TRY_REFRESH_TOKEN,
          message: "access token missing in cookies",
        });
        expectUntouched(browser);
      }
      expect(proxy.take()).toEqual([]);
      expect(await complete.verify()).toEqual({ userId });
    });

    test("1.0.1 statement 4: an access token without id cookie is UNAUTHORISED and clears all", async () => {
      const { loggedIn, sdk } = await setup(entry, core);
      const browser = await loggedIn();
      browser.tokens.delete("sIdRefreshToken");
      expect(await browser.verify()).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
      expectCleared(browser);
    });

    test("1.0.1 statement 6: what the core refuses with TRY_REFRESH_TOKEN leaves the cookies", async () => {
      const { loggedIn, sdk } = await setup(entry, core);
      const browser = await loggedIn();
      const { TRY_REFRESH_TOKEN } = sdk.Error;
      for (const antiCsrf of ["wrong", undefined]) {
        expect(await browser.verify({ antiCsrf })).toMatchObject({ errType: TRY_REFRESH_TOKEN });
        expectUntouched(browser);
      }
      browser.tokens.set("sAccessToken", `${(browser.tokens.get("sAccessToken") ?? "").slice(0, -8)}AAAAAA==`);
      expect(await browser.verify()).toMatchObject({ errType: TRY_REFRESH_TOKEN });
      expectUntouched(browser);
      core.clock.advance(-7_200_000);
      const late = await loggedIn();
      core.clock.advance(7_200_000);
      expect(await late.verify()).toMatchObject({ errType: TRY_REFRESH_TOKEN, message: "Access token expired" });
      expectUntouched(late);
    });

    test("1.0.1 statement 7: the first use after a refresh sets the access cookie alone", async () => {
      const { loggedIn } = await setup(entry, core);
      const browser = await loggedIn();
      core.clock.advance(31_000);
      await browser.refresh();
      expect(namesOf(browser.last as Answer)).toEqual(ALL);
      const refreshed = accessTokenOf(browser);
      if (settings === "the defaults") {
        await browser.verify();
        expectUntouched(browser);
        core.clock.advance(31_000);
      }
      await browser.verify();
      expect(namesOf(browser.last as Answer)).toEqual(["sAccessToken"]);
      expect(browser.last?.headers.has("id-refresh-token")).toBe(false);
      expect(accessTokenOf(browser)).not.toBe(refreshed);
      await browser.verify();
      expectUntouched(browser);
    });

    test("1.0.1 statement 9: UNAUTHORISED clears the cookies, TRY_REFRESH_TOKEN keeps them", async () => {
      const { loggedIn, sdk, userId } = await setup(entry, core);
      const browser = await loggedIn();
      core.clock.advance(31_000);
      await browser.refresh();
      expect(await browser.verify({ antiCsrf: "wrong" })).toMatchObject({ errType: sdk.Error.TRY_REFRESH_TOKEN });
      expectUntouched(browser);
      await sdk.revokeAllSessionsForUser(userId);
      expect(await browser.verify()).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
      expectCleared(browser);
    });

    test("1.0.1 statement 10: a refresh without token clears, and asks nobody about it", async () => {
      const { newClient, sdk, proxy } = await setup(entry, core);
      const nobody = newClient();
      expect(await nobody.refresh()).toEqual({
        errType: sdk.Error.UNAUTHORISED,
        message:
          "Missing auth tokens in cookies. Have you set the correct refresh API path in your frontend and SuperTokens config?",
      });
      expectCleared(nobody);
      expect(proxy.take()).not.toContain("POST /session/refresh");
    });

    test("1.0.1 statement 10: a refresh of an ended session clears", async () => {
      const { loggedIn, sdk, userId } = await setup(entry, core);
      const browser = await loggedIn();
      await sdk.revokeAllSessionsForUser(userId);
      expect(await browser.refresh()).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
      expectCleared(browser);
    });

    test("1.0.1 statement 10: theft clears the cookies of the one who sent the old token; the victim's when its session has ended", async () => {
      const { loggedIn, sdk } = await setup(entry, core);
      const victim = await loggedIn();
      const thief = victim.copy();
      core.clock.advance(31_000);
      await victim.refresh();
      core.clock.advance(31_000);
      await victim.verify();
      const { robbed } = await thief.refresh();
      expectCleared(thief);
      // with report it is the application that ends the session
      if (settings === "window 0, report") {
        await victim.refresh();
        expect(namesOf(victim.last as Answer)).toEqual(ALL);
        expect(await sdk.revokeSessionUsingSessionHandle(robbed?.sessionHandle ?? "")).toBe(true);
      }
      expect(await victim.refresh()).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
      expectCleared(victim);
    });

    test("1.0.1 statement 11: a refresh is answered whatever anti-CSRF header it carries", async () => {
      const { loggedIn, userId } = await setup(entry, core);
      const browser = await loggedIn();
      for (const headers of [{}, { "anti-csrf": "wrong" }])
        expect((await browser.call("POST", "/session/refresh", headers)).body).toEqual({ userId });
    });

    test("1.0.1 statement 12: a revoked session is accepted, its cookies stay", async () => {
      const { loggedIn, sdk, userId } = await setup(entry, core);
      const browser = await loggedIn();
      expect(await sdk.revokeAllSessionsForUser(userId)).toBe(1);
      expect(await browser.verify()).toEqual({ userId });
      expectUntouched(browser);
    });
  },
);
