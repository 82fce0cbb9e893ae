import { oauthRoutes } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { compileValidator } from "../../src/dialects/v1/validator.js";
import { decodeJwt } from "../decoded-jwt.js";
import { type Answer, listen, type ListeningCore, movableClock, sharedCore, testFolder } from "../listening-core.js";
import { ask, create } from "./v1-requests.js";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const KEY = "correct-horse-battery-staple";
const VERIFIER_KEY = "a-key-of-a-gateway-only=";
const INTROSPECT = "/oauth/introspect";
const REVOKE = "/oauth/revoke";

const post = (
  core: ListeningCore,
  path: string,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  core.send("POST", path, { headers: { ...FORM, ...headers }, body: new URLSearchParams(parameters).toString() });

const fits = compileValidator(oauthRoutes.introspectToken.success);

/** Introspects, and holds the answer to the description. */
const introspect = async (core: ListeningCore, token: string, hint?: string) => {
  const answer = await post(core, INTROSPECT, { token, ...(hint !== undefined && { token_type_hint: hint }) });
  expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
    200,
    "application/json; charset=utf-8",
    "no-store",
  ]);
  expect(fits(answer.json)).toBeUndefined();
  return answer.json;
};

const INACTIVE = { active: false };

describe("introspection (RFC 7662)", () => {
  test("tells of an access token what it says, the payload beside it", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const auth = { at: clock.now() - 5000, methods: ["pwd", "otp"], level: "aal2" };
    const payload = { role: "editor", scope: "read write", active: false, cnf: { jkt: "x" } };
    const { session, accessToken } = await create(core, { tenantId: "t1", payload, auth });
    const iat = clock.now() / 1000;
    expect(await introspect(core, accessToken.token)).toEqual({
      role: "editor",
      scope: "read write",
      cnf: { jkt: "x" },
      active: true,
      token_type: "Bearer",
      sub: "user-1",
      sid: session.handle as string,
      tId: "t1",
      iat,
      exp: iat + 3600,
      pver: 0,
      auth_time: iat - 5,
      amr: ["pwd", "otp"],
      acr: "aal2",
    });
  });

  test.each(["v1", "v5"])("knows access tokens of the form %s, whose payload cannot speak for us", async (form) => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const payload = { role: "editor", act: { sub: "root" }, active: false, sid: "other" };
    const { session, accessToken } = await create(core, { form, payload });
    const iat = clock.now() / 1000;
    expect(await introspect(core, accessToken.token)).toEqual({
      role: "editor",
      active: true,
      token_type: "Bearer",
      sub: "user-1",
      sid: session.handle as string,
      tId: "public",
      iat,
      exp: iat + 3600,
      pver: 0,
    });
  });

  test("says who acts for the user", async () => {
    const core = await sharedCore();
    const login = await create(core, { userId: "support" });
    const asked = { accessToken: login.accessToken.token, userId: "alice", payload: {}, reason: "ticket 7" };
    const { accessToken } = (await core.send("POST", "/v1/sessions/act-as", { body: asked })).json;
    const who = { sub: "alice", act: { sub: "support" }, sid: login.session.handle as string };
    expect(await introspect(core, accessToken.token)).toMatchObject(who);
    expect(await introspect(core, login.refreshToken.token, "refresh_token")).toMatchObject(who);
    expect(await introspect(core, login.accessToken.token)).toEqual(INACTIVE);
  });

  test("tells of a refresh token only where one is asked for, and moves nothing", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { session, refreshToken } = await create(core);
    const iat = clock.now() / 1000;
    clock.move(60_000);
    for (const hint of [undefined, "access_token", "unknown"])
      expect(await introspect(core, refreshToken.token, hint)).toEqual(INACTIVE);
    expect(await introspect(core, refreshToken.token, "refresh_token")).toEqual({
      active: true,
      sub: "user-1",
      sid: session.handle as string,
      tId: "public",
      iat,
      exp: iat + 8_640_000,
      auth_time: iat,
    });
    const refreshed = await core.send("POST", "/v1/sessions/refresh", { body: { refreshToken: refreshToken.token } });
    expect(refreshed.json).toMatchObject({ minted: true });
  });

  test("a wrong hint hides no access token", async () => {
    const core = await sharedCore();
    const { accessToken } = await create(core);
    for (const hint of ["access_token", "refresh_token", "unknown", ""])
      expect(await introspect(core, accessToken.token, hint)).toMatchObject({ active: true });
  });

  test('is exactly {"active":false} for what has expired, ended, changed, is unknown or foreign', async () => {
    const clock = movableClock();
    const [core, foreign] = [await listen({}, { clock }), await listen()];
    const [expired, ended, changed, other] = [
      await create(core),
      await create(core),
      await create(core),
      await create(foreign),
    ];
    await core.send("POST", "/v1/sessions/revoke", { body: { handles: [ended.session.handle] } });
    await core.send("PUT", `/v1/sessions/${changed.session.handle}/payload`, { body: { payload: { role: "none" } } });
    for (const token of ["x", "..", other.accessToken.token, ended.accessToken.token, changed.accessToken.token])
      expect(await introspect(core, token)).toEqual(INACTIVE);
    for (const { refreshToken } of [other, ended])
      expect(await introspect(core, refreshToken.token, "refresh_token")).toEqual(INACTIVE);
    clock.move(3_600_000);
    expect(await introspect(core, expired.accessToken.token)).toEqual(INACTIVE);
    const answer = await post(core, INTROSPECT, { token: "x" });
    expect(answer.text).toBe('{"active":false}');
  });
});

