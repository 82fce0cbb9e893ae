import { openEmbedded } from "@pawl/adapter-conformance";
import { describe, expect, it, test } from "vitest";
import { benchOf } from "./backends.js";
import { fromOtherSite, HOST, HOUR, siteOfTest } from "./site.js";

const ALLOWED = "https://app.example.org";
const cookiesOf = (answer: Response) => answer.headers.getSetCookie();

describe("a request that another site had sent", () => {
  const picture = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
  const sent = {
    "a link to the refresh": ["GET", "/session/refresh?return=/me", fromOtherSite, 303],
    "a picture of the refresh": ["GET", "/session/refresh", picture, 403],
    "a frame with the refresh": ["GET", "/session/refresh", { ...fromOtherSite, "sec-fetch-dest": "iframe" }, 403],
    "a form to the refresh": ["POST", "/session/refresh", { ...fromOtherSite, origin: "null" }, 403],
    "a form to the sign-out": ["POST", "/signout", { ...fromOtherSite, origin: "null" }, 403],
    "a link to a page": ["GET", "/me", fromOtherSite, 200],
    "a form to a page": ["POST", "/me", { ...fromOtherSite, origin: "null" }, 403],
  } as const;

  test.each(Object.entries(sent))(
    "clears no cookie of a session that has ended: %s",
    async (_, [method, path, headers, status]) => {
      const { pawl, login, jar, send } = siteOfTest();
      await login();
      const places = jar.places;
      await pawl.sessions.endUser("alice");
      const answer = await send(path, { method, headers });
      expect([answer.status, cookiesOf(answer)]).toEqual([status, []]);
      expect(jar.places).toEqual(places);
    },
  );

  test.each(Object.entries(sent))(
    "clears nothing where the browser kept the cookies back: %s",
    async (_, [method, path, headers]) => {
      const { login, jar, serve, visit } = siteOfTest({ cookies: { sameSite: "strict" } });
      await login();
      const answer = await serve(new Request(`https://${HOST}${path}`, { method, headers }));
      jar.receive(HOST, cookiesOf(answer));
      expect(cookiesOf(answer)).toEqual([]);
      expect(await visit("/me")).toBe("alice");
    },
  );

  test.each([{}, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }])(
    "or anybody else, %o, has nothing cleared that was not shown",
    async (headers) => {
      const { serve } = siteOfTest();
      for (const [path, method] of [
        ["/session/refresh", "POST"],
        ["/session/refresh", "GET"],
        ["/signout", "POST"],
        ["/me", "GET"],
      ] as const)
        expect([path, cookiesOf(await serve(new Request(`https://${HOST}${path}`, { method, headers })))]).toEqual([
          path,
          [],
        ]);
    },
  );

  it("by a link to a rendered page goes round in no circle, and the next visit clears what has ended", async () => {
    const { clock, pawl, login, jar, visit } = siteOfTest();
    await login();
    clock.advance(2 * HOUR);
    expect(await visit("/orders?page=2", fromOtherSite)).toBe("alice");
    await pawl.sessions.endUser("alice");
    clock.advance(2 * HOUR);
    expect(await visit("/orders?page=2", fromOtherSite)).toBe(null);
    expect(jar.places).toHaveLength(2);
    expect(await visit("/orders?page=2")).toBe(null);
    expect(jar.places).toEqual([]);
  });
});

