import { millis } from "@pawl/storage";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { atOnce, startTestCore, type TestCore, type TestCoreOptions } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import { failureOf, sessionSdk } from "./sdk.js";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

const setup = async (options: TestCoreOptions = {}) => {
  const core: TestCore = await startTestCore(options);
  const proxy: CountingProxy = await countingProxy(core.host);
  open.push(core, proxy);
  const sdk = sessionSdk();
  sdk.init([proxy.host]);
  return { core, proxy, sdk };
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

describe("supertokens-node@1.0.1/session, unmodified", () => {
  test("creates, verifies, lists, keeps data, revokes", async () => {
    const { sdk } = await setup();
    const created = await sdk.createNewSession("user-1", { role: "admin", none: null }, { note: "x" });
    expect(Object.keys(created).toSorted()).toEqual([
      "accessToken",
      "antiCsrfToken",
      "idRefreshToken",
      "refreshToken",
      "session",
    ]);
    expect(created.session).toEqual({
      handle: expect.stringMatching(/^[0-9a-f-]{36}$/),
      userId: "user-1",
      userDataInJWT: { role: "admin", none: null },
    });
    expect(created.accessToken).toEqual({
      token: expect.stringMatching(/^eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=\./),
      expiry: expect.any(Number),
      createdTime: expect.any(Number),
      cookiePath: "/",
      cookieSecure: false,
      domain: "localhost",
    });
    expect(created.accessToken.expiry - created.accessToken.createdTime).toBe(3_600_000);
    expect(created.refreshToken.cookiePath).toBe("/session/refresh");
    expect(created.refreshToken.expiry - created.refreshToken.createdTime).toBe(144_000 * 60_000);
    expect(Object.keys(created.idRefreshToken).toSorted()).toEqual(["createdTime", "expiry", "token"]);

    const got = await sdk.getSession(
      created.accessToken.token,
      created.antiCsrfToken,
      true,
      created.idRefreshToken.token,
    );
    expect(got).toEqual({ session: created.session });

    expect(await sdk.getAllSessionHandlesForUser("user-1")).toEqual([created.session.handle]);
    expect(await sdk.getSessionData(created.session.handle)).toEqual({ note: "x" });
    await sdk.updateSessionData(created.session.handle, { b: [2, { c: null }] });
    expect(await sdk.getSessionData(created.session.handle)).toEqual({ b: [2, { c: null }] });

    expect(await sdk.revokeSessionUsingSessionHandle(created.session.handle)).toBe(true);
    expect(await sdk.revokeSessionUsingSessionHandle(created.session.handle)).toBe(false);
    const { UNAUTHORISED } = sdk.Error;
    expect((await failureOf(sdk.getSessionData(created.session.handle))).errType).toBe(UNAUTHORISED);
    expect((await failureOf(sdk.updateSessionData(created.session.handle, {}))).errType).toBe(UNAUTHORISED);
    expect((await failureOf(sdk.refreshSession(created.refreshToken.token))).errType).toBe(UNAUTHORISED);
    expect(await sdk.getAllSessionHandlesForUser("user-1")).toEqual([]);
  });

  test("revokes all of a user and counts them", async () => {
    const { sdk } = await setup();
    for (let i = 0; i < 3; i++) await sdk.createNewSession("many");
    const other = await sdk.createNewSession("other");
    expect(await sdk.revokeAllSessionsForUser("many")).toBe(3);
    expect(await sdk.revokeAllSessionsForUser("many")).toBe(0);
    expect(await sdk.getAllSessionHandlesForUser("other")).toEqual([other.session.handle]);
  });

  test("1.0.1 statement 1: a core that is down at init is asked again by the next call", async () => {
    const port = await freePort();
    const sdk = sessionSdk();
    sdk.init([{ hostname: "127.0.0.1", port }]);
    expect((await failureOf(sdk.createNewSession("u"))).errType).toBe(sdk.Error.GENERAL_ERROR);
    const core = await startTestCore({ config: { port } });
    open.push(core);
    expect((await sdk.createNewSession("u")).session.userId).toBe("u");
  });

  test("1.0.1 statement 2: hosts take turns, and a refused connection moves on", async () => {
    const core = await startTestCore();
    const [first, second] = [await countingProxy(core.host), await countingProxy(core.host)];
    open.push(core, first, second);
    const sdk = sessionSdk();
    sdk.init([first.host, { hostname: "127.0.0.1", port: await freePort() }, second.host]);
    for (let i = 0; i < 4; i++) await sdk.getAllSessionHandlesForUser("u");
    expect(first.take().length).toBeGreaterThan(1);
    expect(second.take().length).toBeGreaterThan(1);
  });

  test("1.0.1 statement 5: a valid token without parent asks nobody", async () => {
    const { sdk, proxy } = await setup();
    const { accessToken, antiCsrfToken, idRefreshToken } = await sdk.createNewSession("u");
    proxy.take();
    await sdk.getSession(accessToken.token, antiCsrfToken, true, idRefreshToken.token);
    await sdk.getSession(accessToken.token, undefined, false, idRefreshToken.token);
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 6: anti-CSRF mismatch, bad signature and expiry are asked of the core, and its answer holds", async () => {
    const { sdk, proxy, core } = await setup();
    const { accessToken, antiCsrfToken, idRefreshToken } = await sdk.createNewSession("u");
    proxy.take();
    const asked = async (token: string, csrf: string | undefined, check: boolean): Promise<number> => {
      const failure = await failureOf(sdk.getSession(token, csrf, check, idRefreshToken.token));
      expect(proxy.take()).toEqual(["POST /session/verify"]);
      return failure.errType;
    };
    const { TRY_REFRESH_TOKEN } = sdk.Error;
    expect(await asked(accessToken.token, "wrong", true)).toBe(TRY_REFRESH_TOKEN);
    expect(await asked(accessToken.token, undefined, true)).toBe(TRY_REFRESH_TOKEN);
    expect(await asked(`${accessToken.token.slice(0, -8)}AAAAAA==`, antiCsrfToken, true)).toBe(TRY_REFRESH_TOKEN);
    expect(await asked("garbage", antiCsrfToken, true)).toBe(TRY_REFRESH_TOKEN);
    // minted two hours ago by the core's clock: expired for both sides
    core.clock.advance(-7_200_000);
    const old = await sdk.createNewSession("u");
    core.clock.advance(7_200_000);
    proxy.take();
    const failure = await failureOf(
      sdk.getSession(old.accessToken.token, old.antiCsrfToken, true, old.idRefreshToken.token),
    );
    expect(proxy.take()).toEqual(["POST /session/verify"]);
    expect(failure).toMatchObject({ errType: TRY_REFRESH_TOKEN, err: { message: "Access token expired" } });
  });

  test("1.0.1 statement 6: without enable_anti_csrf there is no token and nothing is compared", async () => {
    const { sdk, proxy } = await setup({ policy: { enableAntiCsrf: false } });
    const created = await sdk.createNewSession("u");
    expect("antiCsrfToken" in created).toBe(false);
    proxy.take();
    await sdk.getSession(created.accessToken.token, undefined, true, created.idRefreshToken.token);
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 8: a signing key said to have expired sends every call to the core", async () => {
    const { sdk, proxy, core } = await setup({
      config: { cdi1: { enabled: true, withoutKey: false, keyKind: "dynamic" } },
    });
    core.clock.advance(-60 * 86_400_000);
    const { accessToken, antiCsrfToken, idRefreshToken } = await sdk.createNewSession("u");
    proxy.take();
    for (let i = 0; i < 2; i++) await sdk.getSession(accessToken.token, antiCsrfToken, true, idRefreshToken.token);
    expect(proxy.take()).toEqual(["POST /session/verify", "POST /session/verify"]);
  });

  test("1.0.1 statement 12: a revoked session is accepted until its access token expires", async () => {
    const { sdk } = await setup();
    const { session, accessToken, antiCsrfToken, idRefreshToken } = await sdk.createNewSession("u");
    await sdk.revokeSessionUsingSessionHandle(session.handle);
    const got = await sdk.getSession(accessToken.token, antiCsrfToken, true, idRefreshToken.token);
    expect(got.session.handle).toBe(session.handle);
  });

  test("without window, left to the application: the documented life with promotion, siblings and theft", async () => {
    const { sdk, proxy } = await setup(atOnce);
    const created = await sdk.createNewSession("u");
    const first = await sdk.refreshSession(created.refreshToken.token);
    const sibling = await sdk.refreshSession(created.refreshToken.token);
    expect(sibling.refreshToken.token).not.toBe(first.refreshToken.token);
    proxy.take();
    // the newest sibling is used: it is confirmed and replaced by a clean token, once
    const id = sibling.idRefreshToken.token;
    const promoted = await sdk.getSession(sibling.accessToken.token, sibling.antiCsrfToken, true, id);
    expect(promoted.accessToken?.token).toBeTypeOf("string");
    expect(promoted.accessToken?.expiry).toBe(sibling.accessToken.expiry);
    expect(proxy.take()).toEqual(["POST /session/verify"]);
    await sdk.getSession(promoted.accessToken?.token ?? "", sibling.antiCsrfToken, true, id);
    expect(proxy.take()).toEqual([]);
    // now the first token is old: theft, reported and left to the application
    const theft = await failureOf(sdk.refreshSession(created.refreshToken.token));
    expect(theft).toMatchObject({
      errType: sdk.Error.TOKEN_THEFT_DETECTED,
      err: { sessionHandle: created.session.handle, userId: "u" },
    });
    expect((await sdk.refreshSession(sibling.refreshToken.token)).session.handle).toBe(created.session.handle);
    expect(await sdk.revokeSessionUsingSessionHandle(created.session.handle)).toBe(true);
  });

  test("at the defaults: a repeat at once is answered with the same successor; a theft ends the session", async () => {
    const { sdk, core, proxy } = await setup();
    const created = await sdk.createNewSession("u");
    // within the window of the login a refresh only answers again; nothing turns yet
    core.clock.advance(31_000);
    const first = await sdk.refreshSession(created.refreshToken.token);
    const repeated = await sdk.refreshSession(created.refreshToken.token);
    expect(repeated.session).toEqual(first.session);
    proxy.take();
    const within = await sdk.getSession(first.accessToken.token, first.antiCsrfToken, true, first.idRefreshToken.token);
    expect(within.accessToken).toBeUndefined();
    expect(proxy.take()).toEqual(["POST /session/verify"]);

    core.clock.advance(31_000);
    const used = await sdk.getSession(first.accessToken.token, first.antiCsrfToken, true, first.idRefreshToken.token);
    expect(used.accessToken?.expiry).toBe(first.accessToken.expiry);

    const theft = await failureOf(sdk.refreshSession(created.refreshToken.token));
    expect(theft.errType).toBe(sdk.Error.TOKEN_THEFT_DETECTED);
    expect((await failureOf(sdk.refreshSession(first.refreshToken.token))).errType).toBe(sdk.Error.UNAUTHORISED);
    expect(await sdk.getAllSessionHandlesForUser("u")).toEqual([]);
    expect((await core.engine.explainSession(created.session.handle)).reason).toBe("token_reuse");
  });

  test("at the defaults: a lost answer is retried after days without alarm", async () => {
    const { sdk, core } = await setup();
    const created = await sdk.createNewSession("u");
    await sdk.refreshSession(created.refreshToken.token);
    core.clock.advance(millis(5 * 86_400_000));
    const retried = await sdk.refreshSession(created.refreshToken.token);
    expect(retried.session.handle).toBe(created.session.handle);
  });

  test("bad input: hostile refresh tokens are unauthorised, and the core lives on", async () => {
    const { sdk, core } = await setup();
    const { refreshToken } = await sdk.createNewSession("u");
    const hostile = ["", "x", "a.b.V1", `${refreshToken.token}.V1`, refreshToken.token.slice(0, -1), "é".repeat(1000)];
    for (const token of hostile)
      expect((await failureOf(sdk.refreshSession(token))).errType).toBe(sdk.Error.UNAUTHORISED);
    expect((await fetch(`${core.url}/healthz`)).status).toBe(200);
    expect((await sdk.refreshSession(refreshToken.token)).session.userId).toBe("u");
  });
});
