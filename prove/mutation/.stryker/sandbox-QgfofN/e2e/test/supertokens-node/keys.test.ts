import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { sdkVersions, versionsWith } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";
import type { Visitor } from "./visitor.js";

const letIn = () => "let in";
const kidOf = (token: string | undefined): string => String(decodeProtectedHeader(token ?? "").kid);
const isDynamic = (visitor: Visitor): boolean => kidOf(visitor.tokens.get("access")).startsWith("d-");

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

/** 9 makes no JWTs unless it is told to, and then puts one into every payload. */
const withJwt = { session: { jwt: { enable: true } } };

describe.each(sdkVersions)("JWTs of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core, sdk.features.has("claims") ? {} : withJwt);

  test("what it has signed verifies by the core's key set and by the application's", async () => {
    const { sdk: loaded, issuer } = setup();
    const jwt = await loaded.createJwt({ service: "billing" }, { seconds: 60 });
    for (const place of [`${core.url}/.well-known/jwks.json`, `${issuer}/jwt/jwks.json`]) {
      const { payload } = await jwtVerify(jwt, createRemoteJWKSet(new URL(place)), { algorithms: ["RS256"], issuer });
      expect(payload).toMatchObject({ service: "billing", iss: issuer });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    }
    expect(kidOf(jwt)).not.toMatch(/^d-/);
    const { keys } = await loaded.session.getJWKS();
    expect(keys.map(({ kid }) => kid)).toContain(kidOf(jwt));
  });

  test("it is no session", async () => {
    const { sdk: loaded, loggedIn, userId } = setup();
    const visitor = await loggedIn();
    visitor.replace("access", await loaded.createJwt({ sub: userId }));
    expect(await visitor.act(letIn)).toMatchObject({ status: 401 });
  });
});

describe.each(versionsWith("staticKey"))("signing keys of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  const setupStatic = sharedSetup(sdk, () => core, { session: { useDynamicAccessTokenSigningKey: false } });

  test("JWTs are signed with the kind of key that is asked for", async () => {
    const { sdk: loaded } = setup();
    expect(kidOf(await loaded.createJwt({}, { isStatic: false }))).toMatch(/^d-/);
    expect(kidOf(await loaded.createJwt({}, { isStatic: true }))).not.toMatch(/^d-/);
  });

  test("an application that wants the static key gets it, also after a refresh", async () => {
    const { loggedIn } = setupStatic();
    const visitor = await loggedIn();
    expect(isDynamic(visitor)).toBe(false);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    core.clock.advance(31_000);
    await visitor.refresh();
    expect(isDynamic(visitor)).toBe(false);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
  });

  test("a session from before the setting was changed refreshes", async () => {
    const [dynamic, unchanging] = [setup(), setupStatic()];
    const before = await dynamic.loggedIn();
    expect(isDynamic(before)).toBe(true);
    const after = unchanging.newVisitor();
    for (const name of ["access", "refresh"] as const) after.replace(name, before.tokens.get(name) ?? "");
    expect(await after.act(letIn)).toMatchObject({ status: 401, message: "try refresh token" });
    core.clock.advance(31_000);
    expect((await after.refresh()).status).toBe(200);
    // CDI 2.21 has no word for it at a refresh: the session keeps its kind of key, and 14.1.4 asks for a refresh again
    const isTold = sdk.cdi !== "2.21";
    expect(isDynamic(after)).toBe(!isTold);
    expect((await after.act(letIn)).status).toBe(isTold ? 200 : 401);
  });
});

describe.each(versionsWith("checkDatabase"))("checkDatabase of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  const checked = { options: { checkDatabase: true } };

  test("without it a revoked session goes on until its access token ends; with it, it ends at once", async () => {
    const { sdk: loaded, loggedIn, userId } = setup();
    const visitor = await loggedIn();
    expect(await visitor.act(letIn, checked)).toMatchObject({ status: 200 });
    await loaded.session.revokeAllSessionsForUser(userId);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    expect(await visitor.act(letIn, checked)).toMatchObject({ status: 401, message: "unauthorised" });
    expect(visitor.tokens.size).toBe(0);
  });

  test("with it a payload that was changed by handle is there at once", async () => {
    const { sdk: loaded, loggedIn } = setup();
    const visitor = await loggedIn({ payload: { role: "member" } });
    const role = (act?: typeof checked) => visitor.act((session) => session.getAccessTokenPayload().role, act);
    const handle = String((await visitor.act((session) => session.getHandle())).body);
    await loaded.mergePayload(handle, { role: "admin" });
    expect((await role()).body).toBe("member");
    expect((await role(checked)).body).toBe("admin");
    // and in the token from there on
    expect((await role()).body).toBe("admin");
  });
});

describe.each(versionsWith("withoutRequest"))("supertokens-node $version without request and response", (sdk) => {
  const setup = sharedSetup(sdk, () => core, { session: { antiCsrf: "VIA_TOKEN" } });

  test("tokens are verified and refreshed by hand, with the anti-CSRF token", async () => {
    const {
      sdk: { session },
      loggedIn,
      userId,
    } = setup();
    const visitor = await loggedIn();
    const [access = "", refresh = ""] = [visitor.tokens.get("access"), visitor.tokens.get("refresh")];
    const found = await session.getSessionWithoutRequestResponse(access, visitor.antiCsrf);
    expect(found.getUserId()).toBe(userId);
    const another = "00000000-0000-4000-8000-000000000000";
    await expect(session.getSessionWithoutRequestResponse(access, another)).rejects.toMatchObject({
      type: session.Error.TRY_REFRESH_TOKEN,
    });
    await expect(session.refreshSessionWithoutRequestResponse(refresh, false, another)).rejects.toMatchObject({
      type: session.Error.UNAUTHORISED,
    });
    core.clock.advance(31_000);
    const refreshed = await session.refreshSessionWithoutRequestResponse(refresh, false, visitor.antiCsrf);
    expect(refreshed.getHandle()).toBe(found.getHandle());
    const tokens = refreshed.getAllSessionTokensDangerously();
    expect(tokens).toMatchObject({ accessAndFrontTokenUpdated: true, antiCsrfToken: visitor.antiCsrf });
    expect(tokens.refreshToken).not.toBe(refresh);
  });
});
