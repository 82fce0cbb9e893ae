import { afterEach, describe, expect, test } from "vitest";
import { Browser } from "./browser.js";
import { modes, type Rules, type Running } from "./modes.js";
import { startWebApp, type WebApp } from "./web-app.js";

const GENERAL_ERROR = 1000;
const UNAUTHORISED = 2000;
const TRY_REFRESH_TOKEN = 3000;
const TOKEN_THEFT_DETECTED = 4000;

const EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT";
const clearedCookies = [
  `sAccessToken=; Domain=localhost; Path=/; Expires=${EPOCH}; HttpOnly; SameSite=Lax`,
  `sRefreshToken=; Domain=localhost; Path=/session/refresh; Expires=${EPOCH}; HttpOnly; SameSite=Lax`,
  `sIdRefreshToken=; Domain=localhost; Path=/; Expires=${EPOCH}; HttpOnly; SameSite=Lax`,
];

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

describe.each(modes)("$name", ({ start }) => {
  const begin = async (rules: Rules = {}) => {
    const running = await start(rules);
    open.push(running);
    const app = await startWebApp(running.pawl);
    open.push(app);
    return { ...running, app, browser: new Browser(app) };
  };

  describe("createNewSession", () => {
    test("sets the three documented cookies and headers, exactly", async () => {
      const { browser, clock } = await begin();
      const answer = await browser.login("u1", { payload: { role: "admin" } });
      const [access = "", refresh = "", id = ""] = answer.setCookie;
      const expires = new Date(clock.now() + 3_600_000).toUTCString();
      const refreshExpiry = clock.now() + 144_000 * 60_000;
      const refreshExpires = new Date(refreshExpiry).toUTCString();
      expect(answer.setCookie).toHaveLength(3);
      expect(access).toMatch(/^sAccessToken=[\w-]+\.[\w-]+\.[\w-]+; Domain=localhost; Path=\/; Expires=/);
      expect(access.slice(access.indexOf("; Expires="))).toBe(`; Expires=${expires}; HttpOnly; SameSite=Lax`);
      expect(refresh).toMatch(/^sRefreshToken=pawl_rt_1\.[\w-]+; Domain=localhost; Path=\/session\/refresh; Expires=/);
      expect(refresh.slice(refresh.indexOf("; Expires="))).toBe(`; Expires=${refreshExpires}; HttpOnly; SameSite=Lax`);
      const idToken = browser.cookies.get("sIdRefreshToken");
      expect(idToken).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
      expect(id).toBe(
        `sIdRefreshToken=${idToken}; Domain=localhost; Path=/; Expires=${refreshExpires}; HttpOnly; SameSite=Lax`,
      );
      expect(answer.headers["id-refresh-token"]).toBe(`${idToken};${refreshExpiry}`);
      expect(answer.headers["anti-csrf"]).toMatch(/^[\da-f-]{36}$/);
      expect(answer.headers["access-control-expose-headers"]).toBe("id-refresh-token, anti-csrf");
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.body.payload).toEqual({ role: "admin" });
    });

    test("Secure cookies are SameSite=None, as documented", async () => {
      const { browser } = await begin({ cookies: { secure: true, sameSite: "none" } });
      const { setCookie } = await browser.login();
      for (const line of setCookie) expect(line).toMatch(/; HttpOnly; Secure; SameSite=None$/);
    });

    test("without anti-CSRF there is no anti-csrf header", async () => {
      const { browser } = await begin({ enableAntiCsrf: false });
      const { headers } = await browser.login();
      expect(headers["anti-csrf"]).toBeUndefined();
      expect(headers["access-control-expose-headers"]).toBe("id-refresh-token");
    });

    test("a second session in one answer adds to headers and cookies, as the 1.0 SDK does", async () => {
      const { pawl, app } = await begin();
      void app;
      const headers = new Map<string, string | readonly string[]>();
      const res = {
        getHeader: (name: string) => headers.get(name.toLowerCase()),
        setHeader: (name: string, value: string | readonly string[]) => headers.set(name.toLowerCase(), value),
      };
      await pawl.createNewSession(res, "u1");
      const session = await pawl.createNewSession(res, "u1");
      await session.revokeSession();
      expect(headers.get("set-cookie")).toHaveLength(9);
      expect(headers.get("id-refresh-token")).toMatch(/^[^,]+;\d+, [^,]+;\d+, remove$/);
      expect(headers.get("cache-control")).toBe("no-store");
    });

    test.each([
      ["an array", []],
      ["a text", "text"],
      ["a number", 5],
      ["null", null],
      ["a date", new Date(0)],
    ])("a payload that is %s is refused and sets nothing", async (_, payload) => {
      const { pawl } = await begin();
      const res = { getHeader: () => undefined, setHeader: () => expect.unreachable("nothing may be set") };
      await expect(pawl.createNewSession(res, "u1", payload as never)).rejects.toMatchObject({
        errType: GENERAL_ERROR,
        code: "GENERAL_ERROR",
      });
      await expect(pawl.createNewSession(res, "u1", {}, payload as never)).rejects.toMatchObject({
        errType: GENERAL_ERROR,
      });
      expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
    });

    test.each([
      ["empty", ""],
      ["no text", 5 as never],
      ["U+0000", "a\0b"],
    ])("a user id that is %s is refused", async (_, userId) => {
      const { pawl } = await begin();
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      await expect(pawl.createNewSession(res, userId)).rejects.toMatchObject({ errType: GENERAL_ERROR });
    });

    test("a protected claim in the payload is refused", async () => {
      const { browser } = await begin();
      const answer = await browser.login("u1", { payload: { sessionHandle: "x" } });
      expect(answer.body.errType).toBe(GENERAL_ERROR);
      expect(answer.setCookie).toEqual([]);
    });

    test("a payload over the cookie limit: the error states the size and what takes it, and no session is left", async () => {
      const { browser, pawl } = await begin();
      const answer = await browser.login("u1", { payload: { permissions: "x".repeat(4000), name: "y" } });
      expect(answer.body.errType).toBe(GENERAL_ERROR);
      const message = answer.body.message as string;
      expect(message).toMatch(
        /^the cookie sAccessToken would have \d{4} bytes \(name and value\); browsers keep at most 4096\. /,
      );
      expect(Number(/have (\d+) bytes/.exec(message)?.[1])).toBeGreaterThan(4096);
      expect(message).toMatch(/the largest parts: "permissions" about 53\d\d, /);
      expect(answer.setCookie).toEqual([]);
      expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
    });

    test("a payload over the cookie limit ends no other session", async () => {
      const { browser, pawl, app } = await begin({ maxSessionsPerUser: 1 });
      const { body } = await browser.login("u1");
      const answer = await new Browser(app).login("u1", { payload: { big: "x".repeat(4000) } });
      expect(answer.body.errType).toBe(GENERAL_ERROR);
      expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([body.handle]);
      expect((await browser.send("/me")).body.userId).toBe("u1");
    });

    test.each(["ES256", "RS256"] as const)(
      "a payload that is just small enough (%s) fits at every refresh, and is nearly 4096 bytes",
      async (signingAlgorithm) => {
        const { browser, clock } = await begin({ signingAlgorithm });
        const sizeOf = () => "sAccessToken".length + (browser.cookies.get("sAccessToken") ?? "").length;
        let [fits, fails] = [0, 4096];
        while (fails - fits > 1) {
          const middle = Math.floor((fits + fails) / 2);
          const { status } = await browser.login("u1", { payload: { big: "x".repeat(middle) } });
          if (status === 200) fits = middle;
          else fails = middle;
        }
        await browser.login("u1", { payload: { big: "x".repeat(fits) } });
        expect(sizeOf()).toBeGreaterThan(4096 - 50);
        for (let round = 0; round < 3; round++) {
          clock.advance("10m");
          expect((await browser.refresh()).status).toBe(200);
          expect(sizeOf()).toBeLessThanOrEqual(4096);
        }
      },
    );

    test.each([
      ["a cycle", () => Object.assign({}, { own: [] as object[] }), true],
      ["a BigInt", () => ({ big: 5n }), false],
    ])("what JSON cannot say is refused: %s", async (_, make, isCycle) => {
      const { pawl } = await begin();
      const value = make() as { own?: object[] };
      if (isCycle) value.own?.push(value);
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      const refusal = {
        errType: GENERAL_ERROR,
        message: expect.stringContaining("cannot be written as JSON") as string,
      };
      await expect(pawl.createNewSession(res, "u1", value as never)).rejects.toMatchObject(refusal);
      await expect(pawl.createNewSession(res, "u1", {}, value as never)).rejects.toMatchObject(refusal);
    });

    test.each([new Set([1]), new Map([[1, 2]]), new Error("x")])(
      "what JSON would make an empty object of is refused with its path: %s",
      async (value) => {
        const { browser, pawl } = await begin();
        const { handle } = (await browser.login("u1", {})).body;
        const res = { getHeader: () => undefined, setHeader: () => undefined };
        const inside = { cart: [0, { tags: value }] } as never;
        const refusal = (name: string) => ({
          errType: GENERAL_ERROR,
          message: `${name}.cart[1].tags must be a plain object`,
        });
        await expect(pawl.createNewSession(res, "u1", inside)).rejects.toMatchObject(refusal("payload"));
        await expect(pawl.createNewSession(res, "u1", {}, inside)).rejects.toMatchObject(refusal("data"));
        await expect(pawl.tokens.createNewSession("u1", inside)).rejects.toMatchObject(refusal("payload"));
        await expect(pawl.updateSessionData(handle, inside)).rejects.toMatchObject(refusal("data"));
        await expect(pawl.sessions.updatePayload(handle, inside)).rejects.toMatchObject(refusal("payload"));
        expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([handle]);
        await pawl.updateSessionData(handle, { at: new Date(0) } as never);
        expect(await pawl.getSessionData(handle)).toEqual({ at: "1970-01-01T00:00:00.000Z" });
      },
    );

    test("`__proto__` and `constructor` in payload and data are plain members (CVE-2019-10744)", async () => {
      const { browser, pawl } = await begin();
      const evil = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as object;
      const { body } = await browser.login("u1", { payload: evil, data: evil });
      expect(JSON.stringify(await pawl.getSessionData(body.handle))).toBe(JSON.stringify(evil));
      expect(JSON.stringify((await browser.send("/me")).body.payload)).toBe(JSON.stringify(evil));
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    });
  });

  describe("getSession", () => {
    test("a valid token: the session, and nothing in the answer is touched", async () => {
      const { browser } = await begin();
      const login = await browser.login("u1", { payload: { role: "admin" } });
      const answer = await browser.send("/me");
      expect(answer.body).toEqual({ userId: "u1", handle: login.body.handle, payload: { role: "admin" } });
      expect(answer.setCookie).toEqual([]);
      for (const name of ["id-refresh-token", "anti-csrf", "cache-control", "access-control-expose-headers"])
        expect(answer.headers[name]).toBeUndefined();
    });

    test("without sAccessToken TRY_REFRESH_TOKEN, cookies untouched, whatever else is present", async () => {
      const { browser } = await begin();
      await browser.login();
      browser.cookies.delete("sAccessToken");
      for (const cookie of [undefined, "", "sRefreshToken=x"]) {
        const answer = await browser.send("/me", cookie === undefined ? {} : { cookie });
        expect(answer.body).toMatchObject({
          errType: TRY_REFRESH_TOKEN,
          code: "TRY_REFRESH_TOKEN",
          message: "access token missing in cookies",
        });
        expect(answer.setCookie).toEqual([]);
      }
    });

    test("without sIdRefreshToken UNAUTHORISED, and all cookies cleared", async () => {
      const { browser } = await begin();
      await browser.login();
      browser.cookies.delete("sIdRefreshToken");
      const answer = await browser.send("/me");
      expect(answer.body).toMatchObject({
        errType: UNAUTHORISED,
        code: "UNAUTHORISED",
        message: "idRefreshToken missing",
      });
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
      expect(answer.headers["id-refresh-token"]).toBe("remove");
      expect(answer.headers["access-control-expose-headers"]).toBe("id-refresh-token");
      expect(answer.headers["cache-control"]).toBe("no-store");
    });

    test("the anti-CSRF token counts only where it is asked for", async () => {
      const { browser } = await begin();
      await browser.login();
      expect((await browser.send("/me", { method: "POST" })).body).toEqual({ userId: "u1" });
      for (const wrong of [{ "anti-csrf": "wrong" }, { "anti-csrf": "" }]) {
        const answer = await browser.send("/me", { method: "POST", headers: wrong });
        expect(answer.body).toMatchObject({ errType: TRY_REFRESH_TOKEN, message: "anti-csrf check failed" });
        expect(answer.setCookie).toEqual([]);
        expect((await browser.send("/me", { headers: wrong })).body.userId).toBe("u1");
      }
      browser.antiCsrf = undefined;
      expect((await browser.send("/me", { method: "POST" })).body.errType).toBe(TRY_REFRESH_TOKEN);
    });

    test.each(["yes", 1, {}])("without types, anything truthy asks for the check: %j", async (truthy) => {
      const { pawl, browser } = await begin();
      await browser.login();
      const req = { headers: { cookie: browser.cookieHeader, "anti-csrf": "wrong" } };
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      const refused = { errType: TRY_REFRESH_TOKEN, message: "anti-csrf check failed" };
      await expect(pawl.getSession(req, res, truthy as never)).rejects.toMatchObject(refused);
      const access = browser.cookies.get("sAccessToken") ?? "";
      for (const wrong of ["wrong", "", null, undefined, 5 as never])
        await expect(pawl.tokens.getSession(access, wrong, truthy as never, "x")).rejects.toMatchObject(refused);
      expect((await pawl.tokens.getSession(access, null, false, "x")).session.userId).toBe("u1");
      await expect(pawl.tokens.getSession(access, null, false, null)).rejects.toMatchObject({ errType: UNAUTHORISED });
    });

    test("with anti-CSRF switched off nothing is compared", async () => {
      const { browser } = await begin({ enableAntiCsrf: false });
      await browser.login();
      const answer = await browser.send("/me", { method: "POST", headers: { "anti-csrf": "wrong" } });
      expect(answer.body).toEqual({ userId: "u1" });
    });

    test("an expired token: TRY_REFRESH_TOKEN, cookies kept", async () => {
      const { browser, clock } = await begin();
      await browser.login();
      clock.advance("1h");
      const answer = await browser.send("/me");
      expect(answer.body).toMatchObject({ errType: TRY_REFRESH_TOKEN, message: "Access token expired" });
      expect(answer.setCookie).toEqual([]);
    });

    test("a revoked session is refused at once, with its cookies cleared", async () => {
      const { browser, pawl } = await begin();
      const { body } = await browser.login();
      expect(await pawl.revokeSessionUsingSessionHandle(body.handle)).toBe(true);
      const answer = await browser.send("/me");
      expect(answer.body.errType).toBe(UNAUTHORISED);
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
    });

    test("with checkDatabase the database is asked each time", async () => {
      const { browser, pawl } = await begin({ checkDatabase: true });
      const { body } = await browser.login();
      expect((await browser.send("/me")).body.userId).toBe("u1");
      await pawl.revokeSessionUsingSessionHandle(body.handle);
      expect((await browser.send("/me")).body.errType).toBe(UNAUTHORISED);
    });

    test("the payload of a session is frozen: requests share it", async () => {
      const { browser, pawl } = await begin();
      await browser.login("u1", { payload: { roles: ["a"] } });
      const req = { headers: { cookie: browser.cookieHeader } };
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      const payload = (await pawl.getSession(req, res, false)).getJWTPayload() as { roles: string[] };
      expect(() => payload.roles.push("admin")).toThrow(TypeError);
    });
  });

  describe("refreshSession", () => {
    test("gives new tokens and the same session; the old access token still serves", async () => {
      const { browser, clock } = await begin();
      const login = await browser.login("u1", { payload: { role: "admin" } });
      const before = new Map(browser.cookies);
      clock.advance("10m");
      const answer = await browser.refresh();
      expect(answer.body).toEqual({ handle: login.body.handle });
      expect(answer.setCookie.map((line) => line.slice(0, line.indexOf("=")))).toEqual([
        "sAccessToken",
        "sRefreshToken",
        "sIdRefreshToken",
      ]);
      for (const [name, value] of before) expect(browser.cookies.get(name)).not.toBe(value);
      expect(answer.headers["id-refresh-token"]).toBe(
        `${browser.cookies.get("sIdRefreshToken")};${clock.now() + 144_000 * 60_000}`,
      );
      expect(answer.headers["anti-csrf"]).toBe(login.headers["anti-csrf"]);
      expect(answer.headers["access-control-expose-headers"]).toBe("id-refresh-token, anti-csrf");
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect((await browser.send("/me")).body.payload).toEqual({ role: "admin" });
      const cookie = [...before].map(([name, value]) => `${name}=${value}`).join("; ");
      expect((await browser.send("/me", { cookie })).body.userId).toBe("u1");
    });

    test("without sRefreshToken UNAUTHORISED, cookies cleared", async () => {
      const { browser } = await begin();
      await browser.login();
      browser.cookies.delete("sRefreshToken");
      const answer = await browser.refresh();
      expect(answer.body).toMatchObject({
        errType: UNAUTHORISED,
        message:
          "Missing auth tokens in cookies. Have you set the correct refresh API path in your frontend and Pawl config?",
      });
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
    });

    test.each([
      ["after logout", "revoke"],
      ["after its time", "expire"],
      ["of garbage", "garbage"],
    ])("%s UNAUTHORISED, cookies cleared", async (_, how) => {
      const { browser, pawl, clock } = await begin();
      const { body } = await browser.login();
      if (how === "revoke") await pawl.revokeSessionUsingSessionHandle(body.handle);
      if (how === "expire") clock.advance("100d");
      if (how === "garbage") browser.cookies.set("sRefreshToken", "garbage");
      const answer = await browser.refresh();
      expect(answer.body.errType).toBe(UNAUTHORISED);
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
      expect(answer.headers["id-refresh-token"]).toBe("remove");
    });

    test("no anti-CSRF token is asked for", async () => {
      const { browser, clock } = await begin();
      await browser.login();
      browser.antiCsrf = undefined;
      clock.advance("10m");
      expect((await browser.refresh()).status).toBe(200);
    });

    test("a lost answer: the same token again, days later, gets the session back (auth0-react#929, hydra#1831)", async () => {
      const { browser, clock } = await begin();
      await browser.login();
      const before = new Map(browser.cookies);
      for (const wait of ["1s", "31s", "3d"]) {
        clock.advance("1h");
        await browser.refresh();
        for (const [name, value] of before) browser.cookies.set(name, value);
        clock.advance(wait);
        const again = await browser.refresh();
        expect(again.status).toBe(200);
        expect((await browser.send("/me")).body.userId).toBe("u1");
        for (const [name, value] of before) browser.cookies.set(name, value);
      }
    });

    test("twenty at once: one lineage, nobody logged out (next-auth#2071)", async () => {
      const { browser, clock } = await begin();
      await browser.login();
      clock.advance("1h");
      const answers = await Promise.all(Array.from({ length: 20 }, () => browser.refresh()));
      expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
      clock.advance("1h");
      expect((await browser.refresh()).status).toBe(200);
    });
  });

  describe("theft", () => {
    /** Victim and thief share a token; the victim goes on, and is seen to use what it got. */
    const steal = async (rules: Rules = {}) => {
      const thefts: object[] = [];
      const it = await begin({ ...rules, onTokenTheft: (theft) => void thefts.push(theft) });
      const login = await it.browser.login("victim");
      const thief = new Browser(it.app);
      for (const [name, value] of it.browser.cookies) thief.cookies.set(name, value);
      it.clock.advance("1h");
      await it.browser.refresh();
      it.clock.advance("1h");
      await it.browser.refresh();
      it.clock.advance("1h");
      return { ...it, thief, thefts, handle: login.body.handle as string };
    };

    test("the thief is found out, told by error and hook, and the session is over for both", async () => {
      const { thief, browser, thefts, handle, pawl } = await steal();
      const answer = await thief.refresh();
      expect(answer.body).toMatchObject({
        errType: TOKEN_THEFT_DETECTED,
        code: "TOKEN_THEFT_DETECTED",
        message: "token theft detected",
        err: { sessionHandle: handle, userId: "victim" },
      });
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
      expect(thefts).toEqual([{ sessionHandle: handle, userId: "victim", count: 1 }]);
      expect((await browser.send("/me")).body.errType).toBe(TRY_REFRESH_TOKEN);
      expect((await browser.refresh()).body.errType).toBe(UNAUTHORISED);
      const history = await pawl.sessions.explain(handle);
      expect(history).toMatchObject({ status: "ended", reason: "token_reuse", userId: "victim" });
      expect(history.events.map((event) => event.type)).toContain("token_reuse");
    });

    test("with the action `report` the session goes on: the application decides", async () => {
      const { thief, browser, thefts, handle } = await steal({ theftAction: "report" });
      const answer = await thief.refresh();
      expect(answer.body).toMatchObject({ errType: TOKEN_THEFT_DETECTED, err: { sessionHandle: handle } });
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
      expect(thefts).toHaveLength(1);
      expect((await browser.refresh()).status).toBe(200);
    });

    test("with the action `report` a dead token presented again and again is one call per hour, with a count", async () => {
      const { clock, thief, thefts, handle } = await steal({ theftAction: "report" });
      const cookie = [...thief.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const present = async (times: number) => {
        for (let time = 0; time < times; time++)
          expect((await thief.send("/session/refresh", { method: "POST", cookie })).body.errType).toBe(
            TOKEN_THEFT_DETECTED,
          );
      };
      await present(20);
      const theft = { sessionHandle: handle, userId: "victim" };
      expect(thefts).toEqual([{ ...theft, count: 1 }]);
      clock.advance("1h");
      await present(5);
      expect(thefts).toEqual([
        { ...theft, count: 1 },
        { ...theft, count: 20 },
      ]);
    });

    test("with the action `revoke_user` all sessions of the user end", async () => {
      const { thief, pawl, app } = await steal({ theftAction: "revoke_user" });
      await new Browser(app).login("victim");
      await new Browser(app).login("somebody else");
      await thief.refresh();
      expect(await pawl.getAllSessionHandlesForUser("victim")).toEqual([]);
      expect(await pawl.getAllSessionHandlesForUser("somebody else")).toHaveLength(1);
    });

    test("a hook that fails changes nothing", async () => {
      const warnings: string[] = [];
      const onWarning = (warning: Error): unknown => warnings.push(warning.message);
      process.on("warning", onWarning);
      const { browser, clock } = await begin({
        reuseWindow: "0s",
        theftAction: "report",
        onTokenTheft: () => Promise.reject(new Error("the hook failed")),
      });
      await browser.login();
      const stolen = browser.cookies.get("sRefreshToken") ?? "";
      clock.advance("1h");
      await browser.refresh();
      clock.advance("1h");
      await browser.refresh();
      const answer = await browser.send("/session/refresh", { method: "POST", cookie: `sRefreshToken=${stolen}` });
      expect(answer.body.errType).toBe(TOKEN_THEFT_DETECTED);
      await expect.poll(() => warnings).toContain("the hook failed");
      process.off("warning", onWarning);
    });
  });

  describe("the Session object", () => {
    test("revokeSession ends the session and clears the cookies", async () => {
      const { browser, pawl } = await begin();
      const { body } = await browser.login();
      const answer = await browser.send("/logout", { method: "POST" });
      expect(answer.setCookie.slice(-3)).toEqual(clearedCookies);
      expect(answer.headers["id-refresh-token"]).toBe("remove");
      expect(await pawl.sessions.explain(body.handle)).toMatchObject({ status: "ended", reason: "logout" });
    });

    test("revokeSession of what another call has ended leaves the cookies alone", async () => {
      const { browser, pawl } = await begin();
      const { body } = await browser.login();
      const written: string[] = [];
      const req = { headers: { cookie: browser.cookieHeader } };
      const session = await pawl.getSession(
        req,
        { getHeader: () => undefined, setHeader: (name) => written.push(name) },
        false,
      );
      await pawl.revokeSessionUsingSessionHandle(body.handle);
      await session.revokeSession();
      expect(written).toEqual([]);
      await expect(session.getSessionData()).rejects.toMatchObject({ errType: UNAUTHORISED });
      expect(written).toContain("Set-Cookie");
    });

    test("its functions need no object", async () => {
      const { browser, pawl } = await begin();
      const { body } = await browser.login("u1", { payload: { role: "a" }, data: { b: 1 } });
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      const { getUserId, getHandle, getJWTPayload, getSessionData, updateSessionData, revokeSession } =
        await pawl.getSession({ headers: { cookie: browser.cookieHeader } }, res, false);
      expect([getUserId(), getHandle(), getJWTPayload()]).toEqual(["u1", body.handle, { role: "a" }]);
      await updateSessionData({ b: 2 });
      expect(await getSessionData()).toEqual({ b: 2 });
      await revokeSession();
      await expect(getSessionData()).rejects.toMatchObject({ errType: UNAUTHORISED });
    });

    test("once the answer is on its way, what cannot be cleared hides no error", async () => {
      const { browser, pawl } = await begin();
      const { body } = await browser.login();
      const sent = {
        getHeader: () => undefined,
        setHeader: () => {
          throw new Error("Cannot set headers after they are sent to the client");
        },
      };
      const req = { headers: { cookie: browser.cookieHeader } };
      const session = await pawl.getSession(req, sent, false);
      await pawl.revokeSessionUsingSessionHandle(body.handle);
      const isOver = { errType: UNAUTHORISED };
      await expect(session.getSessionData()).rejects.toMatchObject(isOver);
      await expect(session.updateSessionData({})).rejects.toMatchObject(isOver);
      await expect(pawl.getSession(req, sent, false)).rejects.toMatchObject(isOver);
      await expect(pawl.refreshSession(req, sent)).rejects.toMatchObject(isOver);
      await expect(pawl.refreshSession({ headers: {} }, sent)).rejects.toMatchObject(isOver);
    });

    test("data is read and replaced", async () => {
      const { browser } = await begin();
      await browser.login("u1", { data: { cart: [1, 2] } });
      expect((await browser.send("/data")).body).toEqual({ cart: [1, 2] });
      await browser.send("/data", { method: "POST", body: { cart: [] } });
      expect((await browser.send("/data")).body).toEqual({ cart: [] });
    });
  });

  describe("by handle and user", () => {
    test("the documented functions", async () => {
      const { pawl, app } = await begin();
      const first = (await new Browser(app).login("u1", { data: { a: 1 } })).body.handle as string;
      const second = (await new Browser(app).login("u1")).body.handle as string;
      await new Browser(app).login("u2");
      expect((await pawl.getAllSessionHandlesForUser("u1")).toSorted()).toEqual([first, second].toSorted());
      expect(await pawl.getSessionData(first)).toEqual({ a: 1 });
      await pawl.updateSessionData(first, { b: 2 });
      expect(await pawl.getSessionData(first)).toEqual({ b: 2 });
      expect(await pawl.revokeSessionUsingSessionHandle(first)).toBe(true);
      expect(await pawl.revokeSessionUsingSessionHandle(first)).toBe(false);
      await expect(pawl.getSessionData(first)).rejects.toMatchObject({ errType: UNAUTHORISED });
      await expect(pawl.updateSessionData(first, {})).rejects.toMatchObject({ errType: UNAUTHORISED });
      expect(await pawl.revokeAllSessionsForUser("u1")).toBe(1);
      expect(await pawl.revokeAllSessionsForUser("u1")).toBe(0);
      expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
      expect(await pawl.getAllSessionHandlesForUser("u2")).toHaveLength(1);
    });

    test.each(["", ".", "..", "nonsense", "../user", "a/b", "x".repeat(300), "h\0", "%2e%2e"])(
      "what is no handle (%j) names no session",
      async (handle) => {
        const { pawl } = await begin();
        expect(await pawl.revokeSessionUsingSessionHandle(handle)).toBe(false);
        await expect(pawl.getSessionData(handle)).rejects.toMatchObject({ errType: UNAUTHORISED });
        await expect(pawl.updateSessionData(handle, {})).rejects.toMatchObject({ errType: UNAUTHORISED });
        expect(await pawl.sessions.get(handle)).toBeUndefined();
        expect(await pawl.sessions.updatePayload(handle, {})).toBe(false);
        expect(await pawl.sessions.explain(handle)).toMatchObject({ status: "unknown", events: [] });
      },
    );

    test.each([undefined, null, 5, {}, "handles", "user"])(
      "what is no handle (%j) names no session, without types too",
      async (value) => {
        const { pawl } = await begin();
        const handle = value as never;
        expect(await pawl.revokeSessionUsingSessionHandle(handle)).toBe(false);
        await expect(pawl.getSessionData(handle)).rejects.toMatchObject({ errType: UNAUTHORISED });
        await expect(pawl.updateSessionData(handle, {})).rejects.toMatchObject({ errType: UNAUTHORISED });
        expect(await pawl.sessions.updatePayload(handle, {})).toBe(false);
      },
    );

    test("a handle in an array is none", async () => {
      const { pawl, browser } = await begin();
      const { body } = await browser.login();
      expect(await pawl.revokeSessionUsingSessionHandle([body.handle] as never)).toBe(false);
      await expect(pawl.getSessionData([body.handle] as never)).rejects.toMatchObject({ errType: UNAUTHORISED });
    });

    test.each([undefined, null, 5, {}, ["u1"]])("a user id that is no text is refused: %j", async (value) => {
      const { pawl } = await begin();
      const refusal = { errType: GENERAL_ERROR, message: "userId must be a text" };
      for (const call of [
        () => pawl.revokeAllSessionsForUser(value as never),
        () => pawl.getAllSessionHandlesForUser(value as never),
        () => pawl.sessions.listForUser(value as never),
      ])
        await expect(call()).rejects.toMatchObject(refusal);
    });

    test("listForUser tells device, address, times and which one asks; revokeOthers leaves that one", async () => {
      const { pawl, app, clock, browser } = await begin();
      await browser.login("u1", { payload: { role: "a" }, data: { b: 1 } });
      clock.advance("1m");
      const phone = new Browser(app);
      const login = await phone.send("/login", {
        method: "POST",
        body: { userId: "u1" },
        headers: { "user-agent": "Phone/2.0" },
      });
      const list = (await phone.send("/sessions")).body as Record<string, unknown>[];
      expect(list).toHaveLength(2);
      const own = list.find((session) => session["handle"] === login.body.handle);
      const other = list.find((session) => session["handle"] !== login.body.handle);
      expect(own).toEqual({
        handle: login.body.handle,
        tenantId: "public",
        auth: { at: expect.any(Number), methods: [] },
        payloadVersion: 0,
        userId: "u1",
        payload: {},
        data: {},
        device: "Phone/2.0",
        address: "127.0.0.1",
        createdAt: clock.now(),
        lastActiveAt: clock.now(),
        expiresAt: clock.now() + 144_000 * 60_000,
        current: true,
      });
      expect(other).toMatchObject({
        device: "TestBrowser/1.0",
        payload: { role: "a" },
        data: { b: 1 },
        current: false,
      });
      expect((await phone.send("/others", { method: "POST" })).body).toBe(1);
      expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([login.body.handle]);
      expect((await browser.refresh()).body.errType).toBe(UNAUTHORISED);
    });

    test("listForUser goes through all pages", async () => {
      const { pawl } = await begin();
      const res = { getHeader: () => undefined, setHeader: () => undefined };
      await Promise.all(Array.from({ length: 205 }, () => pawl.createNewSession(res, "many")));
      const sessions = await pawl.sessions.listForUser("many");
      expect(new Set(sessions.map((session) => session.handle)).size).toBe(205);
      expect(await pawl.revokeAllSessionsForUser("many")).toBe(205);
    });

    test("a new payload shows in tokens from the next refresh on", async () => {
      const { browser, pawl, clock } = await begin();
      const { body } = await browser.login("u1", { payload: { role: "user" } });
      expect(await pawl.sessions.updatePayload(body.handle, { role: "admin" })).toBe(true);
      expect((await browser.send("/me")).body.payload).toEqual({ role: "user" });
      clock.advance("1m");
      await browser.refresh();
      expect((await browser.send("/me")).body.payload).toEqual({ role: "admin" });
      expect(await pawl.sessions.get(body.handle)).toMatchObject({ payload: { role: "admin" }, userId: "u1" });
    });
  });

  test("a new payload over the cookie limit is refused before it is stored", async () => {
    const { browser, pawl, clock } = await begin();
    const { body } = await browser.login("u1", { payload: { role: "user" } });
    await expect(pawl.sessions.updatePayload(body.handle, { big: "x".repeat(5000) })).rejects.toMatchObject({
      errType: GENERAL_ERROR,
      message: expect.stringMatching(/^the cookie sAccessToken would have \d+ bytes/) as string,
    });
    clock.advance("10m");
    expect((await browser.refresh()).status).toBe(200);
    expect((await browser.send("/me")).body.payload).toEqual({ role: "user" });
    // Without a request tokens need no cookie.
    const { session } = await pawl.tokens.createNewSession("u2", { big: "x".repeat(5000) });
    expect(await pawl.sessions.updatePayload(session.handle, { big: "y".repeat(5000) })).toBe(true);
  });

  describe("several instances", () => {
    test("a revocation reaches another one through the feed", async () => {
      const { browser, another, app } = await begin();
      void app;
      const elsewhere = await another();
      const heard: string[] = [];
      await elsewhere.sessions.onRevoked(({ handle }) => heard.push(handle));
      const login = await browser.login();
      const there = await startWebApp(elsewhere);
      open.push(there);
      const cookie = browser.cookieHeader;
      expect((await new Browser(there).send("/me", { cookie })).body.userId).toBe("u1");
      await browser.send("/logout", { method: "POST" });
      await expect.poll(() => heard).toEqual([login.body.handle]);
      expect((await new Browser(there).send("/me", { cookie })).body.errType).toBe(UNAUTHORISED);
    });

    test("a listener that fails becomes a warning; the others, and the revocation, go on", async () => {
      const warnings: string[] = [];
      const onWarning = (warning: Error): unknown => warnings.push(warning.message);
      process.on("warning", onWarning);
      const { pawl, browser } = await begin();
      const heard: string[] = [];
      await pawl.sessions.onRevoked(() => {
        throw new Error("the first listener failed");
      });
      // oxlint-disable-next-line typescript/no-misused-promises
      await pawl.sessions.onRevoked(async () => Promise.reject(new Error("the second listener failed")));
      await pawl.sessions.onRevoked(({ handle }) => heard.push(handle));
      const { body } = await browser.login();
      await browser.send("/logout", { method: "POST" });
      await expect.poll(() => heard).toContain(body.handle);
      await expect
        .poll(() => warnings)
        .toEqual(expect.arrayContaining(["the first listener failed", "the second listener failed"]));
      expect((await pawl.sessions.explain(body.handle)).status).toBe("ended");
      process.off("warning", onWarning);
    });

    test("two stores in one process share nothing", async () => {
      const here = await begin();
      const there = await begin();
      await here.browser.login("u1");
      expect(await there.pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
      const answer = await there.browser.send("/me", { cookie: here.browser.cookieHeader });
      expect(answer.body.errType).toBe(TRY_REFRESH_TOKEN);
      const refresh = await there.browser.send("/session/refresh", {
        method: "POST",
        cookie: here.browser.cookieHeader,
      });
      expect(refresh.body.errType).toBe(UNAUTHORISED);
    });
  });

  test("setRelevantHeadersForOptionsAPI", async () => {
    const { browser } = await begin();
    const { headers } = await browser.send("/me", { method: "OPTIONS" });
    expect(headers["access-control-allow-headers"]).toBe("anti-csrf, supertokens-sdk-name, supertokens-sdk-version");
    expect(headers["access-control-allow-credentials"]).toBe("true");
  });

  test("setRelevantHeadersForOptionsAPI beside another CORS layer", async () => {
    const { pawl } = await begin();
    const headers = new Map<string, string | readonly string[]>([
      ["Access-Control-Allow-Credentials", "true"],
      ["Access-Control-Allow-Headers", "content-type"],
    ]);
    pawl.setRelevantHeadersForOptionsAPI({
      getHeader: (name) => headers.get(name),
      setHeader: (name, value) => headers.set(name, value),
    });
    expect(headers.get("Access-Control-Allow-Credentials")).toBe("true");
    expect(headers.get("Access-Control-Allow-Headers")).toBe(
      "content-type, anti-csrf, supertokens-sdk-name, supertokens-sdk-version",
    );
  });

  test("the key set holds public keys only", async () => {
    const { pawl } = await begin();
    const { keys } = await pawl.keySet();
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(Object.keys(key).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
  });

  test("a closed instance says so", async () => {
    const { pawl } = await begin();
    await pawl.close();
    await expect(pawl.getAllSessionHandlesForUser("u1")).rejects.toMatchObject({
      errType: GENERAL_ERROR,
      message: "this instance was closed",
    });
  });
});
