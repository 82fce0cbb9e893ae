import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { failureOf, sessionSdk } from "./sdk.js";

describe("supertokens-node@1.0.1/session, unmodified", () => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore();
  });
  afterAll(() => core.close());
  const startedSdk = (): ReturnType<typeof sessionSdk> => {
    const sdk = sessionSdk();
    sdk.init([core.host]);
    return sdk;
  };

  test("creates, verifies, lists, keeps data, revokes", async () => {
    const sdk = startedSdk();
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
    const sdk = startedSdk();
    for (let i = 0; i < 3; i++) await sdk.createNewSession("many");
    const other = await sdk.createNewSession("other");
    expect(await sdk.revokeAllSessionsForUser("many")).toBe(3);
    expect(await sdk.revokeAllSessionsForUser("many")).toBe(0);
    expect(await sdk.getAllSessionHandlesForUser("other")).toEqual([other.session.handle]);
  });
});
