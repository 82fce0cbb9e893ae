import { createPublicKey, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { listen, type ListeningCore, movableClock, sharedCore, type TestConfig } from "../listening-core.js";

const JSON_TYPE = "application/json; charset=UTF-8";
const TEXT_TYPE = "text/html; charset=UTF-8";
const KEY_MEMBERS =
  /,"jwtSigningPublicKey":"([A-Za-z0-9+/]+={0,2})","jwtSigningPublicKeyExpiryTime":9223372036854775807\}\n$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DAY = 86_400_000;

/** As SuperTokens 1.0 behaves: nothing repeated, theft reported. */
const seed: TestConfig = { policy: { reuseWindow: 0 as never, theftAction: "report" } };

const create = async (core: ListeningCore, body: object = {}) =>
  (
    await core.send("POST", "/session", {
      body: { userId: "user-1", userDataInJWT: {}, userDataInDatabase: {}, ...body },
    })
  ).json;
const refresh = async (core: ListeningCore, refreshToken: string) =>
  (await core.send("POST", "/session/refresh", { body: { refreshToken } })).json;
const check = async (core: ListeningCore, accessToken: string, more: object = {}) =>
  (await core.send("POST", "/session/verify", { body: { accessToken, doAntiCsrfCheck: false, ...more } })).json;
const decode = (token: string, part: 0 | 1) =>
  JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64").toString()) as Record<string, unknown>;

describe("POST /handshake", () => {
  test("tells key, cookies and settings, to the byte", async () => {
    const core = await listen({
      cookies: { domain: "api.example.com", secure: true, accessTokenPath: "/a", refreshApiPath: "/session/refresh" },
    });
    const answer = await core.send("POST", "/handshake", { body: { deviceDriverInfo: { driver: 7 } } });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, JSON_TYPE]);
    const key = KEY_MEMBERS.exec(answer.text)?.[1];
    expect(answer.text).toBe(
      `{"status":"OK","cookieDomain":"api.example.com","cookieSecure":true,"accessTokenPath":"/a",` +
        `"refreshTokenPath":"/session/refresh","enableAntiCsrf":true,"accessTokenBlacklistingEnabled":false,` +
        `"jwtSigningPublicKey":"${key}","jwtSigningPublicKeyExpiryTime":9223372036854775807}\n`,
    );
    const publicKey = createPublicKey({ key: Buffer.from(key!, "base64"), format: "der", type: "spki" });
    expect(publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
  });

  test("leaves out a cookie domain that is not configured", async () => {
    const core = await listen({ cookies: { secure: false, accessTokenPath: "/", refreshApiPath: "/r" } });
    expect((await core.send("POST", "/handshake", { body: {} })).json).not.toHaveProperty("cookieDomain");
    const { accessToken } = await create(core);
    expect(accessToken).not.toHaveProperty("domain");
  });

  test("with a rotating key it states when that one gives way", async () => {
    const clock = movableClock();
    const core = await listen({ cdi1: { enabled: true, withoutKey: false, keyKind: "dynamic" } }, { clock });
    const expiry = async (): Promise<number> =>
      (await core.send("POST", "/handshake", { body: {} })).json.jwtSigningPublicKeyExpiryTime as number;
    const stated = await expiry();
    const active = core.engine.listSigningKeys().find(({ algorithm }) => algorithm === "RS256");
    expect(active).toMatchObject({ kind: "dynamic", status: "active" });
    expect(stated).toBe(Number(active?.signsFrom) + 7 * DAY);
    const next = await core.engine.rotateSigningKey("RS256");
    expect(await expiry()).toBe(next.signsFrom);
    clock.move(61_000);
    expect(await expiry()).toBe(next.signsFrom + 7 * DAY);
  });

  test("with blacklisting it says so, and verify asks the store", async () => {
    const core = await listen({ policy: { checkDatabase: true } });
    expect((await core.send("POST", "/handshake", { body: {} })).json.accessTokenBlacklistingEnabled).toBe(true);
    const { accessToken } = await create(core);
    await core.send("DELETE", "/session", { body: { userId: "user-1" } });
    expect(await check(core, accessToken.token)).toMatchObject({ status: "UNAUTHORISED" });
  });
});

