import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { expressEntry, setup } from "./application.js";
import { expectCleared, expectUntouched } from "./cookie-expectations.js";

const entry = expressEntry();

describe("the Session object of supertokens-node@1.0.1 in Express, unmodified", () => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore();
  });
  afterAll(() => core.close());

  /** A browser whose session has ended, with an access token that is still accepted (statement 12). */
  const revoked = async () => {
    const application = await setup(entry, core);
    const browser = await application.loggedIn();
    expect(await application.sdk.revokeAllSessionsForUser(application.userId)).toBe(1);
    application.proxy.take();
    return { ...application, browser };
  };

  test("revokeSession that ended the session clears the cookies", async () => {
    const { loggedIn, proxy, sdk, userId } = await setup(entry, core);
    const browser = await loggedIn();
    const headers = { "anti-csrf": browser.antiCsrf ?? "" };
    expect((await browser.call("POST", "/logout", headers)).body).toEqual({});
    expectCleared(browser);
    expect(proxy.take()).toEqual(["DELETE /session"]);
    expect(await sdk.getAllSessionHandlesForUser(userId)).toEqual([]);
  });

  test("revokeSession of a session that has gone already keeps the cookies", async () => {
    const { browser, proxy } = await revoked();
    const headers = { "anti-csrf": browser.antiCsrf ?? "" };
    expect((await browser.call("POST", "/logout", headers)).body).toEqual({});
    expectUntouched(browser);
    expect(proxy.take()).toEqual(["DELETE /session"]);
  });

  test.each([
    ["getSessionData", "GET"],
    ["updateSessionData", "PUT"],
  ])("%s that is UNAUTHORISED clears the cookies, then throws", async (_, method) => {
    const { browser, proxy, sdk } = await revoked();
    expect((await browser.call(method, "/data")).body).toEqual({
      errType: sdk.Error.UNAUTHORISED,
      message: "Session does not exist.",
    });
    expectCleared(browser);
    expect(proxy.take()).toEqual([`${method} /session/data`]);
  });

  test("create, then clear in one answer: the headers tell both, the cookie lines add up, the last ones hold", async () => {
    const { newClient, sdk, userId } = await setup(entry, core);
    const browser = newClient();
    const { headers, setCookies, body } = await browser.call("POST", `/login-and-out?user=${userId}`);
    expect(body).toEqual({});
    expect(headers.get("id-refresh-token")).toMatch(/^[0-9a-f-]{36};\d+, remove$/);
    expect(headers.get("access-control-expose-headers")).toBe("id-refresh-token, anti-csrf, id-refresh-token");
    const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];
    expect(setCookies.map((line) => line.split("=")[0])).toEqual([...names, ...names]);
    expect(setCookies.map((line) => /^\w+=;/.test(line))).toEqual([false, false, false, true, true, true]);
    expect(browser.tokens.size).toBe(0);
    expect(await sdk.getAllSessionHandlesForUser(userId)).toEqual([]);
  });

  test("OPTIONS is answered with the documented headers", async () => {
    const { newClient } = await setup(entry, core);
    const { headers } = await newClient().call("OPTIONS", "/me");
    expect(headers.get("access-control-allow-headers")).toBe(
      "anti-csrf, supertokens-sdk-name, supertokens-sdk-version",
    );
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });
});
