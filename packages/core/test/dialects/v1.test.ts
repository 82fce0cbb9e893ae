import { openApi, type Route, type RouteName, type RouteResponse, routes } from "@pawl/protocol";
import type { EventType } from "@pawl/storage";
import { describe, expect, expectTypeOf, test } from "vitest";
import { eventBody } from "../../src/dialects/v1/answers.js";
import { createV1Dialect } from "../../src/dialects/v1/v1-dialect.js";
import type { Operation } from "../../src/server/dialect.js";
import { listen, movableClock } from "../listening-core.js";
import { ask, create, expectProblem, WHY } from "./v1-requests.js";

describe("sessions", () => {
  test("create answers 201 with tokens, and keeps what was given", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const given = { payload: { role: "admin", none: null }, data: { note: [null] }, device: "Firefox", address: "::1" };
    const answer = await ask(core, "createSession", { body: { userId: "user-1", tenantId: "t1", ...given } });
    expect([answer.status, answer.headers["cache-control"]]).toEqual([201, "no-store"]);
    const { session, accessToken, refreshToken, antiCsrfToken } = answer.json;
    expect(session).toEqual({
      handle: expect.stringMatching(/_t1$/) as string,
      tenantId: "t1",
      userId: "user-1",
      payload: given.payload,
      payloadVersion: 0,
      auth: { at: clock.now(), methods: [] },
    });
    expect(accessToken).toMatchObject({ expiry: clock.now() + 3_600_000 });
    expect(refreshToken).toMatchObject({ expiry: clock.now() + 8_640_000_000, createdTime: clock.now() });
    expect(antiCsrfToken).toEqual(expect.any(String));
    const got = await ask(core, "getSession", { path: `/v1/sessions/${session.handle}` });
    expect(got.json).toEqual({
      handle: session.handle as string,
      tenantId: "t1",
      userId: "user-1",
      ...given,
      payloadVersion: 0,
      auth: { at: clock.now(), methods: [] },
      createdAt: clock.now(),
      lastActiveAt: clock.now(),
      expiresAt: clock.now() + 8_640_000_000,
    });
  });

  test("access tokens are signed with the configured algorithm and kind of key, version 1 on request", async () => {
    const core = await listen();
    const header = (token: string) =>
      JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64").toString()) as Record<string, string>;
    const fresh = await create(core);
    expect(header(fresh.accessToken.token)).toMatchObject({
      alg: "ES256",
      version: "pawl",
      kid: expect.stringMatching(/^d-/) as string,
    });
    expect(header((await create(core, { form: "v5" })).accessToken.token)).toMatchObject({ version: "5" });
    const old = await create(core, { form: "v1" });
    expect(header(old.accessToken.token)).toEqual({ alg: "RS256", typ: "JWT", version: "1" });
    const still = await listen({ keyKind: "static" });
    expect(header((await create(still)).accessToken.token)).toMatchObject({
      alg: "ES256",
      kid: expect.stringMatching(/^s-/) as string,
    });
  });

  test("refresh turns the token, theft is 401 with who was robbed", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const first = await create(core, { tenantId: "t1" });
    const turn = async (refreshToken: string) => ask(core, "refreshSession", { body: { refreshToken } });
    clock.move(31_000);
    const second = await turn(first.refreshToken.token);
    expect([second.status, second.json.session]).toEqual([200, first.session]);
    expect(Object.keys(second.json).toSorted()).toEqual([
      "accessToken",
      "antiCsrfToken",
      "minted",
      "refreshToken",
      "session",
    ]);
    clock.move(31_000);
    await turn(second.json.refreshToken.token);
    clock.move(31_000);
    expectProblem(await turn(first.refreshToken.token), "token_theft_detected", {
      sessionHandle: first.session.handle as string,
      userId: "user-1",
      tenantId: "t1",
    });
    expectProblem(await turn(second.json.refreshToken.token), "unauthorised");
    expectProblem(await turn("garbage"), "unauthorised", WHY);
  });

  test("of duplicate refresh tokens the newest counts: a stale one beside it is no theft", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const stale = (await create(core)).refreshToken.token as string;
    const turn = async (refreshToken: string, otherRefreshTokens: readonly string[]) =>
      ask(core, "refreshSession", { body: { refreshToken, otherRefreshTokens } });
    clock.move(31_000);
    const second = (await turn(stale, [])).json.refreshToken.token as string;
    clock.move(31_000);
    const third = (await turn("garbage", [second, stale])).json.refreshToken.token as string;
    clock.move(31_000);
    expect((await turn(stale, [third])).status).toBe(200);
    expect(
      (
        await turn(
          third,
          Array.from({ length: 8 }, () => stale),
        )
      ).status,
    ).toBe(200);
    expectProblem(await turn("garbage", [stale]), "token_theft_detected");
  });

  test("refresh compares the anti-CSRF token when told to", async () => {
    const core = await listen();
    const { refreshToken, antiCsrfToken } = await create(core);
    const turn = async (more: object) =>
      (await ask(core, "refreshSession", { body: { refreshToken: refreshToken.token as string, ...more } })).status;
    expect(await turn({ enableAntiCsrf: true })).toBe(401);
    expect(await turn({ enableAntiCsrf: true, antiCsrfToken })).toBe(200);
    expect(await turn({})).toBe(200);
  });

  test("verify tells what the token says, and follows revocation", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { accessToken, session, antiCsrfToken } = await create(core, { payload: { a: 1 } });
    const check = async (more: object = {}) =>
      ask(core, "verifySession", { body: { accessToken: accessToken.token as string, ...more } });
    expect((await check()).json).toEqual({
      session,
      issuedAt: expect.any(Number) as number,
      expiresAt: accessToken.expiry as number,
    });
    expect((await check({ doAntiCsrfCheck: true, antiCsrfToken })).status).toBe(200);
    expectProblem(await check({ doAntiCsrfCheck: true }), "try_refresh_token");
    expectProblem(await check({ accessToken: "garbage" }), "try_refresh_token", WHY);
    expect((await check({ checkDatabase: true })).status).toBe(200);
    await ask(core, "revokeSessions", { body: { handles: [session.handle] } });
    expectProblem(await check(), "unauthorised");
  });

  test("regenerate gives the new payload, and stores it", async () => {
    const core = await listen();
    const { accessToken, session } = await create(core, { payload: { a: 1 } });
    const body = { accessToken: accessToken.token as string, payload: { b: 2 } };
    const answer = await ask(core, "regenerateSession", { body });
    expect(answer.json).toMatchObject({
      session: { payload: { b: 2 } },
      accessToken: { expiry: accessToken.expiry as number },
    });
    const stored = await ask(core, "getSession", { path: `/v1/sessions/${session.handle}` });
    expect(stored.json.payload).toEqual({ b: 2 });
    expectProblem(await ask(core, "regenerateSession", { body: { accessToken: "garbage" } }), "unauthorised", WHY);
    const payload = { sub: "somebody else" };
    expectProblem(await ask(core, "regenerateSession", { body: { ...body, payload } }), "invalid_input");
  });

  test("use reports confirm a rotation, and anything odd in them changes nothing", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { refreshToken, session } = await create(core);
    clock.move(31_000);
    await ask(core, "refreshSession", { body: { refreshToken: refreshToken.token as string } });
    clock.move(31_000);
    const uses = [
      { handle: session.handle as string, seq: 1, issuedAt: clock.now() - 31_000 },
      { handle: "none", seq: 1, issuedAt: 0 },
    ];
    expect((await ask(core, "reportUses", { body: { uses } })).status).toBe(204);
    const theft = await ask(core, "refreshSession", { body: { refreshToken: refreshToken.token as string } });
    expectProblem(theft, "token_theft_detected");
  });

  test("revokes by handles, by user but one, and by tenant, with the reason in the audit trail", async () => {
    const core = await listen();
    const mine = [await create(core), await create(core), await create(core)].map(
      ({ session }) => session.handle as string,
    );
    const other = (await create(core, { userId: "user-2" })).session.handle as string;
    const tenants = [await create(core, { tenantId: "t1" }), await create(core, { tenantId: "t1" })].map(
      ({ session }) => session.handle as string,
    );
    const revoke = async (body: object) =>
      ((await ask(core, "revokeSessions", { body })).json.revoked as string[]).toSorted();
    expect(await revoke({ handles: [mine[0], "none", mine[0]], reason: "logout", detail: "button" })).toEqual([
      mine[0],
    ]);
    expect(await revoke({ userId: "user-1", except: mine[1] })).toEqual([mine[2]]);
    const some = (await ask(core, "revokeSessions", { body: { allOfTenant: "t1", limit: 1 } })).json;
    const others = tenants.filter((handle) => handle !== some.revoked[0]);
    expect(others).toHaveLength(1);
    const next = { allOfTenant: "t1", limit: 1, after: some.next, reason: "revoked_by_admin" };
    expect((await ask(core, "revokeSessions", { body: next })).json).toEqual({ revoked: others });
    expect(await revoke({ allOfTenant: "t1" })).toEqual([]);
    for (const limit of [0, 1.5, 1001])
      expect((await ask(core, "revokeSessions", { body: { allOfTenant: "t1", limit } })).status).toBe(400);
    expect(await revoke({ handles: [] })).toEqual([]);
    const listed = (await ask(core, "listSessionHandles", { path: "/v1/sessions/handles?userId=user-1" })).json;
    expect(listed).toEqual({ handles: [mine[1]] });
    expect((await ask(core, "getSession", { path: `/v1/sessions/${other}` })).status).toBe(200);

    const ended = await ask(core, "listEvents", { path: `/v1/events?handle=${mine[0]}&type=session_ended` });
    const [event] = ended.json.events as object[];
    expect(event).toMatchObject({ userId: "user-1", reason: "logout", count: 1, detail: { by: "button" } });
    expect(ended.json).toEqual({ events: [{ ...event, handle: mine[0] }] });
    const handlesOf = async (query: string) =>
      ((await ask(core, "listEvents", { path: `/v1/events?${query}` })).json.events as { handle: string }[])
        .map(({ handle }) => handle)
        .toSorted();
    expect(await handlesOf("userId=user-1&tenantId=public")).toEqual([mine[0], mine[2]].toSorted());
    expect(await handlesOf("tenantId=t1&type=session_ended")).toEqual(tenants.toSorted());
    expect(await handlesOf("userId=user-2")).toEqual([]);
    expect(await handlesOf("type=session_ended")).toEqual([mine[0], mine[2], ...tenants].toSorted());
    const explained = await ask(core, "explainSession", { path: `/v1/sessions/${others[0]}/explanation` });
    expect(explained.json).toMatchObject({ status: "ended", reason: "revoked_by_admin" });
    expect(explained.json.events).toMatchObject([{ handle: others[0], tenantId: "t1" }]);
    const unknown = await ask(core, "explainSession", { path: "/v1/sessions/none/explanation" });
    expect(unknown.json).toMatchObject({ status: "unknown", events: [] });
  });

  test("pages through sessions and events", async () => {
    const core = await listen();
    const made = new Set<string>();
    for (let index = 0; index < 7; index++) made.add((await create(core)).session.handle as string);
    const seen: string[] = [];
    let after = "";
    do {
      const page = (await ask(core, "listSessions", { path: `/v1/sessions?limit=3&userId=user-1${after}` })).json;
      expect(page.sessions.length).toBeLessThanOrEqual(3);
      seen.push(...(page.sessions as { handle: string }[]).map(({ handle }) => handle));
      after = page.next === undefined ? "" : `&after=${encodeURIComponent(page.next as string)}`;
    } while (after !== "");
    expect(new Set(seen)).toEqual(made);
    expect(seen).toHaveLength(7);

    await ask(core, "revokeSessions", { body: { userId: "user-1" } });
    const first = (await ask(core, "listEvents", { path: "/v1/events?limit=4&type=session_ended" })).json;
    const rest = (
      await ask(core, "listEvents", {
        path: `/v1/events?type=session_ended&after=${encodeURIComponent(first.next as string)}`,
      })
    ).json;
    const keys = [...first.events, ...rest.events].map((event: { key: string }) => event.key);
    expect([keys.length, new Set(keys).size]).toEqual([7, 7]);
  });

  test("data and payload are replaced, of a live session only", async () => {
    const core = await listen();
    const { handle } = (await create(core)).session;
    const put = async (of: string, what: "data" | "payload", body: unknown) =>
      ask(core, what === "data" ? "updateSessionData" : "updatePayload", { path: `/v1/sessions/${of}/${what}`, body });
    expect((await put(handle, "data", { data: { a: null } })).status).toBe(204);
    expect((await put(handle, "payload", { payload: { b: 1 } })).json).toMatchObject({ handle, payloadVersion: 1 });
    const got = await ask(core, "getSession", { path: `/v1/sessions/${handle}` });
    expect(got.json).toMatchObject({ data: { a: null }, payload: { b: 1 } });
    expectProblem(await put("none", "data", { data: {} }), "session_not_found");
    expectProblem(await put("none", "payload", { payload: {} }), "session_not_found");
    const large = { data: { a: "x".repeat(900_000) } };
    expect((await put(handle, "data", large)).status).toBe(204);
  });
});