describe("POST /session", () => {
  test("answers a session, its tokens with cookie attributes, and the key, to the byte", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const data = { role: "admin", none: null, list: [null] };
    const answer = await core.send("POST", "/session", {
      body: { userId: "user-1", userDataInJWT: data, userDataInDatabase: { note: "x" } },
    });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, JSON_TYPE]);
    expect(answer.headers["cache-control"]).toBe("no-store");
    const { session, accessToken, refreshToken, idRefreshToken, antiCsrfToken } = answer.json;
    const now = clock.now();
    const cookie = { cookieSecure: false, domain: "localhost" };
    const expected = {
      status: "OK",
      session: { handle: session.handle as string, userId: "user-1", userDataInJWT: data },
      accessToken: {
        token: accessToken.token as string,
        expiry: now + 3_600_000,
        createdTime: now,
        cookiePath: "/",
        ...cookie,
      },
      refreshToken: {
        token: refreshToken.token as string,
        expiry: now + 100 * DAY,
        createdTime: now,
        cookiePath: "/session/refresh",
        ...cookie,
      },
      idRefreshToken: { token: idRefreshToken.token as string, expiry: now + 100 * DAY, createdTime: now },
      antiCsrfToken: antiCsrfToken as string,
    };
    expect(answer.text.replace(KEY_MEMBERS, "")).toBe(JSON.stringify(expected).slice(0, -1));
    expect(KEY_MEMBERS.test(answer.text)).toBe(true);
    for (const uuid of [session.handle, idRefreshToken.token, antiCsrfToken]) expect(uuid).toMatch(UUID);
    expect(refreshToken.token).toMatch(/^[A-Za-z0-9._-]{1,200}$/);
  });

  test("the access token is a JWT of version 1: padded base64, literal header, RS256 by the handshake's key", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { accessToken, session, antiCsrfToken } = await create(core, { userDataInJWT: { a: null } });
    const [header, payload, signature] = accessToken.token.split(".") as [string, string, string];
    expect(header).toBe("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=");
    expect(payload.length % 4).toBe(0);
    expect(decode(accessToken.token, 1)).toEqual({
      sessionHandle: session.handle,
      userId: "user-1",
      refreshTokenHash1: "0",
      userData: { a: null },
      antiCsrfToken,
      expiryTime: clock.now() + 3_600_000,
      timeCreated: clock.now(),
      isPaid: false,
    });
    const { jwtSigningPublicKey } = (await core.send("POST", "/handshake", { body: {} })).json;
    const key = createPublicKey({ key: Buffer.from(jwtSigningPublicKey, "base64"), format: "der", type: "spki" });
    expect(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64"))).toBe(true);
  });

  test("without anti-CSRF neither the answer nor the token has one", async () => {
    const core = await listen({ policy: { enableAntiCsrf: false } });
    const created = await create(core);
    expect(created).not.toHaveProperty("antiCsrfToken");
    expect(decode(created.accessToken.token, 1)).not.toHaveProperty("antiCsrfToken");
  });

  test("names of token members are free in the application's data", async () => {
    const core = await sharedCore();
    const data = { sub: "s", exp: 1, sessionHandle: "h", __proto__: null };
    const created = await create(core, { userDataInJWT: data });
    expect(created.session.userDataInJWT).toEqual(data);
    expect(await check(core, created.accessToken.token)).toMatchObject({ status: "OK" });
  });
});