describe("revocation (RFC 7009)", () => {
  test.each(["accessToken", "refreshToken"])(
    "ends the session of its %s, whatever the hint, with a reason",
    async (kind) => {
      const core = await sharedCore();
      for (const hint of ["access_token", "refresh_token", "unknown"]) {
        const login = await create(core);
        const answer = await post(core, REVOKE, { token: login[kind].token as string, token_type_hint: hint });
        expect([answer.status, answer.text]).toEqual([200, ""]);
        const told = await core.send("GET", `/v1/sessions/${login.session.handle}/explanation`);
        expect(told.json).toMatchObject({ status: "ended", reason: "logout" });
        expect(JSON.stringify(told.json.events)).toContain("RFC 7009");
      }
    },
  );

  test("is 200 for what is unknown, foreign, or over", async () => {
    const core = await sharedCore();
    const { refreshToken } = await create(core);
    for (const token of ["x", "..", refreshToken.token, refreshToken.token, `${refreshToken.token}A`])
      expect((await post(core, REVOKE, { token })).status).toBe(200);
  });

  test("an old refresh token ends its session as a logout: no alarm", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { session, refreshToken } = await create(core);
    let held = refreshToken.token as string;
    for (let round = 0; round < 3; round += 1) {
      clock.move(60_000);
      held = (await core.send("POST", "/v1/sessions/refresh", { body: { refreshToken: held } })).json.refreshToken
        .token;
    }
    expect(await introspect(core, refreshToken.token, "refresh_token")).toEqual(INACTIVE);
    expect((await post(core, REVOKE, { token: refreshToken.token })).status).toBe(200);
    const { events } = (await core.send("GET", `/v1/events?handle=${session.handle}`)).json;
    expect(events).toMatchObject([{ type: "session_ended", reason: "logout" }]);
  });

  test("a JWT of the application is of an unsupported type", async () => {
    const core = await sharedCore();
    const body = { payload: {}, algorithm: "RS256", jwksDomain: "http://localhost", validity: 60 };
    const headers = { "cdi-version": "5.4" };
    const { jwt } = (await core.send("POST", "/recipe/jwt", { headers, body: { ...body, useStaticSigningKey: true } }))
      .json;
    const answer = await post(core, REVOKE, { token: jwt as string });
    expect([answer.status, answer.json.error]).toEqual([400, "unsupported_token_type"]);
    expect(await introspect(core, jwt as string)).toEqual(INACTIVE);
  });
});

