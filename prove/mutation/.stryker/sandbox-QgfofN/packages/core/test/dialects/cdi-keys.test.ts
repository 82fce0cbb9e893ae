import { describe, expect, test } from "vitest";
import { decodeJwt } from "../decoded-jwt.js";
import { type Answer, listen, movableClock, sharedCore } from "../listening-core.js";
import { at, create, expectText, refresh, verify, WEEK } from "./cdi-requests.js";

const NEVER = "9223372036854775807";

describe("keys", () => {
  const headerOf = (answer: { readonly accessToken: { readonly token: string } }) =>
    decodeJwt(answer.accessToken.token).header;

  test("RS256 unless the operator chose, also beside our own API's ES256", async () => {
    const core = await sharedCore();
    expect(headerOf((await create(core)).json)).toMatchObject({ alg: "RS256", kid: expect.stringMatching(/^d-\d+$/) });
    await core.send("POST", "/v1/sessions", { body: { userId: "u" } });
    const { keys } = (await core.send("GET", "/recipe/jwt/jwks")).json;
    expect(keys.map(({ kty, alg, use }: Record<string, string>) => [kty, alg, use])).toEqual([
      ["RSA", "RS256", "sig"],
      ["RSA", "RS256", "sig"],
    ]);
    expect(keys.map(({ kid }: Record<string, string>) => kid?.slice(0, 2))).toEqual(["d-", "s-"]);
    expect(Object.keys(keys[0]).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
  });

  test("the set is whole before anything was signed, and is kept until the next key is due", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    clock.move(1000);
    const ask = (): Promise<Answer> => core.send("GET", "/.well-known/jwks.json");
    const first = await ask();
    expect(first.json.keys).toHaveLength(2);
    expect(first.json).not.toHaveProperty("status");
    expect(first.headers["cache-control"]).toBe(`max-age=${(WEEK - 60_000) / 1000}, must-revalidate`);
    expect(headerOf((await create(core)).json)["kid"]).toBe(first.json.keys[0].kid);
    clock.move(WEEK - 61_500);
    expect((await ask()).headers["cache-control"]).toBe("max-age=1, must-revalidate");
    clock.move(30 * 60_000);
    expect((await ask()).headers["cache-control"]).toBe("max-age=1, must-revalidate");
    await core.engine.maintainSigningKeys();
    const second = await ask();
    expect(second.json.keys).toHaveLength(3);
    expect(second.headers["cache-control"]).toBe(`max-age=${WEEK / 1000}, must-revalidate`);
    // Newest first; the new one is published before it signs.
    expect(second.json.keys[1]).toEqual(first.json.keys[0]);
    expect(headerOf((await create(core)).json)["kid"]).toBe(first.json.keys[0].kid);
    clock.move(60_001);
    expect(headerOf((await create(core)).json)["kid"]).toBe(second.json.keys[0].kid);
  });

  test("a handshake lists every key that may still be needed, newest first", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    clock.move(1000);
    const ask = async () => (await core.send("POST", "/recipe/handshake", { ...at("2.13"), body: {} })).json;
    const before = await ask();
    clock.move(WEEK - 60_000);
    await core.engine.maintainSigningKeys();
    const during = await ask();
    expect(during.jwtSigningPublicKey).toBe(before.jwtSigningPublicKey);
    expect(during.jwtSigningPublicKeyExpiryTime).toBe(during.jwtSigningPublicKeyList[0].createdAt + 60_000);
    expect(during.jwtSigningPublicKeyList.slice(1)).toEqual(before.jwtSigningPublicKeyList);
    clock.move(60_001);
    expect((await ask()).jwtSigningPublicKey).toBe(during.jwtSigningPublicKeyList[0].publicKey);
  });

  test("with access_token_signing_key_dynamic: false there is one key for ever", async () => {
    const core = await listen({ keyKind: "static" });
    const isStatic = { kid: expect.stringMatching(/^s-/) };
    for (const version of ["2.21", "3.0", "5.4"])
      expect(headerOf((await create(core, version)).json)).toMatchObject(isStatic);
    expect(headerOf((await create(core, "5.4", { useDynamicSigningKey: true })).json)["kid"]).toMatch(/^d-/);
    const handshake = await core.send("POST", "/recipe/handshake", { ...at("2.13"), body: {} });
    expect(handshake.text).toContain(`"jwtSigningPublicKeyExpiryTime":${NEVER},`);
    expect(handshake.text).toContain(`"expiryTime":${NEVER},`);
    expect(handshake.json.jwtSigningPublicKeyList).toHaveLength(1);
    // Whoever knows one kind of key makes it the session's.
    const session = (await create(core, "5.4", { useDynamicSigningKey: true })).json;
    const old = await refresh(core, session.refreshToken.token, {}, "2.13");
    expect(await verify(core, old.accessToken.token, {}, "2.13")).toMatchObject({ status: "OK" });
  });

  test("ES256 by choice refuses the versions that cannot have it", async () => {
    const config = {
      cdiSigningAlgorithm: "ES256",
      cdi1: { enabled: false, withoutKey: false, keyKind: "static" },
    } as const;
    const core = await listen(config);
    const { versions } = (await core.send("GET", "/apiversion")).json;
    expect(versions).toEqual(["2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4"]);
    const text = "cdi-version 2.15 is lower than the minimum allowed version 2.21";
    expectText(await create(core, "2.15"), 400, text);
    expectText(await create(core, "2.8"), 400, "cdi-version 2.8 not supported");
    const session = (await create(core, "2.21")).json;
    expect(headerOf(session)).toMatchObject({ alg: "ES256", version: "3" });
    expect(headerOf(await refresh(core, session.refreshToken.token))).toMatchObject({ alg: "ES256", version: "5" });
    const { keys } = (await core.send("GET", "/.well-known/jwks.json")).json;
    expect(keys.map(({ crv }: Record<string, string>) => crv)).toEqual(["P-256", "P-256"]);
    const jwt = (algorithm: string): Promise<Answer> =>
      core.send("POST", "/recipe/jwt", { body: { algorithm, jwksDomain: "d", payload: {}, validity: 1 } });
    expect((await jwt("RS256")).json).toEqual({ status: "UNSUPPORTED_ALGORITHM_ERROR" });
    expect((await jwt("ES256")).json.status).toBe("OK");
    expectText(await core.send("POST", "/session", { body: {} }), 404, "Not found");
  });

  test("POST /recipe/jwt signs what is no session", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const good = {
      algorithm: "rs256",
      jwksDomain: "https://api",
      payload: { sub: "u", é: 1 },
      validity: 3_153_600_000,
    };
    const ask = (more: object = {}): Promise<Answer> =>
      core.send("POST", "/recipe/jwt", { body: { ...good, ...more } });
    const { jwt } = (await ask()).json;
    const iat = Math.floor(clock.now() / 1000);
    expect(decodeJwt(jwt)).toEqual({
      header: { alg: "RS256", typ: "JWT", kid: expect.stringMatching(/^s-/) },
      payload: { iss: "https://api", sub: "u", é: 1, iat, exp: iat + good.validity },
    });
    expect(decodeJwt((await ask({ useStaticSigningKey: false })).json.jwt).header["kid"]).toMatch(/^d-/);
    expect(decodeJwt((await ask({ payload: { iss: "mine" } })).json.jwt).payload["iss"]).toBe("mine");
    expect((await ask({ algorithm: "HS256" })).json).toEqual({ status: "UNSUPPORTED_ALGORITHM_ERROR" });
    for (const validity of [0, -1])
      expectText(await ask({ validity }), 400, "validity must be greater than or equal to 0");
    for (const [name, value] of [
      ["algorithm", 1],
      ["jwksDomain", null],
      ["payload", []],
      ["validity", 1.5],
      ["validity", "1"],
      ["useStaticSigningKey", "x"],
    ] as const)
      expectText(await ask({ [name]: value }), 400, `Field name '${name}' is invalid in JSON input`);
    for (const claim of ["sessionHandle", "refreshTokenHash1", "rsub"])
      expectText(await ask({ payload: { [claim]: "x" } }), 400, "The user payload contains protected field");
    expect(await verify(core, jwt)).toMatchObject({ status: "TRY_REFRESH_TOKEN" });
    const body = { accessToken: jwt };
    expect((await core.send("POST", "/recipe/session/regenerate", { body })).json).toMatchObject({
      status: "UNAUTHORISED",
    });
  });
});