describe("what is not of the documented form", () => {
  const object = {};
  const cases: readonly (readonly [string, string, unknown, string])[] = [
    ...["/handshake", "/session", "/session/verify", "/session/refresh"].flatMap((path) =>
      [undefined, "", "{", "[]", '"x"', "1", "null", "\u00e9", '{"a":1}x'].map(
        (body) => ["POST", path, body, "Invalid Json Input"] as const,
      ),
    ),
    ["DELETE", "/session", undefined, "Invalid Json Input"],
    ["PUT", "/session/data", "[]", "Invalid Json Input"],
    ...[undefined, null, 1, true, {}, []].map(
      (userId) =>
        [
          "POST",
          "/session",
          { userId, userDataInJWT: object, userDataInDatabase: object },
          "Field name 'userId' is invalid in JSON input",
        ] as const,
    ),
    ...[undefined, null, [], "{}", 1, true].flatMap((value) => [
      [
        "POST",
        "/session",
        { userId: "u", userDataInJWT: value, userDataInDatabase: value },
        "Field name 'userDataInJWT' is invalid in JSON input",
      ] as const,
      [
        "POST",
        "/session",
        { userId: "u", userDataInJWT: object, userDataInDatabase: value },
        "Field name 'userDataInDatabase' is invalid in JSON input",
      ] as const,
    ]),
    ["POST", "/session/verify", {}, "Field name 'accessToken' is invalid in JSON input"],
    [
      "POST",
      "/session/verify",
      { accessToken: "t", antiCsrfToken: null },
      "Field name 'antiCsrfToken' is invalid in JSON input",
    ],
    ["POST", "/session/verify", { accessToken: "t" }, "Field name 'doAntiCsrfCheck' is invalid in JSON input"],
    [
      "POST",
      "/session/verify",
      { accessToken: "t", doAntiCsrfCheck: "true" },
      "Field name 'doAntiCsrfCheck' is invalid in JSON input",
    ],
    ["POST", "/session/refresh", { refreshToken: 1 }, "Field name 'refreshToken' is invalid in JSON input"],
    ["PUT", "/session/data", { userDataInDatabase: object }, "Field name 'sessionHandle' is invalid in JSON input"],
    [
      "PUT",
      "/session/data",
      { sessionHandle: "h", userDataInDatabase: [] },
      "Field name 'userDataInDatabase' is invalid in JSON input",
    ],
    ...[{}, { userId: "u", sessionHandle: "h" }, { sessionHandle: "h", sessionHandles: [] }].map(
      (body) =>
        [
          "DELETE",
          "/session",
          body,
          "Invalid JSON input - use one of userId, sessionHandle, or sessionHandles array",
        ] as const,
    ),
    ["DELETE", "/session", { userId: null, sessionHandle: "h" }, "Field name 'userId' is invalid in JSON input"],
    ["DELETE", "/session", { sessionHandle: 1 }, "Field name 'sessionHandle' is invalid in JSON input"],
    ["DELETE", "/session", { sessionHandles: ["h", 1] }, "Field name 'sessionHandles' is invalid in JSON input"],
    ["DELETE", "/session", { sessionHandles: "h" }, "Field name 'sessionHandles' is invalid in JSON input"],
    ["GET", "/session/user", undefined, "Field name 'userId' is missing in GET request"],
    ["GET", "/session/data?sessionhandle=h", undefined, "Field name 'sessionHandle' is missing in GET request"],
    ["GET", "/config", undefined, "Field name 'pid' is missing in GET request"],
    ["GET", "/devproductionmode", undefined, "Field name 'pid' is missing in GET request"],
  ];

  test("is 400 with the documented text, first bad field first", async () => {
    const core = await sharedCore();
    for (const [method, path, body, text] of cases) {
      const answer = await core.send(method, path, { body });
      expect([path, body, answer.status, answer.headers["content-type"], answer.text]).toEqual([
        path,
        body,
        400,
        TEXT_TYPE,
        `${text}\n`,
      ]);
    }
    expect((await core.send("GET", "/session/user?userId=u")).json.sessionHandles).toEqual([]);
  });

  test("fields that are not known are ignored, and so is whatever stands in deviceDriverInfo", async () => {
    const core = await sharedCore();
    for (const deviceDriverInfo of [null, 1, [], { frontendSDK: "x" }])
      expect(await create(core, { deviceDriverInfo, more: [1] })).toMatchObject({ status: "OK" });
  });

  test("U+0000 and a lone surrogate in a user id are 400", async () => {
    const core = await sharedCore();
    for (const userId of ["a\u0000b", "\ud800"]) {
      const body = JSON.stringify({ userId, userDataInJWT: {}, userDataInDatabase: {} });
      const answer = await core.send("POST", "/session", { body });
      expect([answer.status, answer.headers["content-type"]]).toEqual([400, TEXT_TYPE]);
    }
  });

  test("a payload that no cookie could carry is 400 and says its size", async () => {
    const core = await sharedCore();
    const body = { userId: "u", userDataInJWT: { big: "x".repeat(100_000) }, userDataInDatabase: {} };
    const answer = await core.send("POST", "/session", { body });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/100010 bytes/)]);
  });
});

