import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CookieOptions, createPawl, type Pawl } from "@pawl/supertokens";
import { MemoryStorage } from "@pawl/storage";
import { startCachingProxy } from "@pawl/test-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestCore } from "./core.js";

/** What stands in an answer and belongs to one client alone. */
const tokensIn = (text: string, headers: Headers): readonly string[] => [
  ...headers.getSetCookie().map((line) => /=([^;]*)/u.exec(line)?.[1] ?? ""),
  ...[headers.get("anti-csrf"), headers.get("front-token")].filter((value) => value !== null),
  ...(text.match(/pawl_rt_1\.[\w-]+|eyJ[\w+/=-]+\.[\w+/=-]+\.[\w+/=-]+/gu) ?? []),
];

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** Asks twice, as two clients would: the second must not get the first one's answer, nor a part of it. */
const askTwice = async (url: string, { method, path, headers = {}, body }: Asked) => {
  const ask = async () => {
    const answer = await fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
    });
    const text = await answer.text();
    return { answer, text, tokens: tokensIn(text, answer.headers).filter((token) => token.length > 20) };
  };
  const first = await ask();
  const second = await ask();
  return { first, second, shared: second.tokens.filter((token) => first.tokens.includes(token)) };
};

const startApplication = async (
  handle: (pawl: Pawl, req: IncomingMessage, res: ServerResponse) => Promise<void>,
  cookies: CookieOptions = { domain: "localhost", secure: false, sameSite: "lax" },
) => {
  const pawl = createPawl({
    storage: new MemoryStorage(),
    masterKey: Buffer.alloc(32, 7).toString("base64"),
    cookies,
  });
  const server = createServer((req, res) => {
    void handle(pawl, req, res)
      .catch(() => void (res.statusCode = 401))
      .finally(() => res.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await pawl.close();
  });
  return (server.address() as AddressInfo).port;
};

const cookieOf = (headers: Headers): string =>
  headers
    .getSetCookie()
    .map((line) => line.slice(0, line.indexOf(";")))
    .join("; ");

describe("a caching proxy keeps no answer that carries a token (CVE-2025-48947, CVE-2025-64762, CVE-2023-30861)", () => {
  test("of an application: login, refresh, theft, logout", async () => {
    const port = await startApplication(async (pawl, req, res) => {
      if (req.url === "/login") await pawl.createNewSession(res, "user");
      else if (req.url === "/refresh") await pawl.refreshSession(req, res);
      else if (req.url === "/logout") await (await pawl.getSession(req, res, false)).revokeSession();
      else res.setHeader("Cache-Control", "public, max-age=60");
    });
    const proxy = await startCachingProxy(port);
    onTestFinished(() => proxy.stop());

    // It does cache: otherwise that nothing was kept would say nothing.
    const page = await askTwice(proxy.url, { method: "GET", path: "/page" });
    expect(page.second.answer.headers.get("x-cache")).toBe("HIT");

    for (const method of ["GET", "POST"]) {
      const login = await askTwice(proxy.url, { method, path: "/login" });
      expect(login.first.tokens.length).toBeGreaterThan(2);
      const cookie = cookieOf(login.first.answer.headers);
      const exchanges = [
        login,
        await askTwice(proxy.url, { method, path: "/refresh", headers: { cookie } }),
        await askTwice(proxy.url, { method, path: "/refresh", headers: { cookie: "sRefreshToken=garbage" } }),
        await askTwice(proxy.url, { method, path: "/logout", headers: { cookie } }),
      ];
      expect(login.shared).toEqual([]);
      for (const { first, second } of exchanges) {
        expect([first, second].map(({ answer }) => answer.headers.get("x-cache"))).toEqual(["MISS", "MISS"]);
        for (const { answer } of [first, second])
          if (answer.headers.getSetCookie().length > 0) expect(answer.headers.get("cache-control")).toBe("no-store");
      }
    }
  });

  test("of the core, in every dialect", async () => {
    const core = await startTestCore();
    onTestFinished(() => core.close());
    const proxy = await startCachingProxy(core.host.port);
    onTestFinished(() => proxy.stop());
    const flags = { enableAntiCsrf: true, doAntiCsrfCheck: false, checkDatabase: false, useDynamicSigningKey: true };
    const login = { userId: "user", userDataInJWT: {}, userDataInDatabase: {}, ...flags };
    const dialects = [
      { login: "/session", refresh: "/session/refresh", verify: "/session/verify", headers: {} },
      ...["2.9", "3.0", "4.0", "5.0", "5.4"].map((version) => ({
        login: "/recipe/session",
        refresh: "/recipe/session/refresh",
        verify: "/recipe/session/verify",
        headers: { "cdi-version": version },
      })),
      { login: "/v1/sessions", refresh: "/v1/sessions/refresh", verify: "/v1/sessions/verify", headers: {} },
    ];
    for (const { headers, ...paths } of dialects) {
      const own = paths.login.startsWith("/v1");
      const made = await askTwice(proxy.url, {
        method: "POST",
        path: paths.login,
        headers,
        body: own ? { userId: "user" } : login,
      });
      expect(made.first.tokens.length).toBeGreaterThan(1);
      const { accessToken, refreshToken } = JSON.parse(made.first.text) as Record<string, { token: string }>;
      const more = own ? {} : flags;
      const exchanges = [
        made,
        await askTwice(proxy.url, {
          method: "POST",
          path: paths.refresh,
          headers,
          body: { refreshToken: refreshToken?.token, ...more, enableAntiCsrf: false },
        }),
        await askTwice(proxy.url, {
          method: "POST",
          path: paths.verify,
          headers,
          body: { accessToken: accessToken?.token, ...more },
        }),
      ];
      for (const { first, second } of exchanges)
        for (const { answer } of [first, second]) {
          expect(answer.status).toBeLessThan(300);
          expect(answer.headers.get("x-cache")).toBe("MISS");
          expect(answer.headers.get("cache-control")).toBe("no-store");
        }
      expect(made.shared).toEqual([]);
    }
  });
});

describe("nginx passes on what a session adds to the head of an answer", () => {
  const handle = async (pawl: Pawl, req: IncomingMessage, res: ServerResponse) => {
    if (req.url === "/login") await pawl.createNewSession(res, "user", { big: "x".repeat(1200) });
    else if (req.url === "/small") await pawl.createNewSession(res, "user");
    else await pawl.refreshSession(req, res);
  };
  const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];
  const planted = ["", "__Secure-", "__Host-"].flatMap((prefix) =>
    names.flatMap((name) => Array.from({ length: 8 }, (_, at) => `${prefix}${name}=planted-${at}`)),
  );

  test("planted cookies, and names that have changed, on a deep path: with its own settings", async () => {
    const refreshTokenPath = "/a-deep/path-of/an-api/session/refresh";
    const port = await startApplication(handle, { names: "prefixed", refreshTokenPath });
    const proxy = await startCachingProxy(port, { name: "app.eu.example.com" });
    onTestFinished(() => proxy.stop());
    const login = await fetch(`${proxy.url}/small`, { method: "POST" });
    const cookie = cookieOf(login.headers);
    const refreshed = await fetch(proxy.url + refreshTokenPath, {
      method: "POST",
      headers: { cookie: [cookie, ...planted].join("; "), "st-auth-mode": "cookie" },
    });
    expect(refreshed.status).toBe(200);
    expect(refreshed.headers.getSetCookie().length).toBeGreaterThan(10);
    const refused = await fetch(proxy.url + refreshTokenPath, {
      method: "POST",
      headers: { cookie: planted.join("; ") },
    });
    expect(refused.status).toBe(401);
    expect(refused.headers.getSetCookie().length).toBeGreaterThan(10);
  });

  test("a login with a large payload: with the settings that the documentation names", async () => {
    const page = readFileSync(new URL("../../docs/operate/behind-a-proxy.md", import.meta.url), "utf8");
    const [, settings = ""] = /`(proxy_buffer_size [^`]*)`/.exec(page) ?? [];
    const port = await startApplication(handle, {});
    const login = async (more: string) => {
      const proxy = await startCachingProxy(port, { settings: more });
      onTestFinished(() => proxy.stop());
      return fetch(`${proxy.url}/login`, { method: "POST", headers: { "st-auth-mode": "cookie" } });
    };
    // Without them the session would exist, and its user would never hear of it.
    expect((await login("")).status).toBe(502);
    const answer = await login(settings);
    expect([answer.status, answer.headers.getSetCookie().length]).toEqual([200, 3]);
  });
});