describe("what is not of the documented form", () => {
  test("is a problem that names the member and never quotes a value", async () => {
    const core = await listen();
    const cases: readonly (readonly [RouteName, unknown, RegExp])[] = [
      ["createSession", {}, /userId/],
      ["createSession", { userId: 1 }, /^userId: must be string/],
      ["createSession", { userId: "" }, /^userId/],
      ["createSession", { userId: "u", payload: [] }, /^payload: must be object/],
      ["createSession", { userId: "u", payload: null }, /^payload: must be object/],
      ["createSession", { userId: "u", data: "canary-7" }, /^data: must be object/],
      ["createSession", { userId: "u", form: "v2" }, /^form/],
      ["createSession", { userId: "u", more: "canary-7" }, /additional/],
      ["createSession", { userId: "u", tenantId: "Not a tenant" }, /tenantId/],
      ["createSession", { userId: "u", payload: { sub: "canary-7" } }, /sub/],
      ["createSession", { userId: "a\u0000" }, /U\+0000/],
      ["refreshSession", {}, /refreshToken/],
      ["refreshSession", { refreshToken: ["canary-7"] }, /^refreshToken: must be string/],
      ["refreshSession", { refreshToken: "t", otherRefreshTokens: "canary-7" }, /^otherRefreshTokens: must be array/],
      ["refreshSession", { refreshToken: "t", otherRefreshTokens: Array(9).fill("canary-7") }, /^otherRefreshTokens/],
      ["adoptSession", { userId: "u", until: 1 }, /former/],
      ["adoptSession", { former: "", userId: "u", until: 1 }, /^former/],
      ["adoptSession", { former: "x".repeat(32_769), userId: "u", until: 1 }, /^former/],
      ["adoptSession", { former: "canary-7", userId: "", until: 1 }, /^userId/],
      [
        "adoptSession",
        { former: "canary-7", userId: "é".repeat(257), until: 1 },
        /^userId must have at most 512 bytes/,
      ],
      ["adoptSession", { former: "canary-7", userId: "u" }, /until/],
      ["adoptSession", { former: "canary-7", userId: "u", until: -1 }, /^until/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1.5 }, /^until: must be integer/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1e300 }, /^until/],
      ["adoptSession", { former: "canary-7", userId: "u", until: "2027-01-01" }, /^until: must be integer/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1, createdAt: -1 }, /^createdAt/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1, payload: { sub: "canary-7" } }, /sub/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1, tenantId: "Not a tenant" }, /tenantId/],
      ["adoptSession", { former: "canary-7", userId: "u", until: 1, proof: "p" }, /additional/],
      ["refuseAdoption", { former: "canary-7", userId: "u" }, /until/],
      ["refuseAdoption", { former: "canary-7", userId: "u", until: 1, reason: "revoked_by_admin" }, /^reason/],
      ["refuseAdoption", { former: "canary-7", userId: "u", until: 1, payload: {} }, /additional/],
      ["verifySession", { accessToken: null }, /^accessToken: must be string/],
      ["verifySession", { accessToken: "t", doAntiCsrfCheck: "true" }, /^doAntiCsrfCheck: must be boolean/],
      ["reportUses", { uses: {} }, /^uses: must be array/],
      ["reportUses", { uses: [{ handle: "h", seq: -1, issuedAt: 0 }] }, /^uses\.0\.seq/],
      ["reportUses", { uses: [{ handle: "h", seq: 1.5, issuedAt: 0 }] }, /^uses\.0\.seq/],
      ["revokeSessions", {}, /Exactly one of/],
      ["revokeSessions", { handles: ["h"], userId: "canary-7" }, /Exactly one of/],
      ["revokeSessions", { handles: ["h"], reason: "because" }, /Exactly one of/],
      ["rotateSigningKey", { algorithm: "none" }, /^algorithm/],
    ];
    for (const [name, body, detail] of cases) {
      const answer = await ask(core, name, { body });
      expectProblem(answer, "invalid_input", { detail: expect.stringMatching(detail) as string });
      expect(answer.text).not.toContain("canary-7");
    }
  });

  test("a query is checked as strictly", async () => {
    const core = await listen();
    for (const query of [
      "limit=0",
      "limit=501",
      "limit=1.5",
      "limit=ten",
      "limit=",
      "limit=1&limit=2",
      "more=1",
      `after=${"x".repeat(2049)}`,
    ])
      expectProblem(await core.send("GET", `/v1/sessions?${query}`), "invalid_input", WHY);
    const twice = await core.send("GET", "/v1/sessions?limit=1&limit=2");
    expect(twice.json).toMatchObject({ detail: "limit: must be given once" });
    expectProblem(await core.send("GET", "/v1/sessions/handles"), "invalid_input");
    expectProblem(await core.send("GET", "/v1/events?type=everything"), "invalid_input");
    expectProblem(await core.send("GET", "/v1/events?after=garbage"), "invalid_input");
    expect((await core.send("GET", "/v1/events?handle=none")).json).toEqual({ events: [] });
    // A user whom a CDI made.
    expect((await core.send("GET", "/v1/sessions?userId=")).json).toEqual({ sessions: [] });
  });

  test("a body must be a JSON object in UTF-8 and say so", async () => {
    const core = await listen();
    const send = async (body: string | Uint8Array, type?: string) =>
      core.send("POST", "/v1/sessions", { body, headers: type === undefined ? {} : { "content-type": type } });
    const json = "application/json";
    for (const body of ["", "{", "[]", "null", '"x"', "1", '{"userId":"u"}x', "\ufeff{}"])
      expectProblem(await send(body, json), "invalid_json");
    expectProblem(await send(Buffer.from([0x7b, 0xff, 0x7d]), json), "invalid_json");
    expectProblem(
      await send(`{"userId":"u","payload":{"a":${"[".repeat(5000)}${"]".repeat(5000)}}}`, json),
      "invalid_json",
    );
    for (const type of [
      undefined,
      "text/plain",
      "application/jsonp",
      "text/application/json",
      "application/x-www-form-urlencoded",
    ])
      expectProblem(await send('{"userId":"u"}', type), "unsupported_media_type");
    for (const type of ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=UTF-8"])
      expect((await send('{"userId":"u"}', type)).status).toBe(201);
  });

  test("a payload or data beyond its limit is told with sizes", async () => {
    const core = await listen();
    const payload = { a: "x".repeat(40_000) };
    const detail = expect.stringMatching(/40008 bytes/) as string;
    const create = await ask(core, "createSession", { body: { userId: "u", payload } });
    expectProblem(create, "payload_too_large", { detail });
    const adopt = await ask(core, "adoptSession", { body: { former: "f", userId: "u", until: 1, payload } });
    expectProblem(adopt, "payload_too_large", { detail });
  });
});

