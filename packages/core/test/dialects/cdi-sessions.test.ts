import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { decodeJwt } from "../decoded-jwt.js";
import { type Answer, listen, movableClock, sharedCore, testFolder } from "../listening-core.js";
import { at, create, expectText, refresh, remove, TEXT_TYPE, verify } from "./cdi-requests.js";

describe("sessions", () => {
  test("text of every script comes back to the letter, and no answer is kept by a cache", async () => {
    const core = await sharedCore();
    const texts = { é: "日本 😀 \u2028", nul: null, proto: { ["__proto__"]: 1 } };
    const answer = await create(core, "5.4", { userId: "ü-日本", userDataInJWT: texts, userDataInDatabase: texts });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.json.session).toMatchObject({ userId: "ü-日本", userDataInJWT: texts });
    const query = `?sessionHandle=${answer.json.session.handle}`;
    expect((await core.send("GET", `/recipe/session${query}`)).json).toMatchObject({
      userDataInDatabase: texts,
      userDataInJWT: texts,
    });
    const listed = await core.send("GET", `/recipe/session/user?userId=${encodeURIComponent("ü-日本")}`);
    expect(listed.json.sessionHandles).toEqual([answer.json.session.handle]);
  });

  test.each(["2.9", "2.21", "5.4"])("%s: the empty user id is one like any other", async (version) => {
    const core = await listen();
    const other = await create(core, version);
    const { json } = await create(core, version, { userId: "" });
    expect(json.session.userId).toBe("");
    const { handle } = json.session;
    expect(await verify(core, json.accessToken.token, {}, version)).toMatchObject({
      status: "OK",
      session: { userId: "" },
    });
    expect(await refresh(core, json.refreshToken.token, {}, version)).toMatchObject({ status: "OK" });
    const handles = async () =>
      (await core.send("GET", "/recipe/session/user?userId=", at(version))).json.sessionHandles;
    expect(await handles()).toEqual([handle]);
    expect((await remove(core, { userId: "" })).sessionHandlesRevoked).toEqual([handle]);
    expect(await handles()).toEqual([]);
    expect((await verify(core, other.json.accessToken.token, {}, version)).status).toBe("OK");
  });

  test.each([
    ["U+0000 in the user", { userId: "a\0" }],
    ["a lone surrogate", { userId: "\uD800" }],
    ["a user of 600 bytes", { userId: "x".repeat(600) }],
    ["a payload beyond its size", { userDataInJWT: { x: "y".repeat(40_000) } }],
    ["a payload nested too deep", { userDataInJWT: JSON.parse(`${'{"a":'.repeat(1500)}1${"}".repeat(1500)}`) }],
  ])("%s is 400 in text", async (_, more) => {
    const answer = await create(await sharedCore(), "5.4", more);
    expect([answer.status, answer.headers["content-type"]]).toEqual([400, TEXT_TYPE]);
    expect(answer.text.length).toBeLessThan(200);
  });

  test("names that would be claims of the token are 400 in those versions whose tokens have them", async () => {
    const core = await sharedCore();
    for (const [version, free, taken] of [
      ["2.15", ["sub", "tId", "rsub", "exp"], []],
      ["2.21", ["tId", "rsub"], ["sub", "exp", "iat", "antiCsrfToken"]],
      ["3.1", ["rsub"], ["tId", "sessionHandle"]],
      ["4.0", ["stt", "iss"], ["tId", "rsub", "refreshTokenHash1", "parentRefreshTokenHash1"]],
    ] as const) {
      const { handle } = (await create(core, version)).json.session;
      const put = (claim: string): Promise<Answer> =>
        core.send("PUT", "/recipe/jwt/data", {
          ...at(version),
          body: { sessionHandle: handle, userDataInJWT: { [claim]: "x" } },
        });
      for (const claim of free) {
        expect((await create(core, version, { userDataInJWT: { [claim]: "x" } })).json.status).toBe("OK");
        expect((await put(claim)).json).toEqual({ status: "OK" });
      }
      for (const claim of taken) {
        const text = "The user payload contains protected field";
        expectText(await create(core, version, { userDataInJWT: { [claim]: null } }), 400, text);
        expectText(await put(claim), 400, text);
      }
    }
  });

  test("a refresh turns anti-CSRF on and off, as the SDK is configured", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const created = (await create(core)).json;
    clock.move(60_000);
    const on = await refresh(core, created.refreshToken.token, { enableAntiCsrf: true });
    const { antiCsrfToken } = on;
    const check = (more: object) =>
      verify(core, on.accessToken.token, { doAntiCsrfCheck: true, enableAntiCsrf: true, ...more });
    expect(await check({ antiCsrfToken })).toMatchObject({ status: "OK" });
    const refused = { status: "TRY_REFRESH_TOKEN", message: "anti-csrf check failed" };
    expect(await check({})).toEqual(refused);
    expect(await check({ antiCsrfToken: "x" })).toEqual(refused);
    expect(await check({ enableAntiCsrf: false })).toMatchObject({ status: "OK" });
    clock.move(60_000);
    expect(await refresh(core, on.refreshToken.token, { enableAntiCsrf: true })).toEqual({
      status: "UNAUTHORISED",
      message: "Anti CSRF token missing, or not matching",
    });
    const off = await refresh(core, on.refreshToken.token);
    expect(off).not.toHaveProperty("antiCsrfToken");
    expect(decodeJwt(off.accessToken.token).payload["antiCsrfToken"]).toBeNull();
  });

  test("remove takes one selector, and the flags only with a user", async () => {
    const core = await sharedCore();
    const one = "Invalid JSON input - use one of userId or sessionHandles array";
    const ask = (body: object): Promise<Answer> => core.send("POST", "/recipe/session/remove", { body });
    expectText(await ask({}), 400, one);
    expectText(await ask({ userId: "u", sessionHandles: [] }), 400, one);
    for (const flag of ["revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"]) {
      expect((await ask({ sessionHandles: [], [flag]: true })).status).toBe(400);
      expect((await ask({ userId: "nobody", [flag]: false })).json).toEqual({
        status: "OK",
        sessionHandlesRevoked: [],
      });
      expectText(await ask({ userId: "u", [flag]: "x" }), 400, `Field name '${flag}' is invalid in JSON input`);
    }
    const { handle } = (await create(core)).json.session;
    expect(await remove(core, { sessionHandles: [handle, "none"] })).toEqual({
      status: "OK",
      sessionHandlesRevoked: [handle],
    });
  });

  test("access_token_blacklisting asks the database each time, and says so", async () => {
    const core = await listen({ policy: { checkDatabase: true } });
    const { session, accessToken } = (await create(core)).json;
    await remove(core, { sessionHandles: [session.handle] });
    for (const version of ["2.15", "5.4"])
      expect(await verify(core, accessToken.token, {}, version)).toEqual({
        status: "UNAUTHORISED",
        message: "Either the session has ended or has been blacklisted",
      });
    const handshake = await core.send("POST", "/recipe/handshake", { ...at("2.13"), body: {} });
    expect(handshake.json.accessTokenBlacklistingEnabled).toBe(true);
  });

  test("ASVS 7.4.1: a core refuses a session that it knows to have ended only with cdi_verify_knows", async () => {
    for (const cdiVerifyKnows of [false, true]) {
      const core = await listen({ cdiVerifyKnows });
      const { session, accessToken } = (await create(core)).json;
      await remove(core, { sessionHandles: [session.handle] });
      for (const version of ["2.15", "2.21", "5.4"])
        expect(await verify(core, accessToken.token, {}, version)).toMatchObject(
          cdiVerifyKnows
            ? { status: "UNAUTHORISED", message: "Either the session has ended or has been blacklisted" }
            : { status: "OK" },
        );
    }
  });

  test("with cdi_verify_knows a session that ended at another core on the store is refused here", async () => {
    const storage = `sqlite:${join(await testFolder(), "pawl.db")}`;
    const [here, there] = [await listen({ storage, cdiVerifyKnows: true }), await listen({ storage })];
    const { session, accessToken } = (await create(here)).json;
    const status = async () => (await verify(here, accessToken.token)).status as string;
    expect(await status()).toBe("OK");
    await remove(there, { sessionHandles: [session.handle] });
    await vi.waitFor(async () => expect(await status()).toBe("UNAUTHORISED"), { timeout: 5_000 });
  });
});
