import { describe, expect, test } from "vitest";
import { decodeJwt } from "../decoded-jwt.js";
import { type Answer, listen, type ListeningCore, movableClock, type Sending, sharedCore } from "../listening-core.js";
import { at, create, expectText, HOUR, JSON_TYPE, login, refresh, verify, WEEK } from "./cdi-requests.js";
import type { Clock } from "@pawl/storage";

const KEY = "a-key-of-twenty-characters";

describe("versions", () => {
  test("GET /apiversion names them", async () => {
    const answer = await (await sharedCore()).send("GET", "/apiversion?apiDomain=a&websiteDomain=b");
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, JSON_TYPE]);
    expect(answer.json).toEqual({
      versions: [
        "2.9",
        "2.10",
        "2.11",
        "2.12",
        "2.13",
        "2.14",
        "2.15",
        "2.16",
        "2.17",
        "2.18",
        "2.19",
        "2.20",
        "2.21",
      ].concat(["3.0", "3.1", "4.0"], ["5.0", "5.1", "5.2", "5.3", "5.4"]),
    });
  });

  test.each([
    ["2.8", "cdi-version 2.8 not supported"],
    ["2.22", "cdi-version 2.22 not supported"],
    ["5.5", "cdi-version 5.5 not supported"],
    ["1.0", "cdi-version 1.0 not supported"],
    ["9.9", "cdi-version 9.9 not supported"],
    ["5", "cdi-version header is invalid"],
    ["5.4.0", "cdi-version header is invalid"],
    ["", "cdi-version header is invalid"],
    ["5.4, 5.4", "cdi-version header is invalid"],
    ["__proto__", "cdi-version header is invalid"],
  ])("%j is refused", async (version, text) => {
    const core = await sharedCore();
    expectText(await create(core, version), 400, text);
    // What does not depend on a version is answered in one that is not served, but not in none.
    for (const path of ["/apiversion", "/.well-known/jwks.json"]) {
      const answer = await core.send("GET", path, at(version));
      if (text.endsWith("supported")) expect(answer.status).toBe(200);
      else expectText(answer, 400, text);
    }
  });

  /** What each version is documented to say. */
  const documented = (
    [
      [
        "2",
        { idRefreshToken: true, keys: true, tenant: false, recipeUser: false },
        ["2.9", "2.13", "2.15", "2.16", "2.18", "2.20"],
      ],
      ["3", { idRefreshToken: false, keys: false, tenant: false, recipeUser: false }, ["2.21"]],
      ["4", { idRefreshToken: false, keys: false, tenant: true, recipeUser: false }, ["3.0", "3.1"]],
      ["5", { idRefreshToken: false, keys: false, tenant: true, recipeUser: true }, ["4.0", "5.0", "5.2", "5.4"]],
    ] as const
  ).flatMap(([form, says, versions]) => versions.map((version) => [version, form, says] as const));

  const live = async (
    { core, clock }: { readonly core: ListeningCore; readonly clock: Clock },
    [version, form, says]: (typeof documented)[number],
  ): Promise<void> => {
    const session = {
      handle: expect.any(String),
      userId: "user-1",
      userDataInJWT: { role: "x" },
      ...(says.recipeUser ? { recipeUserId: "user-1" } : {}),
      ...(says.tenant ? { tenantId: "public" } : {}),
    };
    const token = { token: expect.any(String), expiry: expect.any(Number), createdTime: expect.any(Number) };
    const idRefreshToken = says.idRefreshToken ? { idRefreshToken: token } : {};
    const keys = says.keys
      ? {
          jwtSigningPublicKey: expect.stringMatching(/^MII[A-Za-z0-9+/]+=*$/),
          jwtSigningPublicKeyExpiryTime: clock.now() + WEEK,
          jwtSigningPublicKeyList: [
            { publicKey: expect.any(String), expiryTime: clock.now() + WEEK + 2 * HOUR, createdAt: clock.now() },
          ],
        }
      : {};
    const issued = { status: "OK", session, accessToken: token, refreshToken: token, ...idRefreshToken };
    const created = (await create(core, version)).json;
    expect(created).toEqual({ ...issued, ...keys });
    expect(decodeJwt(created.accessToken.token).header["version"]).toBe(form);
    expect(await verify(core, created.accessToken.token, {}, version)).toEqual({ status: "OK", session, ...keys });
    expect(await verify(core, "garbage", {}, version)).toEqual({
      status: "TRY_REFRESH_TOKEN",
      message: "Invalid JWT",
      ...keys,
    });

    const turned = await refresh(core, created.refreshToken.token, {}, version);
    expect(turned).toEqual(issued);
    expect(decodeJwt(turned.accessToken.token).header["version"]).toBe(form);
    const promoted = await verify(core, turned.accessToken.token, {}, version);
    expect(promoted).toEqual({ status: "OK", session, accessToken: token, ...keys });
    expect(await refresh(core, created.refreshToken.token, {}, version)).toEqual({
      status: "TOKEN_THEFT_DETECTED",
      session: {
        handle: created.session.handle,
        userId: "user-1",
        ...(says.recipeUser ? { recipeUserId: "user-1" } : {}),
      },
    });

    const query = `?sessionHandle=${created.session.handle}`;
    expect((await core.send("GET", `/recipe/session${query}`, at(version))).json).toEqual({
      status: "OK",
      sessionHandle: created.session.handle,
      userId: "user-1",
      ...(says.recipeUser ? { recipeUserId: "user-1" } : {}),
      ...(says.tenant ? { tenantId: "public" } : {}),
      userDataInDatabase: { n: null },
      userDataInJWT: { role: "x" },
      expiry: expect.any(Number),
      timeCreated: clock.now(),
    });
    const handshake = await core.send("POST", "/recipe/handshake", { ...at(version), body: {} });
    if (!says.keys) return expectText(handshake, 404, "Not found");
    expect(handshake.json).toEqual({
      status: "OK",
      ...keys,
      accessTokenBlacklistingEnabled: false,
      accessTokenValidity: HOUR,
      refreshTokenValidity: 144_000 * 60_000,
    });
  };

  test("each answers in its own way, to the member", async () => {
    const clock = movableClock();
    const core = await listen({ policy: { reuseWindow: 0 as never, theftAction: "report" } }, { clock });
    // Away from the key of another algorithm that was made at the start: a key is named by its millisecond.
    clock.move(1000);
    for (const version of documented) await live({ core, clock }, version);
  });

  test("a session moves between versions: the next refresh makes the new kind, and what is renewed keeps its own", async () => {
    const clock = movableClock();
    const core = await listen({ policy: { reuseWindow: 0 as never } }, { clock });
    const old = (await create(core, "2.13")).json;
    const turned = await refresh(core, old.refreshToken.token, {}, "5.1");
    expect(decodeJwt(turned.accessToken.token).header["version"]).toBe("5");
    expect(await verify(core, old.accessToken.token)).toMatchObject({
      status: "OK",
      session: { recipeUserId: "user-1" },
    });
    const back = await refresh(core, turned.refreshToken.token, {}, "2.14");
    const clean = await verify(core, back.accessToken.token);
    expect(decodeJwt(clean.accessToken.token).header).toEqual({ alg: "RS256", typ: "JWT", version: "2" });
    const body = { accessToken: back.accessToken.token, userDataInJWT: { role: "y" } };
    const regenerated = (await core.send("POST", "/recipe/session/regenerate", { body })).json;
    expect(decodeJwt(regenerated.accessToken.token).header["version"]).toBe("2");
  });

  test("what a version does not know is not there, or not read", async () => {
    const core = await sharedCore();
    for (const [method, path, first, last] of [
      ["GET", "/user/id?userId=x", "3.1", "4.0"],
      ["GET", "/recipe/multitenancy/tenant/list", "2.21", "3.0"],
      ["GET", "/recipe/multitenancy/tenant/list/v2", "5.0", "5.1"],
    ] as const) {
      expectText(await core.send(method, path, at(first)), 404, "Not found");
      expect((await core.send(method, path, at(last))).status).toBe(200);
    }
    // useDynamicSigningKey: at create from 2.21, at refresh from 3.0 and required from 5.0; checkDatabase from 2.21.
    const kid = (answer: { accessToken: { token: string } }): unknown =>
      String(decodeJwt(answer.accessToken.token).header["kid"]).slice(0, 2);
    const isStatic = { useDynamicSigningKey: false };
    expect((await create(core, "2.15", { useDynamicSigningKey: "x" })).status).toBe(200);
    const session = (await create(core, "2.21", isStatic)).json;
    expect(kid(session)).toBe("s-");
    // 2.21 has no word for it at refresh: an application with the static key would ask for ever if it got another.
    expect(kid(await refresh(core, session.refreshToken.token, { useDynamicSigningKey: "x" }, "2.21"))).toBe("s-");
    const isDynamic = { useDynamicSigningKey: true };
    expect(kid(await refresh(core, session.refreshToken.token, isDynamic, "3.0"))).toBe("d-");
    expect(kid(await refresh(core, session.refreshToken.token, isStatic, "3.0"))).toBe("s-");
    expect(kid(await refresh(core, session.refreshToken.token, { useDynamicSigningKey: undefined }, "4.0"))).toBe("s-");
    const body = { refreshToken: session.refreshToken.token, enableAntiCsrf: false };
    expectText(
      await core.send("POST", "/recipe/session/refresh", { ...at("5.0"), body }),
      400,
      "Field name 'useDynamicSigningKey' is invalid in JSON input",
    );
    const accessToken = session.accessToken.token;
    const bare = { accessToken, doAntiCsrfCheck: false, enableAntiCsrf: false };
    expect((await core.send("POST", "/recipe/session/verify", { ...at("2.15"), body: bare })).json.status).toBe("OK");
    expect((await core.send("POST", "/recipe/session/verify", { ...at("2.21"), body: bare })).status).toBe(400);
  });
});