describe("paths, methods, and what may be cached", () => {
  test.each([
    ["GET", "/v1"],
    ["GET", "/v1/"],
    ["GET", "/v1/none"],
    ["GET", "/v1/Sessions"],
    ["GET", "/v1/sessions/"],
    ["GET", "/v1/sessions/h/none"],
    ["PUT", "/v1/sessions//data"],
    ["GET", "/v1/sessions/a/b/explanation"],
  ])("%s %s is not found", async (method, path) => {
    const core = await listen();
    expectProblem(await core.send(method, path), "not_found");
  });

  test.each([
    ["DELETE", "/v1/sessions", "GET, POST"],
    ["GET", "/v1/sessions/refresh", "POST"],
    ["PATCH", "/v1/sessions/h", "GET"],
    ["POST", "/v1/sessions/h/data", "PUT"],
    ["OPTIONS", "/v1/jwks", "GET"],
  ])("%s %s is not allowed, and Allow tells what is", async (method, path, allow) => {
    const core = await listen();
    const answer = await core.send(method, path);
    expectProblem(answer, "method_not_allowed");
    expect(answer.headers["allow"]?.toString().split(", ").toSorted().join(", ")).toBe(allow);
  });

  test("how sessions stand is told of those that are live", async () => {
    const core = await listen();
    const [one, ended, other] = [await create(core), await create(core), await create(core, { tenantId: "t1" })];
    await ask(core, "revokeSessions", { body: { handles: [ended.session.handle] } });
    await ask(core, "updatePayload", { path: `/v1/sessions/${one.session.handle}/payload`, body: { payload: {} } });
    const handles = [one, ended, other].map(({ session }) => session.handle);
    const answer = await ask(core, "liveSessions", { body: { handles: [...handles, "none"] } });
    expect(answer.json).toEqual({
      sessions: [
        { handle: handles[0], payloadVersion: 1, liveUntil: one.refreshToken.expiry },
        { handle: handles[2], payloadVersion: 0, liveUntil: other.refreshToken.expiry },
      ],
    });
    const many = Array.from({ length: 1001 }, () => "none");
    expectProblem(await core.send("POST", "/v1/sessions/live", { body: { handles: many } }), "invalid_input");
  });

  test("a handle in a path is decoded once, and must be decodable", async () => {
    const core = await listen();
    expectProblem(await core.send("GET", "/v1/sessions/%E0%A4%A"), "invalid_input");
    expectProblem(await core.send("GET", "/v1/sessions/%2e%2e%2fsessions"), "session_not_found");
    const { handle } = (await create(core)).session;
    const encoded = `%${handle.charCodeAt(0).toString(16)}${handle.slice(1)}`;
    expect((await core.send("GET", `/v1/sessions/${encoded}`)).status).toBe(200);
  });

  test("only the key set may be cached, shorter than a key is published before it signs", async () => {
    const core = await listen();
    const { handle } = (await create(core)).session;
    for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
      if (route.method !== "GET" || name === "watchRevocations") continue;
      const path = route.path.replace("{handle}", handle).replace("/handles", "/handles?userId=u");
      const answer = await ask(core, name, { path });
      expect([name, answer.headers["cache-control"]]).toEqual([
        name,
        name === "keySet" ? "public, max-age=30" : "no-store",
      ]);
    }
  });
});

