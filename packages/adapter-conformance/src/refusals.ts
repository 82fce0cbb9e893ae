import { expect, it } from "vitest";
import { HOUR, ownHeaders, sessionCookies, statusAndBody, type Start } from "./kit.js";
import { ask, Visitor } from "./visitor.js";

export const testRefusals = (start: Start): void => {
  it("refuses by condition with 403 and a JSON body", async () => {
    const { visitor, login } = await start();
    await login();
    const answer = await visitor.ask("/users/1", { method: "DELETE" });
    expect(statusAndBody(answer)).toEqual([403, { message: "forbidden", code: "FORBIDDEN" }]);
    await login("admin");
    expect((await visitor.ask("/users/1", { method: "DELETE" })).status).toBe(200);
  });

  it("tells the browser that had the session why it ended, and nobody else", async () => {
    const ways = {
      idle: ({ clock }) => clock.advance(3 * HOUR),
      revoked: async ({ pawl }) => pawl.sessions.endUser("alice"),
      logout: async ({ visitor }) => visitor.copy().ask("/signout", { method: "POST" }),
      session_limit: async ({ origin }) => new Visitor(origin).ask("/login", { method: "POST" }),
    } satisfies Readonly<Record<string, (started: Awaited<ReturnType<Start>>) => unknown>>;
    for (const [reason, end] of Object.entries(ways)) {
      const started = await start({ rules: { idleTimeout: 2 * HOUR, maxSessionsPerUser: 1 } });
      await started.login();
      await end(started);
      started.clock.advance(HOUR);
      const thief = started.visitor.copy();
      const answer = await started.visitor.ask("/me");
      expect(statusAndBody(answer)).toEqual([401, { message: "unauthorised", code: "UNAUTHORISED", reason }]);
      const name = `${started.cookiePrefix}-refresh`;
      const forged = `${name}=${thief.cookies.get(name)?.slice(0, -4)}AAAA`;
      const stranger = await ask(`${started.origin}/me`, { headers: { cookie: forged } });
      expect(statusAndBody(stranger)).toEqual([401, { message: "unauthorised", code: "UNAUTHORISED" }]);
    }
  });

  it("answers 503 and keeps the cookies while nothing is known of the session", async () => {
    const { clock, backend, visitor, login } = await start();
    await login();
    clock.advance(2 * HOUR);
    backend.isDown = true;
    for (const [path, method] of [
      ["/me", "GET"],
      ["/maybe", "GET"],
      ["/save", "POST"],
      ["/leave", "POST"],
      ["/login", "POST"],
      ["/signout", "POST"],
      ["/session/refresh", "POST"],
      ["/session/refresh", "GET"],
    ] as const) {
      const answer = await visitor.ask(path, { method });
      expect([path, ...statusAndBody(answer)]).toEqual([path, 503, { message: "try again", code: "UNKNOWN" }]);
      expect([answer.headers["retry-after"], sessionCookies(answer)]).toEqual(["1", []]);
    }
    expect((await visitor.ask("/public")).status).toBe(200);
    backend.isDown = false;
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("refuses what other sites have sent, and only that", async () => {
    const { visitor } = await start({ origins: ["https://app.example.org"] });
    const host = "app.example.com";
    await visitor.ask("/login", { method: "POST", headers: { host } });
    const foreign: readonly Readonly<Record<string, string>>[] = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: "https://other.example.com" },
      { origin: "null" },
      { origin: "https://evil.example" },
      { origin: "https://app.example.com.evil.example" },
      { origin: "https://app.example.com:8443" },
      { authorization: "Bearer x", "sec-fetch-site": "cross-site" },
    ];
    const unsafe = [
      ["/login", "POST"],
      ["/users/1", "DELETE"],
      ["/leave", "POST"],
      ["/signout", "POST"],
      ["/session/refresh", "POST"],
    ] as const;
    const refused = [403, { message: "this request came from another site", code: "CSRF" }, []];
    for (const headers of foreign)
      for (const [path, method] of unsafe) {
        const answer = await visitor.ask(path, { method, headers: { host, ...headers } });
        const outcome = [...statusAndBody(answer), sessionCookies(answer)];
        expect([path, headers, ...outcome]).toEqual([path, headers, ...refused]);
      }
    const own: readonly Readonly<Record<string, string>>[] = [
      {},
      { "sec-fetch-site": "same-origin" },
      { origin: "https://app.example.com" },
      { origin: "https://APP.example.com:443" },
      { origin: "https://app.example.org", "sec-fetch-site": "cross-site" },
    ];
    for (const headers of own)
      for (const named of [host, "APP.example.com", "app.example.com:443"]) {
        const answer = await visitor.ask("/save", { method: "POST", headers: { host: named, ...headers } });
        expect([named, headers, answer.status]).toEqual([named, headers, 200]);
      }
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect((await visitor.ask("/me", { headers: { host, ...link } })).status).toBe(200);
  });

  it("says what a proxy has to pass where it hides the host of an https page", async () => {
    const { origin } = await start();
    const headers = { origin: "https://app.example.com" };
    const answer = await ask(`${origin}/login`, { method: "POST", headers });
    expect([answer.status, sessionCookies(answer)]).toEqual([403, []]);
  });

  it("answers preflights of its origins and leaves all others to the application", async () => {
    const preflight = (from: string) => ({
      method: "OPTIONS",
      headers: { origin: from, "access-control-request-method": "DELETE", "access-control-request-headers": "x-a" },
    });
    const without = await start();
    const untouched = await ask(`${without.origin}/public`, preflight("https://app.example.org"));
    expect(ownHeaders(untouched)).toEqual([]);
    const { origin } = await start({ origins: ["https://app.example.org"] });
    const own = await ask(`${origin}/public`, preflight("https://app.example.org"));
    expect([
      own.status,
      own.headers["access-control-allow-origin"],
      own.headers["access-control-allow-methods"],
    ]).toEqual([204, "https://app.example.org", "DELETE"]);
    const foreign = await ask(`${origin}/public`, preflight("https://other.example.org"));
    expect(ownHeaders(foreign)).toEqual([]);
  });

  it("says that answers vary by origin where origins are given, and only there", async () => {
    const { origin } = await start({ origins: ["https://app.example.org"] });
    const varies = async (headers: Readonly<Record<string, string>>) => {
      const { status, headers: told } = await ask(`${origin}/public`, { headers });
      return [status, /origin/i.test(String(told["vary"])), told["access-control-allow-origin"]];
    };
    expect(await varies({})).toEqual([200, true, undefined]);
    expect(await varies({ origin: "https://other.example.org" })).toEqual([200, true, undefined]);
    expect(await varies({ origin: "null" })).toEqual([200, true, undefined]);
    expect(await varies({ origin: "https://app.example.org" })).toEqual([200, true, "https://app.example.org"]);
  });

  it("leaves other methods on its routes to the application", async () => {
    const { visitor, login } = await start();
    await login();
    for (const [path, method] of [
      ["/signout", "GET"],
      ["/signout", "HEAD"],
      ["/signout", "DELETE"],
      ["/session/refresh", "HEAD"],
      ["/session/refresh", "PUT"],
    ] as const) {
      const answer = await visitor.ask(path, { method });
      expect([path, method, [404, 405].includes(answer.status)]).toEqual([path, method, true]);
      expect(sessionCookies(answer)).toEqual([]);
    }
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("serves its routes below a base path, and only there", async () => {
    const { visitor, login } = await start({ basePath: "/auth/" });
    await login();
    expect((await visitor.ask("/session/refresh", { method: "POST" })).status).toBe(404);
    const refreshed = await visitor.ask("/auth/session/refresh", { method: "POST" });
    expect([refreshed.status, refreshed.setCookies.length]).toEqual([200, 2]);
    expect([404, 405]).toContain((await visitor.ask("/auth/signout", { method: "GET" })).status);
    expect((await visitor.ask("/auth/signout/", { method: "POST" })).status).toBeLessThan(400);
    expect((await visitor.ask("/auth/signout", { method: "POST" })).status).toBe(200);
    expect([...visitor.cookies.keys()]).toEqual(["app"]);
  });
};
