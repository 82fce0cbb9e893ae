import { startCore } from "@pawl/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as ExpressEntry from "../src/index.js";
import type * as TokenEntry from "../src/session.js";
import { coreConfig } from "./core-config.js";

type Express = typeof ExpressEntry;
type Tokens = typeof TokenEntry;

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const it of close.splice(0).toReversed()) await it();
});

/** Both entries as a fresh process sees them. */
const load = async (): Promise<{ readonly express: Express; readonly tokens: Tokens }> => {
  vi.resetModules();
  const express = await import("../src/index.js");
  const tokens = await import("../src/session.js");
  const { defaultPawl } = await import("../src/default-pawl.js");
  close.push(async () => {
    try {
      await defaultPawl().close();
    } catch {
      // It was never opened.
    }
  });
  return { express, tokens };
};

const collecting = () => {
  const headers = new Map<string, string | readonly string[]>();
  return {
    headers,
    getHeader: (name: string) => headers.get(name),
    setHeader: (name: string, value: string | readonly string[]) => headers.set(name, value),
  };
};

describe("exported names", () => {
  test("of the Express entry", async () => {
    const { express } = await load();
    expect(Object.keys(express).toSorted()).toEqual([
      "Error",
      "Session",
      "createNewSession",
      "createPawl",
      "getAllSessionHandlesForUser",
      "getSession",
      "getSessionData",
      "init",
      "refreshSession",
      "revokeAllSessionsForUser",
      "revokeSessionUsingSessionHandle",
      "setRelevantHeadersForOptionsAPI",
      "updateSessionData",
    ]);
  });
  test("of the entry without Express", async () => {
    const { tokens } = await load();
    expect(Object.keys(tokens).toSorted()).toEqual([
      "Error",
      "createNewSession",
      "getAllSessionHandlesForUser",
      "getSession",
      "getSessionData",
      "init",
      "refreshSession",
      "revokeAllSessionsForUser",
      "revokeSessionUsingSessionHandle",
      "updateSessionData",
    ]);
  });
  test("of the entries with routes", async () => {
    expect(Object.keys(await import("../src/express.js")).toSorted()).toEqual([
      "sessionErrorHandler",
      "sessionMiddleware",
    ]);
    expect(Object.keys(await import("../src/fetch.js")).toSorted()).toEqual(["fetchExchange", "sessionHandler"]);
  });
  test("of the entry for tests", async () => {
    expect(Object.keys(await import("../src/testing.js")).toSorted()).toEqual(["testClock", "testSession"]);
  });
});

describe("before init", () => {
  test("every function says what is missing", async () => {
    const { express, tokens } = await load();
    const message = "Please call the init function before using any other functions of the Pawl library";
    const req = { headers: {} };
    const res = collecting();
    for (const call of [
      () => express.createNewSession(res, "u"),
      () => express.getSession({ headers: { cookie: "sAccessToken=t" } }, res, true),
      () => express.refreshSession(req, res),
      () => express.revokeAllSessionsForUser("u"),
      () => express.getAllSessionHandlesForUser("u"),
      () => express.revokeSessionUsingSessionHandle("h"),
      () => express.getSessionData("h"),
      () => express.updateSessionData("h", {}),
      () => tokens.createNewSession("u"),
      () => tokens.getSession("t", undefined, false, "i"),
      () => tokens.refreshSession("t"),
    ])
      await expect(call()).rejects.toMatchObject({ errType: 1000, message });
  });

  test("what needs no backend works as documented", async () => {
    const { express, tokens } = await load();
    const res = collecting();
    const isRefreshable = { errType: 3000, message: "access token missing in cookies" };
    await expect(express.getSession({ headers: {} }, res, true)).rejects.toMatchObject(isRefreshable);
    const isUnauthorised = { errType: 2000, message: "idRefreshToken missing" };
    await expect(tokens.getSession("t", undefined, true, undefined)).rejects.toMatchObject(isUnauthorised);
    expect(res.headers.size).toBe(0);
    express.setRelevantHeadersForOptionsAPI(res);
    expect(Object.fromEntries(res.headers)).toEqual({
      "Access-Control-Allow-Headers": "anti-csrf, supertokens-sdk-name, supertokens-sdk-version",
      "Access-Control-Allow-Credentials": "true",
    });
  });

  test("init without a host", async () => {
    const { express } = await load();
    expect(() => express.init([])).toThrow("Please provide at least one Pawl core's address");
  });
});

/** The two ways `init` is called. */
const inits = [
  ["hosts of a core", true],
  ["a storage", false],
] as const;