describe("paths, prefixes and methods", () => {
  const noTenant = (app: string, tenant: string): string =>
    `AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, ${app}, ${tenant})`;

  test.each([
    ["/recipe/session"],
    ["/recipe/session/"],
    ["/RECIPE/Session"],
    ["/public/recipe/session"],
    ["/Public/recipe/session/"],
    ["/appid-public/recipe/session"],
    ["/appid-public/public/recipe/session"],
    ["/APPID-public/recipe/session"],
  ])("POST %s makes a session", async (path) => {
    const answer = await (await sharedCore()).send("POST", path, { body: login });
    expect(answer.json).toMatchObject({ status: "OK", session: { tenantId: "public" } });
  });

  test.each([
    ["GET", "/recipe/session/verify", 405, "Method not supported"],
    ["PATCH", "/recipe/session", 405, "Method not supported"],
    ["DELETE", "/public/recipe/session", 405, "Method not supported"],
    ["POST", "/apiversion", 405, "Method not supported"],
    ["POST", "/recipe/handshake", 404, "Not found"],
    ["PUT", "/recipe/handshake", 404, "Not found"],
    ["POST", "/recipe/nope", 404, "Not found"],
    ["POST", "/recipe//session", 404, "Not found"],
    ["POST", "/recipe/session//", 404, "Not found"],
    ["POST", "/recipe/recipe/session", 404, "Not found"],
    ["GET", "/config/apiversion", 404, "Not found"],
    ["GET", "/users/user/id", 404, "Not found"],
    ["POST", "/a/b/recipe/session", 404, "Not found"],
    ["POST", "/appid-a/appid-b/recipe/session", 404, "Not found"],
    ["POST", "/a_b/recipe/session", 404, "Not found"],
    ["POST", "/%70ublic/recipe/session", 404, "Not found"],
    ["POST", "/t1/recipe/session", 400, noTenant("public", "t1")],
    ["POST", "/v1/recipe/session", 400, noTenant("public", "v1")],
    ["POST", `/${"a".repeat(65)}/recipe/session`, 400, noTenant("public", "a".repeat(65))],
    ["POST", "/appid-a1/recipe/session", 400, noTenant("a1", "public")],
    ["POST", "/appid-a1/t1/recipe/session/verify", 400, noTenant("a1", "t1")],
    ["GET", "/t1/recipe/session/user?userId=u", 400, noTenant("public", "t1")],
    ["POST", "/t1/recipe/session/verify", 403, "Only public tenantId can call this app specific API"],
    ["GET", "/t1/.well-known/jwks.json", 403, "Only public tenantId can call this app specific API"],
  ])("%s %s is %i", async (method, path, status, text) => {
    expectText(await (await sharedCore()).send(method, path, { body: login }), status, text);
  });

  test("405 names what the path takes", async () => {
    const core = await sharedCore();
    expect((await core.send("PUT", "/recipe/session")).headers["allow"]).toBe("POST, GET");
    expect((await core.send("GET", "/recipe/jwt")).headers["allow"]).toBe("POST");
  });

  test("before 3.0 a tenant in the path is no path, and before 5.0 it may stand before everything", async () => {
    const core = await sharedCore();
    for (const path of ["/public/recipe/session", "/t1/recipe/session"])
      expectText(await core.send("POST", path, { ...at("2.21"), body: login }), 404, "Not found");
    const query = "?sessionHandle=none";
    expect((await core.send("GET", `/public/recipe/session${query}`, at("3.0"))).status).toBe(200);
    expectText(await core.send("GET", `/t1/recipe/session${query}`, at("4.0")), 400, noTenant("public", "t1"));
    expect((await core.send("GET", `/t1/recipe/session${query}`, at("5.0"))).status).toBe(403);
  });

  test("the order of checks is API key, version, application, tenant's place, method, tenant, input", async () => {
    const core = await listen({ apiKeys: [KEY] });
    const bad = { "cdi-version": "9.9" };
    const ask = (path: string, headers: Sending["headers"], method = "POST"): Promise<Answer> =>
      core.send(method, path, { headers: headers ?? {}, body: "{" });
    const keyed = { "api-key": KEY };
    expectText(await ask("/appid-a/t1/recipe/session/verify", bad), 401, "Invalid API key");
    expectText(
      await ask("/appid-a/t1/recipe/session/verify", { ...bad, ...keyed }),
      400,
      "cdi-version 9.9 not supported",
    );
    expectText(await ask("/appid-a/t1/recipe/session/verify", keyed, "PUT"), 400, noTenant("a", "t1"));
    expectText(await ask("/t1/recipe/session/verify", keyed, "PUT"), 405, "Method not supported");
    expectText(
      await ask("/t1/recipe/session/verify", keyed),
      403,
      "Only public tenantId can call this app specific API",
    );
    expectText(await ask("/t1/recipe/session/remove", keyed), 400, noTenant("public", "t1"));
    expectText(await ask("/recipe/session/verify", keyed), 400, "Invalid Json Input");
  });

  test("API keys are taken from both headers; public keys need none", async () => {
    const core = await listen({ apiKeys: [KEY, "another-key-of-twenty-characters"] });
    for (const headers of [{ "api-key": KEY }, { authorization: KEY }, { authorization: `Bearer ${KEY}` }])
      expect((await core.send("GET", "/apiversion", { headers })).status).toBe(200);
    for (const headers of [{}, { "api-key": "x" }, { authorization: "Bearer x" }, { "st-api-key": KEY }])
      for (const path of ["/apiversion", "/recipe/session", "/public/recipe/session", "/recipe/jwt/jwks"])
        expectText(await core.send("GET", path, { headers: { ...headers } as never }), 401, "Invalid API key");
    for (const path of ["/.well-known/jwks.json", "/.well-known/jwks.json/", "/appid-public/.well-known/jwks.json"])
      expect((await core.send("GET", path)).status).toBe(200);
    expect((await core.send("GET", "/hello")).status).toBe(200);
  });

  test("what only asks politely is answered", async () => {
    const core = await sharedCore();
    expect((await core.send("GET", "/telemetry")).json).toEqual({ exists: false });
    expect((await core.send("GET", "/ee/featureflag")).json).toEqual({ features: [], usageStats: {}, status: "OK" });
    expect((await core.send("GET", "/user/id?userId=x")).json).toEqual({ status: "UNKNOWN_USER_ID_ERROR" });
    expectText(await core.send("GET", "/user/id"), 400, "Field name 'userId' is missing in GET request");
  });
});