describe("paths and methods", () => {
  test.each([
    ["GET", "/handshake", 405, "Method not supported"],
    ["GET", "/session", 405, "Method not supported"],
    ["PUT", "/session", 405, "Method not supported"],
    ["OPTIONS", "/session/refresh", 405, "Method not supported"],
    ["TRACE", "/session/verify", 405, "Method not supported"],
    ["POST", "/session/user", 405, "Method not supported"],
    ["DELETE", "/session/data", 405, "Method not supported"],
    ["PATCH", "/session", 405, "Method not supported"],
    ["POST", "/config", 405, "Method not supported"],
    ["POST", "/session/", 404, "Not found"],
    ["POST", "/Session", 404, "Not found"],
    ["POST", "//session", 404, "Not found"],
    ["POST", "/session/verify/", 404, "Not found"],
    ["POST", "/%73ession", 404, "Not found"],
    ["PATCH", "/nope", 404, "Not found"],
  ])("%s %s is %i", async (method, path, status, text) => {
    const core = await sharedCore();
    const answer = await core.send(method, path);
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([status, TEXT_TYPE, `${text}\n`]);
  });

  test("HEAD on a known path is 405 without a body", async () => {
    const core = await sharedCore();
    expect(await core.send("HEAD", "/session")).toMatchObject({ status: 405, text: "" });
  });

  test.each(["GET", "POST", "PUT", "DELETE"])("%s /hello says hello", async (method) => {
    const core = await sharedCore();
    expect(await core.send(method, "/hello")).toMatchObject({ status: 200, text: "Hello\n" });
  });

  test.each([
    ["9.9", "cdi-version 9.9 not supported"],
    ["2.3", "cdi-version 2.3 not supported"],
    ["1", "cdi-version header is invalid"],
    ["<b>", "cdi-version header is invalid"],
  ])("cdi-version %s is 400", async (version, text) => {
    const core = await sharedCore();
    const answer = await core.send("POST", "/session", { headers: { "cdi-version": version }, body: {} });
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([400, TEXT_TYPE, `${text}\n`]);
  });

  test("cdi-version 1.0 is what is served", async () => {
    const core = await sharedCore();
    const headers = { "cdi-version": "1.0" };
    expect((await core.send("POST", "/handshake", { headers, body: {} })).status).toBe(200);
  });

  test("where the operator chose ES256 for all tokens there is no CDI 1.0", async () => {
    const core = await listen({ cdi1: { enabled: false, withoutKey: false, keyKind: "static" } });
    expect(await core.send("POST", "/handshake", { body: {} })).toMatchObject({ status: 404, text: "Not found\n" });
  });
});

