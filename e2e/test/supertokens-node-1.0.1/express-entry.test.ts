import cookieParser from "cookie-parser";
import express from "express";
import type { Request, RequestHandler, Response } from "express";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { atOnce, startTestCore, type TestCoreOptions } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import { expressSdk, type SdkFailure } from "./sdk.js";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

/** A browser as far as cookies go: keeps what it is given, sends what it has. */
class Jar {
  readonly cookies = new Map<string, string>();
  readonly lines: string[] = [];
  take(answer: globalThis.Response): void {
    for (const line of answer.headers.getSetCookie()) {
      this.lines.push(line);
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split("=");
      const expires = attributes.find((attribute) => attribute.startsWith("Expires="))?.slice(8) ?? "";
      if (value === "" || Date.parse(expires) <= Date.now()) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
  header(...names: readonly string[]): string {
    const wanted = names.length > 0 ? names : [...this.cookies.keys()];
    return wanted.map((name) => `${name}=${this.cookies.get(name) ?? ""}`).join("; ");
  }
}

const setup = async (options: TestCoreOptions & { readonly parser?: RequestHandler } = {}) => {
  const core = await startTestCore(options);
  const proxy: CountingProxy = await countingProxy(core.host);
  const sdk = expressSdk();
  sdk.init([proxy.host]);
  const app = express();
  if (options.parser) app.use(options.parser);
  const answer =
    (handler: (request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    (request, response) => {
      handler(request, response).then(
        (body) => response.json(body ?? {}),
        (failure: SdkFailure) => {
          const { errType, err } = failure;
          response.status(errType === undefined ? 500 : 400).json({ errType, err, message: (err as Error)?.message });
        },
      );
    };
  app.post(
    "/login",
    answer(async (_, response) => {
      const session = await sdk.createNewSession(response, "u", { role: "a" }, { note: 1 });
      return { userId: session.getUserId(), payload: session.getJWTPayload() };
    }),
  );
  app.get(
    "/me",
    answer(async (request, response) => {
      const session = await sdk.getSession(request, response, request.query["csrf"] === "yes");
      return { userId: session.getUserId(), payload: session.getJWTPayload() };
    }),
  );
  app.get(
    "/data",
    answer(async (request, response) => (await sdk.getSession(request, response, false)).getSessionData()),
  );
  app.post(
    "/session/refresh",
    answer(async (request, response) => ({ userId: (await sdk.refreshSession(request, response)).getUserId() })),
  );
  app.post(
    "/logout",
    answer(async (request, response) => (await sdk.getSession(request, response, true)).revokeSession()),
  );
  app.options("/me", (_, response) => {
    sdk.setRelevantHeadersForOptionsAPI(response);
    response.send("");
  });
  const server = await new Promise<Server>((listening) => {
    const started: Server = app.listen(0, "127.0.0.1", () => listening(started));
  });
  open.push(core, proxy, {
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call = async (
    jar: Jar,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    ...only: string[]
  ) => {
    const result = await fetch(base + path, { method, headers: { cookie: jar.header(...only), ...headers } });
    jar.take(result);
    return { headers: result.headers, body: (await result.json()) as Record<string, unknown> };
  };
  const login = async () => {
    const jar = new Jar();
    const { headers } = await call(jar, "POST", "/login");
    proxy.take();
    return { jar, antiCsrf: headers.get("anti-csrf") ?? "", headers };
  };
  return { core, proxy, sdk, base, call, login };
};

const cleared = (jar: Jar): boolean => jar.cookies.size === 0;

describe("supertokens-node@1.0.1, unmodified, in Express", () => {
  test("sets the documented cookies and headers at login", async () => {
    const { login } = await setup();
    const { jar, headers } = await login();
    const access = jar.lines.find((line) => line.startsWith("sAccessToken="));
    expect(access).toMatch(
      /^sAccessToken=[^;]+; Domain=localhost; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=None$/,
    );
    expect(jar.lines.find((line) => line.startsWith("sRefreshToken="))).toMatch(/; Path=\/session\/refresh; /);
    expect(jar.lines.find((line) => line.startsWith("sIdRefreshToken="))).toMatch(/; Path=\/; /);
    expect(headers.get("id-refresh-token")).toMatch(/^[0-9a-f-]{36};\d+$/);
    expect(headers.get("access-control-expose-headers")).toBe("id-refresh-token, anti-csrf");
  });

  for (const parser of [undefined, cookieParser()])
    test(`lives a whole life ${parser ? "with" : "without"} cookie-parser`, async () => {
      const { call, login, core, proxy } = await setup(parser ? { parser } : {});
      const { jar, antiCsrf } = await login();
      const me = await call(jar, "GET", "/me?csrf=yes", { "anti-csrf": antiCsrf });
      expect(me.body).toEqual({ userId: "u", payload: { role: "a" } });
      expect(proxy.take()).toEqual([]);
      expect((await call(jar, "GET", "/data")).body).toEqual({ note: 1 });
      core.clock.advance(60_000);
      const before = jar.cookies.get("sRefreshToken");
      expect((await call(jar, "POST", "/session/refresh")).body).toEqual({ userId: "u" });
      expect(jar.cookies.get("sRefreshToken")).not.toBe(before);
      const out = await call(jar, "POST", "/logout", { "anti-csrf": antiCsrf });
      expect(out.headers.get("id-refresh-token")).toBe("remove");
      expect(cleared(jar)).toBe(true);
    });

  test("1.0.1 statement 3: without access token TRY_REFRESH_TOKEN, cookies untouched", async () => {
    const { call, login, sdk } = await setup();
    const { jar } = await login();
    const { body, headers } = await call(jar, "GET", "/me", {}, "sIdRefreshToken", "sRefreshToken");
    expect(body["errType"]).toBe(sdk.Error.TRY_REFRESH_TOKEN);
    expect(headers.getSetCookie()).toEqual([]);
  });

  test("1.0.1 statement 4: an access token without id cookie is UNAUTHORISED and clears", async () => {
    const { call, login, sdk } = await setup();
    const { jar } = await login();
    const { body } = await call(jar, "GET", "/me", {}, "sAccessToken");
    expect(body["errType"]).toBe(sdk.Error.UNAUTHORISED);
    expect(cleared(jar)).toBe(true);
  });

  test("1.0.1 statement 7: the first use after a refresh replaces the access cookie only", async () => {
    const { call, login, proxy } = await setup(atOnce);
    const { jar } = await login();
    await call(jar, "POST", "/session/refresh");
    proxy.take();
    const linesBefore = jar.lines.length;
    await call(jar, "GET", "/me");
    expect(proxy.take()).toEqual(["POST /session/verify"]);
    expect(jar.lines.slice(linesBefore).map((line) => line.split("=")[0])).toEqual(["sAccessToken"]);
    await call(jar, "GET", "/me");
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 9: UNAUTHORISED clears the cookies, TRY_REFRESH_TOKEN keeps them", async () => {
    const { call, login, core, sdk } = await setup();
    const { jar } = await login();
    const kept = await call(jar, "GET", "/me?csrf=yes", { "anti-csrf": "wrong" });
    expect(kept.body["errType"]).toBe(sdk.Error.TRY_REFRESH_TOKEN);
    expect(kept.headers.getSetCookie()).toEqual([]);
    core.clock.advance(60_000);
    await call(jar, "POST", "/session/refresh");
    await sdk.revokeAllSessionsForUser("u");
    const ended = await call(jar, "GET", "/me");
    expect(ended.body).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
    expect(cleared(jar)).toBe(true);
  });

  test("1.0.1 statements 10 and 11: refresh without token, of an ended session, and theft clear; nothing is revoked by the SDK", async () => {
    const { call, login, core, sdk, proxy } = await setup();
    const missing = new Jar();
    const none = await call(missing, "POST", "/session/refresh");
    expect(none.body["errType"]).toBe(sdk.Error.UNAUTHORISED);
    expect(none.headers.get("id-refresh-token")).toBe("remove");

    const { jar } = await login();
    await sdk.revokeAllSessionsForUser("u");
    expect((await call(jar, "POST", "/session/refresh")).body["errType"]).toBe(sdk.Error.UNAUTHORISED);
    expect(cleared(jar)).toBe(true);

    const victim = (await login()).jar;
    const thief = new Jar();
    for (const [name, value] of victim.cookies) thief.cookies.set(name, value);
    core.clock.advance(31_000);
    await call(victim, "POST", "/session/refresh");
    core.clock.advance(31_000);
    await call(victim, "GET", "/me");
    proxy.take();
    const theft = await call(thief, "POST", "/session/refresh");
    expect(theft.body).toMatchObject({ errType: sdk.Error.TOKEN_THEFT_DETECTED, err: { userId: "u" } });
    expect(cleared(thief)).toBe(true);
    expect(proxy.take()).toEqual(["POST /session/refresh"]);
    // the core ended it: the victim hears of it at its next refresh
    expect((await call(victim, "POST", "/session/refresh")).body["errType"]).toBe(sdk.Error.UNAUTHORISED);
  });

  test("answers OPTIONS with the documented headers", async () => {
    const { base } = await setup();
    const { headers } = await fetch(`${base}/me`, { method: "OPTIONS" });
    expect(headers.get("access-control-allow-headers")).toBe(
      "anti-csrf, supertokens-sdk-name, supertokens-sdk-version",
    );
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });
});