describe.each(inits)("init with %s", (_, isCore) => {
  const begin = async () => {
    const entries = await load();
    if (isCore) {
      const core = await startCore(coreConfig());
      close.unshift(() => core.close());
      entries.express.init([{ hostname: core.address.host, port: core.address.port }]);
    } else entries.express.init({ storage: "memory:", cookies: { domain: "localhost", secure: false } });
    return entries;
  };

  test("the life of a session through the Express entry", async () => {
    const { express } = await begin();
    const { createNewSession, getSession, refreshSession, Error: AuthError } = express;
    const login = collecting();
    const created = await createNewSession(login, "u1", { role: "a" }, { cart: 1 });
    expect(created).toBeInstanceOf(express.Session);
    expect(created.getUserId()).toBe("u1");
    expect(created.getJWTPayload()).toEqual({ role: "a" });
    const cookie = [login.headers.get("Set-Cookie") ?? []]
      .flat()
      .map((line) => line.split(";")[0])
      .join("; ");
    const req = { headers: { cookie, "anti-csrf": String(login.headers.get("anti-csrf")) } };

    const found = await getSession(req, collecting(), true);
    expect([found.getUserId(), found.getHandle()]).toEqual(["u1", created.getHandle()]);
    expect(await found.getSessionData()).toEqual({ cart: 1 });
    await found.updateSessionData({ cart: 2 });
    expect(await express.getSessionData(created.getHandle())).toEqual({ cart: 2 });
    await express.updateSessionData(created.getHandle(), { cart: 3 });
    expect(await found.getSessionData()).toEqual({ cart: 3 });
    const refreshed = await refreshSession(req, collecting());
    expect(refreshed.getUserId()).toBe("u1");
    expect(await express.getAllSessionHandlesForUser("u1")).toEqual([created.getHandle()]);
    expect(await express.revokeSessionUsingSessionHandle(created.getHandle())).toBe(true);
    expect(await express.revokeAllSessionsForUser("u1")).toBe(0);
    const error: unknown = await getSession(req, collecting(), false).catch((thrown: unknown) => thrown);
    expect(AuthError.isErrorFromAuth(error) && error.errType === AuthError.UNAUTHORISED).toBe(true);
  });

  test("the life of a session through the entry without Express, in the documented shapes", async () => {
    const { tokens } = await begin();
    const created = await tokens.createNewSession("u1", { role: "a" }, { cart: 1 });
    const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/) as string;
    const times = { expiry: expect.any(Number) as number, createdTime: expect.any(Number) as number };
    const place = { cookieSecure: false, domain: "localhost" };
    const shape = {
      session: { handle: uuid, userId: "u1", userDataInJWT: { role: "a" } },
      accessToken: { token: expect.any(String) as string, ...times, cookiePath: "/", ...place },
      refreshToken: { token: expect.any(String) as string, ...times, cookiePath: "/session/refresh", ...place },
      idRefreshToken: {
        token: uuid,
        expiry: created.refreshToken.expiry,
        createdTime: created.refreshToken.createdTime,
      },
      antiCsrfToken: uuid,
    };
    expect(created).toEqual(shape);
    expect(created.accessToken.expiry - created.accessToken.createdTime).toBe(3_600_000);
    expect(created.refreshToken.expiry - created.refreshToken.createdTime).toBe(144_000 * 60_000);

    const { accessToken, antiCsrfToken, idRefreshToken, refreshToken } = created;
    expect(await tokens.getSession(accessToken.token, antiCsrfToken, true, idRefreshToken.token)).toEqual({
      session: shape.session,
    });
    await expect(tokens.getSession(accessToken.token, antiCsrfToken, true, undefined)).rejects.toMatchObject({
      errType: 2000,
      message: "idRefreshToken missing",
    });
    await expect(tokens.getSession(accessToken.token, "wrong", true, idRefreshToken.token)).rejects.toMatchObject({
      errType: 3000,
    });
    await tokens.getSession(accessToken.token, undefined, false, idRefreshToken.token);

    const refreshed = await tokens.refreshSession(refreshToken.token);
    expect(refreshed.session).toEqual(created.session);
    expect(refreshed.antiCsrfToken).toBe(created.antiCsrfToken);
    expect(refreshed.refreshToken.token).not.toBe(refreshToken.token);
    await expect(tokens.refreshSession("garbage")).rejects.toMatchObject({ errType: 2000 });
    expect(await tokens.revokeAllSessionsForUser("u1")).toBe(1);
  });

  test("the first init wins, for both entries", async () => {
    const { express, tokens } = await begin();
    tokens.init({ storage: "nosuch:thing" });
    express.init([]);
    const { session } = await tokens.createNewSession("u1");
    expect(await express.getAllSessionHandlesForUser("u1")).toEqual([session.handle]);
  });
});