describe("POST /session/verify", () => {
  test("OK carries session and key, and no token where nothing has to change", async () => {
    const core = await sharedCore();
    const { accessToken, session } = await create(core, { userDataInJWT: { a: 1, b: null } });
    const answer = await core.send("POST", "/session/verify", {
      body: { accessToken: accessToken.token, doAntiCsrfCheck: false },
    });
    expect(answer.text.replace(KEY_MEMBERS, "")).toBe(
      JSON.stringify({
        status: "OK",
        session: { handle: session.handle as string, userId: "user-1", userDataInJWT: { a: 1, b: null } },
      }).slice(0, -1),
    );
    expect(KEY_MEMBERS.test(answer.text)).toBe(true);
  });

  test("the first use of a child is confirmed and answered with a clean token of the same expiry", async () => {
    const clock = movableClock();
    const core = await listen(seed, { clock });
    const { refreshToken } = await create(core);
    const child = await refresh(core, refreshToken.token);
    expect(decode(child.accessToken.token, 1)).toHaveProperty("parentRefreshTokenHash1");
    clock.move(1);
    const verified = await check(core, child.accessToken.token);
    expect(verified).toMatchObject({ status: "OK", accessToken: { cookiePath: "/", domain: "localhost" } });
    expect(verified).not.toHaveProperty("refreshToken");
    expect(verified).not.toHaveProperty("idRefreshToken");
    expect(verified).not.toHaveProperty("antiCsrfToken");
    expect(verified.accessToken.expiry).toBe(child.accessToken.expiry);
    expect(decode(verified.accessToken.token, 1)).not.toHaveProperty("parentRefreshTokenHash1");
    expect(await check(core, verified.accessToken.token)).not.toHaveProperty("accessToken");
  });

  test.each([
    ["garbage", "garbage"],
    ["nothing", ""],
    ["a refresh token's name", "pawl_rt_1."],
    ["dots", "..."],
  ])("%s is TRY_REFRESH_TOKEN with a message and no key", async (_, accessToken) => {
    const core = await sharedCore();
    const answer = await core.send("POST", "/session/verify", { body: { accessToken, doAntiCsrfCheck: true } });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ status: "TRY_REFRESH_TOKEN", message: expect.any(String) as string });
  });

  test("an expired one is TRY_REFRESH_TOKEN", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { accessToken } = await create(core);
    clock.move(3_600_000);
    expect(await check(core, accessToken.token)).toMatchObject({ status: "TRY_REFRESH_TOKEN" });
  });

  test("anti-CSRF is compared when it is on and asked for", async () => {
    const core = await sharedCore();
    const { accessToken, antiCsrfToken } = await create(core);
    const statusFor = async (more: object) => (await check(core, accessToken.token, more)).status as string;
    expect(await statusFor({ doAntiCsrfCheck: true, antiCsrfToken })).toBe("OK");
    expect(await statusFor({ doAntiCsrfCheck: true, antiCsrfToken: "other" })).toBe("TRY_REFRESH_TOKEN");
    expect(await statusFor({ doAntiCsrfCheck: true })).toBe("TRY_REFRESH_TOKEN");
    expect(await statusFor({ doAntiCsrfCheck: false })).toBe("OK");

    const without = await listen({ policy: { enableAntiCsrf: false } });
    const plain = await create(without);
    expect(await check(without, plain.accessToken.token, { doAntiCsrfCheck: true })).toMatchObject({ status: "OK" });
  });

  test("a revoked session passes without a parent, and is UNAUTHORISED with one", async () => {
    const core = await listen(seed);
    const { accessToken, refreshToken, session } = await create(core);
    const child = await refresh(core, refreshToken.token);
    await core.send("DELETE", "/session", { body: { sessionHandle: session.handle } });
    expect(await check(core, accessToken.token)).toMatchObject({ status: "OK" });
    expect(await check(core, child.accessToken.token)).toEqual({
      status: "UNAUTHORISED",
      message: expect.any(String) as string,
    });
  });

  test("ASVS 7.4.1: with cdi_verify_knows a revoked session is UNAUTHORISED without a parent too", async () => {
    const core = await listen({ cdiVerifyKnows: true });
    const { accessToken, session } = await create(core);
    expect(await check(core, accessToken.token)).toMatchObject({ status: "OK" });
    await core.send("DELETE", "/session", { body: { sessionHandle: session.handle } });
    expect(await check(core, accessToken.token)).toMatchObject({ status: "UNAUTHORISED" });
  });
});