describe("with an issuer and an audience (RFC 9068)", () => {
  const issuer = "https://sessions.example.com";
  const audience = ["https://api.example.com", "billing"];

  test.each(["ES256", "RS256"] as const)(
    "introspection tells what the token says, signed with %s",
    async (signingAlgorithm) => {
      const core = await listen({ policy: { issuer, audience, signingAlgorithm } });
      const { accessToken, refreshToken } = await create(core);
      const { header, payload } = decodeJwt(accessToken.token as string);
      expect(header).toMatchObject({ typ: "at+jwt", alg: signingAlgorithm });
      const { iss, aud, client_id, jti } = payload;
      expect({ iss, aud, client_id }).toEqual({ iss: issuer, aud: audience, client_id: audience[0] });
      expect(await introspect(core, accessToken.token as string)).toMatchObject({
        active: true,
        iss,
        aud,
        client_id,
        jti,
      });
      const told = await introspect(core, refreshToken.token as string, "refresh_token");
      expect(told).toMatchObject({ active: true, iss: issuer });
      expect(told).not.toHaveProperty("aud");
    },
  );

  test("a token of before they were configured is inactive, its refresh token is not, and brings one", async () => {
    const storage = `sqlite:${await testFolder()}/sessions.db`;
    const before = await listen({ storage });
    const { accessToken, refreshToken } = await create(before);
    await before.close();
    const core = await listen({ storage, policy: { issuer, audience } });
    expect(await introspect(core, accessToken.token as string)).toEqual(INACTIVE);
    const verify = await core.send("POST", "/v1/sessions/verify", { body: { accessToken: accessToken.token } });
    expect(verify.json).toMatchObject({ code: "try_refresh_token" });
    const body = { refreshToken: refreshToken.token };
    const refreshed = (await core.send("POST", "/v1/sessions/refresh", { body })).json;
    expect(await introspect(core, refreshed.accessToken.token as string)).toMatchObject({
      active: true,
      aud: audience,
    });
  });

  test("documented forms stay as they are, and are accepted", async () => {
    const core = await listen({ policy: { issuer, audience } });
    for (const form of ["v1", "v5"]) {
      const { accessToken } = await create(core, { form });
      const { header, payload } = decodeJwt(accessToken.token as string);
      expect([header["typ"], payload["iss"], payload["aud"]]).toEqual(["JWT", undefined, undefined]);
      expect(await introspect(core, accessToken.token as string)).toMatchObject({ active: true });
    }
  });

  test.each([
    [issuer, "/.well-known/oauth-authorization-server"],
    [`${issuer}/`, "/.well-known/oauth-authorization-server"],
    [`${issuer}/pawl/eu`, "/.well-known/oauth-authorization-server/pawl/eu"],
    ["http://localhost:3567", "/.well-known/oauth-authorization-server"],
  ])("the metadata of %s stands at %s (RFC 8414)", async (issuer, path) => {
    const core = await listen({ policy: { issuer, audience }, apiKeys: [KEY] });
    const answer = await core.send("GET", path);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
    expect(compileValidator(oauthRoutes.authorizationServer.success)(answer.json)).toBeUndefined();
    const base = issuer.replace(/\/$/, "");
    expect(answer.json).toEqual({
      issuer,
      jwks_uri: `${base}/v1/jwks`,
      introspection_endpoint: `${base}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ["Bearer", "client_secret_basic"],
      revocation_endpoint: `${base}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ["client_secret_basic"],
      response_types_supported: [],
    });
    expect((await core.send("GET", `${path}/other`)).status).not.toBe(200);
    expect((await core.send("POST", path)).status).toBe(405);
  });

  test("without them there is no metadata; without keys no way to authenticate is named", async () => {
    const path = "/.well-known/oauth-authorization-server";
    expect((await (await sharedCore()).send("GET", path)).status).toBe(404);
    const core = await listen({ policy: { issuer, audience } });
    expect((await core.send("GET", path)).json).toMatchObject({
      introspection_endpoint_auth_methods_supported: ["none"],
      revocation_endpoint_auth_methods_supported: ["none"],
    });
  });

  test("an SDK learns of them with the settings", async () => {
    const core = await listen({ policy: { issuer, audience } });
    expect((await ask(core, "settings")).json).toMatchObject({ issuer, audience });
  });
});

describe("who may ask", () => {
  const basic = (key: string): string => `Basic ${Buffer.from(`gateway:${key}`).toString("base64")}`;
  const keyed = () => listen({ apiKeys: [KEY], verifierApiKeys: [VERIFIER_KEY] });

  test("without a key: 401 with the ways to send one, and nothing is said or done", async () => {
    const core = await keyed();
    const { accessToken } = await core.engine.createSession({ userId: "u" as never, form: "pawl" });
    for (const path of [INTROSPECT, REVOKE])
      for (const headers of [
        {},
        { authorization: "Bearer wrong" },
        { authorization: basic("wrong") },
        { authorization: `Bearer ${accessToken.token}` },
      ]) {
        const answer = await post(core, path, { token: accessToken.token }, headers);
        expect([answer.status, answer.json.error]).toEqual([401, "invalid_client"]);
        expect(answer.headers["www-authenticate"]).toBe('Bearer realm="pawl", Basic realm="pawl"');
      }
    expect((await core.engine.verifyAccessToken({ accessToken: accessToken.token })).kind).toBe("valid");
  });

  test("a key comes as api-key, bearer token, or password", async () => {
    const core = await keyed();
    for (const key of [KEY, VERIFIER_KEY])
      for (const headers of [
        { "api-key": key },
        { authorization: `Bearer ${key}` },
        { authorization: basic(key) },
        { authorization: basic(encodeURIComponent(key)) },
      ])
        expect((await post(core, INTROSPECT, { token: "x" }, headers)).text).toBe('{"active":false}');
  });

  test("the key of a verifier is good for verifying alone", async () => {
    const core = await keyed();
    const headers = { "api-key": VERIFIER_KEY };
    expect((await core.send("GET", "/v1/settings", { headers })).status).toBe(200);
    const verify = await core.send("POST", "/v1/sessions/verify", { headers, body: { accessToken: "x" } });
    expect(verify.json).toMatchObject({ code: "try_refresh_token" });
    expect((await post(core, REVOKE, { token: "x" }, headers)).status).toBe(401);
    for (const [method, path] of [
      ["POST", "/v1/sessions"],
      ["GET", "/v1/sessions"],
      ["POST", "/v1/sessions/refresh"],
      ["POST", "/v1/sessions/revoke"],
      ["GET", "/v1/events"],
      ["POST", "/v1/keys/rotate"],
      ["GET", "/v1/none"],
      ["POST", "/session"],
      ["POST", "/recipe/session"],
    ] as const)
      expect([path, (await core.send(method, path, { headers, body: {} })).status]).toEqual([path, 401]);
  });

  test("no web page, with a key neither", async () => {
    const core = await keyed();
    const headers = { "api-key": KEY, origin: "https://evil.example" };
    const answer = await post(core, INTROSPECT, { token: "x" }, headers);
    expect([answer.status, answer.json.error]).toEqual([403, "access_denied"]);
  });
});