describe("keys and settings", () => {
  test("the key set holds every public key and nothing private", async () => {
    const core = await listen();
    await create(core, { form: "v1" });
    await create(core);
    const { keys } = (await ask(core, "keySet")).json;
    expect(keys.map(({ alg }: { alg: string }) => alg).toSorted()).toEqual(["ES256", "RS256"]);
    for (const key of keys)
      for (const member of ["d", "p", "q", "dp", "dq", "qi"]) expect(key).not.toHaveProperty(member);
  });

  test("a rotation is published before it signs", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const rotated = await ask(core, "rotateSigningKey", { body: {} });
    expect(rotated.json).toMatchObject({ algorithm: "ES256", kind: "dynamic", status: "next" });
    expect(rotated.json.signsFrom).toBeGreaterThanOrEqual(clock.now() + 60_000);
    const kids = (await ask(core, "keySet")).json.keys.map(({ kid }: { kid: string }) => kid);
    expect(kids).toContain(rotated.json.kid);
    const listed = (await ask(core, "listSigningKeys")).json.keys;
    expect(listed.map(({ status }: { status: string }) => status)).toEqual(["next", "active"]);
  });

  test("settings are those of the configuration", async () => {
    const core = await listen({
      cookies: { domain: "example.com", secure: true, accessTokenPath: "/a", refreshApiPath: "/r" },
      policy: { enableAntiCsrf: false, checkDatabase: true },
    });
    expect((await ask(core, "settings")).json).toEqual({
      cookieDomain: "example.com",
      cookieSecure: true,
      accessTokenPath: "/a",
      refreshTokenPath: "/r",
      enableAntiCsrf: false,
      checkDatabase: true,
      deviceBinding: "off",
      accessTokenValidity: 3_600_000,
      reuseWindow: 30_000,
      activityInterval: 60_000,
    });
  });

  test("the description is the one of the schemas, with the version of the package", async () => {
    const core = await listen();
    const { json } = await ask(core, "openApi");
    expect(json).toEqual(JSON.parse(JSON.stringify(openApi(json.info.version as string))));
    expect(json.info.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("every route is served: none answers not found or not allowed", async () => {
    const core = await listen({ dashboard: true });
    for (const route of Object.values(routes) as Route[]) {
      if (route === routes.watchRevocations) continue;
      const answer = await core.send(route.method, route.path.replace("{handle}", "none"), { body: undefined });
      expect([route.path, [404, 405].includes(answer.status) && answer.json.code !== "session_not_found"]).toEqual([
        route.path,
        false,
      ]);
    }
  });
});

test("the event types of the API are those of the store", () => {
  expectTypeOf<RouteResponse<"listEvents">["events"][number]["type"]>().toEqualTypeOf<EventType>();
});

test("a problem that the log tells more of has the id of its line as its instance; every path below /v1 is ours", () => {
  const dialect = createV1Dialect({
    engine: { policy: {} } as never,
    webhooks: {} as never,
    config: {} as never,
    nodes: {} as never,
    version: "0",
    heartbeat: 1,
  });
  const accessOf = (path: string) => (dialect.find("GET", path) as { readonly operation: Operation }).operation.access;
  expect(["/v1/jwks", "/v1/settings", "/v1/keys"].map(accessOf)).toEqual(["open", "verifier", "full"]);
  expect(["/v1", "/v1/", "/v1/none", "/v10", "/", "/session/v1/"].map(dialect.owns)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  const reply = dialect.refuse("internal_error", { errorId: "1b4e28ba-2fa1-4ed2-883f-0016d3cca427" });
  expect(JSON.parse(String(reply.body))).toEqual({
    type: "urn:pawl:problem:internal_error",
    code: "internal_error",
    title: "Something unexpected happened; the log tells more",
    status: 500,
    instance: "urn:uuid:1b4e28ba-2fa1-4ed2-883f-0016d3cca427",
  });
});

test("an event of a tenant or of nobody has no handle", () => {
  for (const more of [{}, { tenantId: "t1" }]) {
    const event = { key: "k", at: 1, type: "signing_key_created", count: 1, ...more };
    expect(JSON.parse(JSON.stringify(eventBody(event as never)))).toEqual(event);
  }
});