describe("POST /session/refresh", () => {
  test("OK carries everything but the key", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const created = await create(core, { userDataInJWT: { none: null } });
    clock.move(31_000);
    const answer = await core.send("POST", "/session/refresh", { body: { refreshToken: created.refreshToken.token } });
    expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
    const refreshed = answer.json;
    expect(Object.keys(refreshed).toSorted()).toEqual([
      "accessToken",
      "antiCsrfToken",
      "idRefreshToken",
      "refreshToken",
      "session",
      "status",
    ]);
    expect(refreshed.session).toEqual(created.session);
    expect(refreshed.refreshToken.token).not.toBe(created.refreshToken.token);
    expect(refreshed.refreshToken.expiry).toBe(clock.now() + 100 * DAY);
    expect(refreshed.idRefreshToken.token).not.toBe(created.idRefreshToken.token);
    expect(decode(refreshed.accessToken.token, 0)).toEqual({ alg: "RS256", typ: "JWT", version: "1" });
  });

  test.each(["", "garbage", "pawl_rt_1.AAAA", "1b4e28ba-2fa1-11d2-883f-0016d3cca427.V0", "x.V1"])(
    "%j is UNAUTHORISED with a message, and the core lives (SuperTokens core 1.0.0: `.V1`)",
    async (refreshToken) => {
      const core = await sharedCore();
      expect(await refresh(core, refreshToken)).toEqual({
        status: "UNAUTHORISED",
        message: expect.any(String) as string,
      });
      expect((await core.send("GET", "/healthz")).status).toBe(200);
    },
  );

  test("the documented sequence at window 0 with report: sibling, promotion, theft, and the true client goes on", async () => {
    const core = await listen(seed);
    const first = await create(core);
    await refresh(core, first.refreshToken.token);
    const child = await refresh(core, first.refreshToken.token);
    expect(child.status).toBe("OK");
    expect(await check(core, child.accessToken.token)).toHaveProperty("accessToken");
    const theft = await core.send("POST", "/session/refresh", { body: { refreshToken: first.refreshToken.token } });
    expect(theft.status).toBe(200);
    expect(theft.text).toBe(
      `{"status":"TOKEN_THEFT_DETECTED","session":{"handle":"${first.session.handle}","userId":"user-1"}}\n`,
    );
    expect((await refresh(core, child.refreshToken.token)).status).toBe("OK");
  });

  test("at the defaults theft ends the session", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const first = await create(core);
    clock.move(31_000);
    const second = await refresh(core, first.refreshToken.token);
    clock.move(31_000);
    const third = await refresh(core, second.refreshToken.token);
    clock.move(31_000);
    expect((await refresh(core, first.refreshToken.token)).status).toBe("TOKEN_THEFT_DETECTED");
    expect((await refresh(core, third.refreshToken.token)).status).toBe("UNAUTHORISED");
    expect((await core.send("GET", "/session/user?userId=user-1")).json.sessionHandles).toEqual([]);
  });
});

