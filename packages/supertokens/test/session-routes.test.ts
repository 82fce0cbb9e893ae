import { createServer } from "node:http";
import express from "express";
import { request as send } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { sessionErrorHandler, sessionMiddleware } from "../src/express.js";
import { sessionHandler } from "../src/fetch.js";
import type { CsrfMode, Pawl } from "../src/index.js";
import { CookieJar } from "./cookie-jar.js";
import { modes, type Rules, type Running } from "./modes.js";
import { listen, type WebApp } from "./web-app.js";

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const HOST = "api.example.com";
const OWN = `http://${HOST}`;
type Ask = (request: Request) => Promise<Response>;

/** The same small application, on Express and as Request → Response. */
const applications: Readonly<Record<string, (pawl: Pawl) => Promise<Ask>>> = {
  "Express 5": async (pawl) => {
    const app = express();
    app.use(sessionMiddleware({ pawl, basePath: "/auth" }));
    app.post("/login", async (_req, res) => {
      await pawl.createNewSession(res, "u1", { role: "admin" });
      res.json({});
    });
    app.all("/me", async (req, res) => {
      res.json({ userId: (await pawl.getSession(req, res, req.method !== "GET")).getUserId() });
    });
    app.use(sessionErrorHandler());
    const web = await listen(createServer(app));
    open.push(web);
    return async (request) => {
      const { pathname, search } = new URL(request.url);
      // Not `fetch`, which adds headers of a browser by itself.
      const answer = await send(web.url + pathname + search, {
        method: request.method as "GET",
        headers: Object.fromEntries(request.headers),
      });
      const headers = new Headers();
      for (const [name, values] of Object.entries(answer.headers))
        for (const value of [values ?? []].flat()) headers.append(name, value);
      const text = await answer.body.text();
      return new Response(text === "" ? undefined : text, { status: answer.statusCode, headers });
    };
  },
  fetch: async (pawl) =>
    sessionHandler({ pawl, basePath: "/auth/" }, async (request, { req, res }) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/login") {
        await pawl.createNewSession(res, "u1", { role: "admin" });
        return Response.json({});
      }
      if (pathname !== "/me") return new Response("not found", { status: 404 });
      return Response.json({ userId: (await pawl.getSession(req, res, request.method !== "GET")).getUserId() });
    }),
};

/** A page of the application, in a browser whose SDK sends these headers. */
class PageOf {
  readonly jar = new CookieJar();
  readonly #ask: Ask;
  readonly #sdk: Readonly<Record<string, string>>;

  constructor(ask: Ask, sdk: Readonly<Record<string, string>> = { "st-auth-mode": "cookie" }) {
    this.#ask = ask;
    this.#sdk = sdk;
  }