describe("a bearer token never switches the check of where a request comes from off", () => {
  const foreign = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };

  test.each([false, true])("header mode: %s", async (headerMode) => {
    const { pawl, login, send, jar, visit } = siteOfTest({ headerMode });
    await login();
    const places = jar.places;
    const [{ accessToken }, { refreshToken }] = [
      await pawl.tokens.create({ userId: "mallory" }),
      await pawl.tokens.create({ userId: "mallory" }),
    ];
    /** With a token of its own, in header mode, the other site acts for its own user. */
    const own: Readonly<Record<string, number>> = {
      [`/me ${accessToken}`]: 200,
      [`/signout ${accessToken}`]: 200,
      [`/session/refresh ${refreshToken}`]: 200,
      "/session/refresh pawl_rt_1.x": 401,
    };
    for (const bearer of ["x", "a.b.c", "pawl_rt_1.x", accessToken, refreshToken])
      for (const path of ["/me", "/session/refresh", "/signout", "/login?user=mallory"]) {
        const answer = await send(path, { method: "POST", headers: { ...foreign, authorization: `Bearer ${bearer}` } });
        const status = (headerMode ? own[`${path} ${bearer}`] : undefined) ?? 403;
        expect([path, bearer, answer.status, cookiesOf(answer)]).toEqual([path, bearer, status, []]);
        expect(await answer.text()).not.toContain("alice");
      }
    expect(jar.places).toEqual(places);
    expect(await visit("/me")).toBe("alice");
    expect((await pawl.sessions.list("alice")).items).toHaveLength(1);
  });
});

describe("a page of another site that may call but gets no cookies", () => {
  const page = { origin: ALLOWED, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
  const warnings = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const told: string[] = [];
    const listen = (warning: Error & { code?: string }) =>
      void (warning.code === "PAWL_CROSS_SITE_COOKIES" && told.push(warning.message));
    process.on("warning", listen);
    await work();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    return told;
  };

  test.each([
    ["/me", "GET"],
    ["/login", "POST"],
    ["/session/refresh", "POST"],
  ])("is warned about once, with what helps: %s", async (path, method) => {
    const { send } = siteOfTest({ origins: [ALLOWED] });
    const told = await warnings(async () => {
      for (let round = 0; round < 3; round++) await send(path, { method, headers: page });
    });
    expect(told).toEqual([
      expect.stringMatching(/^pages of https:\/\/app\.example\.org .*sameSite to "none", or headerMode/),
    ]);
  });

  test.each([
    ["its own site", {}, { ...page, "sec-fetch-site": "same-site" }],
    ["an own page", {}, { ...page, origin: `https://${HOST}`, "sec-fetch-site": "same-origin" }],
    ["a visit", {}, { ...page, "sec-fetch-mode": "navigate" }],
    ["a browser that says nothing", {}, { origin: ALLOWED }],
    ["an origin that may not call", {}, { ...page, origin: "https://evil.example" }],
    ["cookies for other sites", { cookies: { sameSite: "none" } }, page],
    ["header mode", { headerMode: true }, page],
  ] as const)("and nobody is warned of %s", async (_, options, headers) => {
    const { send } = siteOfTest({ origins: [ALLOWED], ...options });
    const told = await warnings(async () => {
      await send("/me", { headers });
      await send("/login", { method: "POST", headers });
    });
    expect(told).toEqual([]);
  });

  it("with cookies is as good as any", async () => {
    const { send, login } = siteOfTest({ origins: [ALLOWED] });
    await login();
    expect(await warnings(() => send("/me", { headers: page }))).toEqual([]);
  });
});

describe("of two calls in one request of another site", () => {
  const headers = { ...fromOtherSite, origin: "https://evil.example" };
  const start = async () => {
    const bench = await benchOf(openEmbedded);
    const { pawl, browser } = bench;
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
    return bench;
  };

  test.each([0, 2 * HOUR])(
    "the one that lets it pass does not do so for the other, %d ms after login",
    async (later) => {
      const { clock, pawl, browser } = await start();
      clock.advance(later);
      const asked: unknown[] = [];
      const { error } = await browser.visit(
        async (exchange) => {
          asked.push((await pawl.getSession(exchange, { csrf: false }))?.userId);
          await pawl.requireSession(exchange);
        },
        { headers },
      );
      expect([asked, error?.code]).toEqual([["alice"], "CSRF"]);
    },
  );

  test("one that logs in counts for the other", async () => {
    const { pawl, browser } = await start();
    const { result } = await browser.visit(
      async (exchange) => {
        await pawl.createSession(exchange, { userId: "bob" }, { csrf: false });
        return (await pawl.requireSession(exchange)).userId;
      },
      { headers },
    );
    expect(result).toBe("bob");
  });
});