describe("DELETE /session, and the data of a session", () => {
  const revoke = async (core: ListeningCore, body: object) => (await core.send("DELETE", "/session", { body })).text;
  const revoked = (count: number) => `{"status":"OK","numberOfSessionsRevoked":${count}}\n`;

  test("revokes by user, by handle, by handles, and counts what was live", async () => {
    const core = await listen();
    const handles: string[] = [];
    for (let index = 0; index < 5; index++) handles.push((await create(core)).session.handle as string);
    await create(core, { userId: "another" });
    expect(await revoke(core, { sessionHandle: handles[0] })).toBe(revoked(1));
    expect(await revoke(core, { sessionHandle: handles[0] })).toBe(revoked(0));
    expect(await revoke(core, { sessionHandles: [handles[1], handles[1], "none", handles[0]] })).toBe(revoked(1));
    expect(await revoke(core, { sessionHandles: [] })).toBe(revoked(0));
    expect(await revoke(core, { userId: "user-1" })).toBe(revoked(3));
    expect(await revoke(core, { userId: "user-1" })).toBe(revoked(0));
    expect((await core.send("GET", "/session/user?userId=another")).json.sessionHandles).toHaveLength(1);
  });

  test("lists a user's handles", async () => {
    const core = await sharedCore();
    const { session } = await create(core, { userId: "a b+c/é" });
    const answer = await core.send("GET", `/session/user?userId=${encodeURIComponent("a b+c/é")}`);
    expect(answer.text).toBe(`{"status":"OK","sessionHandles":["${session.handle}"]}\n`);
    expect((await core.send("GET", "/session/user?userId=")).json).toEqual({ status: "OK", sessionHandles: [] });
  });

  test("reads and replaces data, nulls and all", async () => {
    const core = await sharedCore();
    const { session } = await create(core, { userDataInDatabase: { note: null } });
    const read = async (handle: string) => (await core.send("GET", `/session/data?sessionHandle=${handle}`)).text;
    const write = async (sessionHandle: string, userDataInDatabase: object) =>
      (await core.send("PUT", "/session/data", { body: { sessionHandle, userDataInDatabase } })).text;
    const gone = `{"status":"UNAUTHORISED","message":"Session does not exist."}\n`;
    expect(await read(session.handle)).toBe(`{"status":"OK","userDataInDatabase":{"note":null}}\n`);
    expect(await write(session.handle, { b: [2, null] })).toBe(`{"status":"OK"}\n`);
    expect(await read(session.handle)).toBe(`{"status":"OK","userDataInDatabase":{"b":[2,null]}}\n`);
    expect(await read("none")).toBe(gone);
    expect(await write("none", {})).toBe(gone);
  });

  test("CVE-2019-10744: __proto__ in data is data", async () => {
    const core = await sharedCore();
    const body = `{"userId":"proto","userDataInJWT":{"__proto__":{"a":1}},"userDataInDatabase":{"constructor":{"b":2}}}`;
    const { session } = (await core.send("POST", "/session", { body })).json;
    const data = await core.send("GET", `/session/data?sessionHandle=${session.handle}`);
    expect(data.text).toBe(`{"status":"OK","userDataInDatabase":{"constructor":{"b":2}}}\n`);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["b"]).toBeUndefined();
  });
});

describe("GET /config and /devproductionmode", () => {
  test("tell this process's facts to whoever knows its pid", async () => {
    const core = await listen({ path: "/etc/pawl/config.yaml", mode: "PRODUCTION" });
    const get = async (path: string) => (await core.send("GET", path)).text;
    expect(await get(`/config?pid=${process.pid}`)).toBe(`{"status":"OK","path":"/etc/pawl/config.yaml"}\n`);
    expect(await get(`/devproductionmode?pid=${process.pid}`)).toBe(`{"status":"OK","mode":"PRODUCTION"}\n`);
    for (const pid of ["", "1", "abc", `${process.pid} `]) {
      expect(await get(`/config?pid=${encodeURIComponent(pid)}`)).toBe(`{"status":"NOT ALLOWED"}\n`);
      expect(await get(`/devproductionmode?pid=${encodeURIComponent(pid)}`)).toBe(`{"status":"NOT ALLOWED"}\n`);
    }
  });
});