describe("bad input is refused as RFC 6749 section 5.2 says", () => {
  const FORM_TYPE = FORM["content-type"];
  test.each([
    ["no token", 400, "token_type_hint=access_token", FORM_TYPE],
    ["nothing", 400, "", FORM_TYPE],
    ["a token without value", 400, "token=", FORM_TYPE],
    ["a token twice", 400, "token=x&token=x", FORM_TYPE],
    ["a hint twice", 400, "token=x&token_type_hint=a&token_type_hint=b", FORM_TYPE],
    ["an unknown parameter twice", 400, "token=x&a=1&a=1", FORM_TYPE],
    ["JSON", 415, '{"token":"x"}', "application/json"],
    ["a text", 415, "token=x", "text/plain"],
    ["no content type", 415, "token=x", ""],
    ["multipart", 415, "token=x", "multipart/form-data; boundary=x"],
    ["a larger form than a token needs", 413, `token=${"x".repeat(131_072)}`, FORM_TYPE],
    ["a megabyte", 413, `token=${"x".repeat(1_000_000)}`, FORM_TYPE],
    ["more than a megabyte", 413, `token=${"x".repeat(1_100_000)}`, FORM_TYPE],
    ["a megabyte of parameters", 413, "a&".repeat(500_000), FORM_TYPE],
  ])("%s: %i", async (_, status, body, type) => {
    const core = await sharedCore();
    const headers = { "content-type": type };
    for (const path of [INTROSPECT, REVOKE]) {
      const answer = await core.send("POST", path, { headers, body });
      expect([answer.status, answer.json.error, answer.headers["cache-control"]]).toEqual([
        status,
        "invalid_request",
        "no-store",
      ]);
      expect(answer.json.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    }
  });

  test("what is no UTF-8", async () => {
    const core = await sharedCore();
    const answer = await core.send("POST", INTROSPECT, { headers: FORM, body: Buffer.from("token=\xff", "latin1") });
    expect([answer.status, answer.json.error]).toEqual([400, "invalid_request"]);
  });

  test("other methods, and a token in the query", async () => {
    const core = await sharedCore();
    const { accessToken } = await create(core);
    for (const path of [INTROSPECT, REVOKE])
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await core.send(method, `${path}?token=${accessToken.token}`);
        expect([answer.status, answer.headers["allow"], answer.json.error]).toEqual([405, "POST", "invalid_request"]);
      }
    const answer = await core.send("POST", `${INTROSPECT}?token=${accessToken.token}`, { headers: FORM, body: "" });
    expect(answer.status).toBe(400);
    expect((await core.send("GET", "/oauth/none")).json).toMatchObject({ error: "invalid_request" });
  });

  test("other parameters are passed over, and a charset", async () => {
    const core = await sharedCore();
    const { accessToken } = await create(core);
    const answer = await core.send("POST", INTROSPECT, {
      headers: { "content-type": "Application/x-www-form-urlencoded; charset=UTF-8" },
      body: `client_id=a&token=${accessToken.token}&x=`,
    });
    expect(answer.json).toMatchObject({ active: true });
  });
});

test("without storage nothing is known: 503, never inactive, and nothing counts as revoked", async () => {
  const core = await listen({ logLevel: "none" });
  const { accessToken, refreshToken } = await create(core);
  await core.engine.storage.close();
  for (const [path, parameters] of [
    [INTROSPECT, { token: accessToken.token as string }],
    [INTROSPECT, { token: refreshToken.token as string, token_type_hint: "refresh_token" }],
    [REVOKE, { token: accessToken.token as string }],
    [REVOKE, { token: refreshToken.token as string }],
  ] as const) {
    const answer = await post(core, path, parameters);
    expect([answer.status, answer.headers["retry-after"], answer.json.error]).toEqual([
      503,
      "1",
      "temporarily_unavailable",
    ]);
    expect(answer.text).not.toContain("active");
  }
});