  async send(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const cookie = this.jar.header(HOST, path.split("?")[0] ?? "");
    // `Host` cannot be set by a script, and need not be: the requests of these pages all come from their own origin.
    const request = new Request(OWN + path, { method, headers: { ...this.#sdk, ...headers } });
    if (cookie !== "") request.headers.set("cookie", cookie);
    const answer = await this.#ask(request);
    this.jar.receive(HOST, answer.headers.getSetCookie());
    return answer;
  }
}

const refreshPath = "/auth/session/refresh";
const cookies: Rules["cookies"] = { domain: "example.com", refreshTokenPath: refreshPath };
const frontTokenOf = (answer: Response) => {
  const text = answer.headers.get("front-token") ?? "";
  return JSON.parse(Buffer.from(text, "base64").toString()) as Record<string, unknown>;
};

const combinations = modes.flatMap(({ name, start }) =>
  Object.entries(applications).map(([framework, serve]) => ({ title: `${framework}, ${name}`, start, serve })),
);

describe.each(combinations)("session routes: $title", ({ start, serve }) => {
  const begin = async (rules: Rules = {}) => {
    const running = await start({ ...rules, cookies: { ...cookies, ...rules.cookies } });
    open.push(running);
    return { ...running, ask: await serve(running.pawl) };
  };

  test("a page whose SDK reads front-token: login, refresh, sign-out", async () => {
    const { ask, clock } = await begin();
    const page = new PageOf(ask);
    const login = await page.send("POST", "/login");
    expect(frontTokenOf(login)).toMatchObject({ uid: "u1", ate: expect.any(Number), up: { sub: "u1", role: "admin" } });
    expect(login.headers.get("id-refresh-token")).toBeNull();
    expect(login.headers.get("access-control-expose-headers")).toBe("front-token, anti-csrf");
    expect(login.headers.get("cache-control")).toBe("no-store");
    const antiCsrf = login.headers.get("anti-csrf") ?? "";
    clock.advance("2h");

    const expired = await page.send("GET", "/me");
    expect(expired.status).toBe(401);
    expect(await expired.json()).toEqual({ message: "try refresh token" });
    expect(expired.headers.get("session-status")).toBe("refresh");
    const refreshed = await page.send("POST", refreshPath);
    expect([refreshed.status, await refreshed.json()]).toEqual([200, {}]);
    expect(frontTokenOf(refreshed).ate).toBeGreaterThan(frontTokenOf(login).ate as number);
    expect(await (await page.send("GET", "/me")).json()).toEqual({ userId: "u1" });

    expect((await page.send("POST", "/auth/signout")).status).toBe(401);
    const out = await page.send("POST", "/auth/signout", { "anti-csrf": antiCsrf });
    expect([out.status, await out.json()]).toEqual([200, { status: "OK" }]);
    expect(out.headers.get("front-token")).toBe("remove");
    expect(page.jar.places).toEqual([]);
    const again = await page.send("POST", refreshPath);
    expect([again.status, await again.json()]).toEqual([401, { message: "unauthorised" }]);
    expect(again.headers.get("front-token")).toBe("remove");
  });

  test("a page whose SDK reads id-refresh-token: a new id with each refresh, `remove` at the end", async () => {
    const { ask, clock } = await begin();
    const page = new PageOf(ask, { "supertokens-sdk-name": "website", "supertokens-sdk-version": "4.2.0" });
    const login = await page.send("POST", "/login");
    expect(login.headers.get("front-token")).toBeNull();
    clock.advance("2h");
    expect((await page.send("GET", "/me")).headers.get("session-status")).toBeNull();
    const refreshed = await page.send("POST", refreshPath);
    const ids = [login, refreshed].map((it) => it.headers.get("id-refresh-token"));
    expect(ids[0]).toMatch(/^[0-9a-f-]{36};\d{13}$/);
    expect(ids[1]).not.toBe(ids[0]);
    const out = await page.send("POST", "/auth/signout", { "anti-csrf": login.headers.get("anti-csrf") ?? "" });
    expect(out.headers.get("id-refresh-token")).toBe("remove");
  });

  test("nobody's request is told apart from one whose access token has ended", async () => {
    const { ask } = await begin();
    const nobody = await new PageOf(ask).send("GET", "/me");
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get("session-status")).toBeNull();
    expect(nobody.headers.getSetCookie()).toEqual([]);
  });

  test("tokens in headers: asked for at login, no cookie, no anti-CSRF check; both are emptied at the end", async () => {
    const { ask, clock } = await begin();
    const page = new PageOf(ask, { "st-auth-mode": "header" });
    const login = await page.send("POST", "/login");
    const [access, refresh] = ["st-access-token", "st-refresh-token"].map((name) => login.headers.get(name) ?? "");
    expect(login.headers.getSetCookie()).toEqual([]);
    expect(frontTokenOf(login).uid).toBe("u1");
    const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });
    expect((await page.send("POST", "/me", bearer(access))).status).toBe(200);
    clock.advance("2h");
    const expired = await page.send("GET", "/me", bearer(access));
    expect([expired.status, expired.headers.get("session-status")]).toEqual([401, "refresh"]);
    const refreshed = await page.send("POST", refreshPath, bearer(refresh));
    expect(refreshed.headers.getSetCookie()).toEqual([]);
    const newAccess = refreshed.headers.get("st-access-token") ?? "";
    expect((await page.send("GET", "/me", bearer(newAccess))).status).toBe(200);
    const out = await page.send("POST", "/auth/signout", bearer(newAccess));
    expect([out.status, out.headers.get("st-access-token"), out.headers.get("st-refresh-token")]).toEqual([
      200,
      "",
      "",
    ]);
    expect(out.headers.get("front-token")).toBe("remove");
  });

  test("a token that came in a cookie is never told in a header, whatever the page asks for", async () => {
    const { ask } = await begin();
    const page = new PageOf(ask);
    await page.send("POST", "/login");
    const answer = await page.send("POST", refreshPath, { "st-auth-mode": "header" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("st-refresh-token")).toBeNull();
    expect(answer.headers.getSetCookie()).toHaveLength(3);
  });

  test("an Authorization of another system does not hide the session's cookie", async () => {
    const { ask } = await begin();
    const page = new PageOf(ask);
    await page.send("POST", "/login");
    const foreign = `${Buffer.from('{"alg":"ES256","typ":"JWT","version":"5","kid":"x"}').toString("base64url")}.e30.AA`;
    for (const token of ["opaque", "a.b.c", foreign])
      expect((await page.send("GET", "/me", { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test("with `headerMode: false` tokens travel in cookies alone", async () => {
    const { ask } = await begin({ headerMode: false });
    const page = new PageOf(ask, { "st-auth-mode": "header" });
    const login = await page.send("POST", "/login");
    expect(login.headers.get("st-access-token")).toBeNull();
    const token = page.jar.value("sAccessToken") ?? "";
    expect((await new PageOf(ask).send("GET", "/me", { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test("a browser is sent back after a refresh, to a path of this host only", async () => {
    const { ask, clock } = await begin();
    const page = new PageOf(ask, {});
    await page.send("POST", "/login");
    clock.advance("2h");
    const refreshFor = async (wanted: string, headers: Readonly<Record<string, string>> = {}) => {
      const tried = await page.send("GET", `${refreshPath}?return=${encodeURIComponent(wanted)}`, headers);
      const location = tried.headers.get("location") ?? "";
      return location.startsWith("?") ? page.send("GET", refreshPath + location, headers) : tried;
    };
    const back = await refreshFor("/orders?open=1");
    expect([back.status, back.headers.get("location")]).toEqual([303, "/orders?open=1"]);
    expect((await page.send("GET", "/me")).status).toBe(200);
    for (const evil of ["//evil.example", "/\\evil.example", "https://evil.example/", "/a\r\nSet-Cookie: x=y", ""]) {
      clock.advance("1m");
      const answer = await refreshFor(evil);
      expect(answer.headers.get("location")).toBe("/");
    }
    const embedded = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    expect((await page.send("GET", refreshPath, embedded)).status).toBe(403);
    const linked = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect((await page.send("GET", refreshPath, linked)).status).toBe(303);
    page.jar.clear();
    const nobody = await refreshFor("/orders");
    expect([nobody.status, nobody.headers.get("location")]).toEqual([303, "/orders"]);
  });

  test("a foreign preflight, and every answer that no origin changes, is left to the application", async () => {
    for (const origins of [[], ["https://app.example.com"]]) {
      const { ask } = await begin({ origins });
      const page = new PageOf(ask);
      const asked = { origin: "https://other.example", "access-control-request-method": "GET" };
      const preflight = await page.send("OPTIONS", "/me", asked);
      // The application has no answer of its own for OPTIONS: what it says, it says.
      expect(preflight.status).not.toBe(204);
      expect(preflight.headers.get("vary")).toBeNull();
      const call = await page.send("GET", "/me", { origin: "https://other.example" });
      expect(call.headers.get("vary")).toBe(origins.length === 0 ? null : "Origin");
      expect(call.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test.each([
    ["GET", refreshPath],
    ["POST", refreshPath],
  ])("a link or a form of another site that shows no cookie clears nothing: %s %s", async (method, path) => {
    const { ask } = await begin();
    const page = new PageOf(ask);
    await page.send("POST", "/login");
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    const answer = await ask(new Request(OWN + path, { method, headers: { host: HOST, ...headers } }));
    expect(answer.headers.getSetCookie().filter((line) => !line.startsWith("sRefreshAttempt="))).toEqual([]);
    // With its own page it goes on as before.
    expect((await page.send("POST", refreshPath)).status).toBe(200);
  });

  const foreignForm = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", origin: "https://evil.example" };

  test.each<[CsrfMode, string, Readonly<Record<string, string>>, number]>([
    ["token", "its token cannot be there before the login", foreignForm, 200],
    ["header", "a form of another site", foreignForm, 401],
    ["header", "a form of an own page, which cannot say so", { "sec-fetch-site": "same-origin" }, 401],
    ["header", "a script with an SDK", { rid: "anti-csrf" }, 200],
    ["fetch-metadata", "a form of another site", foreignForm, 401],
    ["fetch-metadata", "a form of another site in an older browser", { origin: "https://evil.example" }, 401],
    ["fetch-metadata", "`no-cors`", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 401],
    ["fetch-metadata", "a form of an own page", { "sec-fetch-site": "same-origin", origin: OWN }, 200],
    [
      "fetch-metadata",
      "a page of `origins`",
      { "sec-fetch-site": "same-site", origin: "https://app.example.com" },
      200,
    ],
    ["fetch-metadata", "no browser", {}, 200],
    ["fetch-metadata", "header mode, which no form can ask for", { ...foreignForm, "st-auth-mode": "header" }, 200],
  ])("csrf %s, a login by %s", async (csrf, _, headers, status) => {
    const { ask, pawl } = await begin({ csrf, origins: ["https://app.example.com"] });
    const answer = await new PageOf(ask, {}).send("POST", "/login", headers);
    expect(answer.status).toBe(status);
    expect(await pawl.getAllSessionHandlesForUser("u1")).toHaveLength(status === 200 ? 1 : 0);
    if (status !== 200)
      expect([await answer.json(), answer.headers.getSetCookie()]).toEqual([{ message: "try refresh token" }, []]);
  });

  test.each([
    ["navigate", "iframe"],
    ["navigate", "embed"],
    ["no-cors", "image"],
  ])("a foreign %s into an %s does not refresh", async (mode, destination) => {
    const { ask } = await begin();
    const page = new PageOf(ask);
    await page.send("POST", "/login");
    const places = page.jar.places;
    const answer = await page.send("GET", `${refreshPath}?return=/orders`, {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": mode,
      "sec-fetch-dest": destination,
    });
    expect([answer.status, answer.headers.getSetCookie(), page.jar.places]).toEqual([403, [], places]);
  });

  test("a store that fails is 503 with Retry-After, and clears nothing", async () => {
    const { ask, pawl } = await begin();
    const page = new PageOf(ask);
    await page.send("POST", "/login");
    await pawl.close();
    const answer = await page.send("POST", refreshPath);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.get("front-token")).toBeNull();
  });

  test("CORS: an origin that is named may call with credentials, another may not", async () => {
    const { ask } = await begin({ origins: ["https://app.example.com"] });
    const page = new PageOf(ask);
    const preflight = (origin: string) =>
      page.send("OPTIONS", "/me", {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "anti-csrf,st-auth-mode",
      });
    const allowed = await preflight("https://app.example.com");
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "anti-csrf,st-auth-mode",
      vary: "Origin, Access-Control-Request-Headers",
    });
    const refused = await preflight("https://app.example.com.evil.example");
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    const call = await page.send("GET", "/me", { origin: "https://app.example.com" });
    expect(call.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(call.headers.get("vary")).toContain("Origin");
  });

  test.each(["token", "header", "fetch-metadata"] as const)(
    "csrf %s: a page of another site can neither refresh nor sign out, and no cookie is cleared (CVE-2022-41919)",
    async (csrf) => {
      const { ask } = await begin({ csrf, origins: ["https://app.example.com"] });
      const page = new PageOf(ask, {});
      const login = await page.send("POST", "/login", { "st-auth-mode": "cookie" });
      const antiCsrf = login.headers.get("anti-csrf") ?? "";
      const places = page.jar.places;
      const foreign = [
        { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
        { "sec-fetch-site": "same-site", origin: "https://evil.example.com" },
        { "sec-fetch-site": "cross-site", origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { origin: "https://evil.example" },
        { origin: "null" },
      ];
      for (const headers of foreign)
        for (const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data",
          "application/json",
        ])
          for (const path of [refreshPath, "/auth/signout"]) {
            const answer = await page.send("POST", path, { ...headers, "content-type": type });
            expect([path, answer.status]).toEqual([path, 403]);
          }
      expect(page.jar.places).toEqual(places);
      const own = { "sec-fetch-site": "same-site", origin: "https://app.example.com", "st-auth-mode": "cookie" };
      expect((await page.send("POST", refreshPath, own)).status).toBe(200);
      expect((await page.send("POST", "/auth/signout", { ...own, "anti-csrf": antiCsrf })).status).toBe(200);
    },
  );

  test.each([
    ["token", { "anti-csrf": "?" }, { "st-auth-mode": "cookie" }],
    ["header", { "st-auth-mode": "cookie" }, {}],
    ["header", { rid: "anti-csrf" }, {}],
    ["header", { "supertokens-sdk-name": "website" }, {}],
    ["fetch-metadata", { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "cross-site" }],
    ["fetch-metadata", {}, { origin: "https://evil.example" }],
    ["fetch-metadata", { origin: "https://app.example.com" }, { "sec-fetch-site": "same-site" }],
  ] as const)("csrf %s: getSession with the check lets %j pass, and %j not", async (csrf, good, bad) => {
    const { ask } = await begin({ csrf, origins: ["https://app.example.com"] });
    const page = new PageOf(ask, {});
    const login = await page.send("POST", "/login", { "st-auth-mode": "cookie" });
    const antiCsrf = login.headers.get("anti-csrf") ?? "";
    const passing = "anti-csrf" in good ? { "anti-csrf": antiCsrf } : good;
    expect((await page.send("POST", "/me", passing)).status).toBe(200);
    const refused = await page.send("POST", "/me", bad);
    expect([refused.status, await refused.json()]).toEqual([401, { message: "try refresh token" }]);
    expect((await page.send("GET", "/me", bad)).status).toBe(200);
  });
});
