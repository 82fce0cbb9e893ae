import type { SessionClaimValidator } from "supertokens-node-24/recipe/session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { versionsWith } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";

const letIn = () => "let in";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

describe.each(versionsWith("claims"))("claims of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  /** A claim with the roles that the application knows, and the validators a route can ask for. */
  const roleClaim = () => {
    const { claims } = setup().sdk;
    const source = { roles: ["member"], fetches: 0 };
    const claim = new claims.PrimitiveArrayClaim<string>({
      key: "st-role",
      fetchValue: () => {
        source.fetches++;
        return source.roles;
      },
    });
    const needs = (...more: SessionClaimValidator[]) => ({
      options: { overrideGlobalClaimValidators: (given: SessionClaimValidator[]) => [...given, ...more] },
    });
    return { claim, source, needs };
  };

  test("a route that wants a claim refuses without clearing, and lets in once the claim is set", async () => {
    const { loggedIn } = setup();
    const { claim, needs } = roleClaim();
    const visitor = await loggedIn();
    const admins = needs(claim.validators.includes("admin", 600));
    const refused = await visitor.act(letIn, admins);
    expect(refused).toMatchObject({ status: 403, message: "invalid claim" });
    expect(visitor.tokens.size).toBe(2);
    await visitor.act((session) => session.setClaimValue(claim, ["member", "admin"]));
    expect(await visitor.act(letIn, admins)).toMatchObject({ status: 200 });
    expect((await visitor.act((session) => session.getClaimValue(claim))).body).toEqual(["member", "admin"]);
    core.clock.advance(31_000);
    await visitor.refresh();
    expect(await visitor.act(letIn, admins)).toMatchObject({ status: 200 });
  });

  test("a claim that is missing is fetched by the validator, once, and stored with the session", async () => {
    const { loggedIn, proxy, sdk: loaded } = setup();
    const { claim, source, needs } = roleClaim();
    const visitor = await loggedIn();
    const members = needs(claim.validators.includes("member", 600));
    await visitor.act(letIn);
    proxy.take();
    expect(await visitor.act(letIn, members)).toMatchObject({ status: 200 });
    expect(await visitor.act(letIn, members)).toMatchObject({ status: 200 });
    expect(source.fetches).toBe(1);
    expect(proxy.take()).toEqual(["POST /recipe/session/regenerate"]);
    const handle = String((await visitor.act((session) => session.getHandle())).body);
    expect(await loaded.session.getClaimValue(handle, claim)).toEqual({ status: "OK", value: ["member"] });
  });

  test("fetchAndSet and remove, through the session", async () => {
    const { loggedIn } = setup();
    const { claim, source } = roleClaim();
    const visitor = await loggedIn();
    const value = async () => (await visitor.act((session) => session.getClaimValue(claim))).body;
    await visitor.act((session) => session.fetchAndSetClaim(claim));
    expect(await value()).toEqual(["member"]);
    source.roles = ["owner"];
    await visitor.act((session) => session.fetchAndSetClaim(claim));
    expect(await value()).toEqual(["owner"]);
    await visitor.act((session) => session.removeClaim(claim));
    expect(await value()).toBeNull();
  });

  test("set, fetchAndSet, remove and validate, by handle; the visitor has it from the next refresh on", async () => {
    const { loggedIn, sdk: loaded } = setup();
    const { claim } = roleClaim();
    const visitor = await loggedIn();
    const handle = String((await visitor.act((session) => session.getHandle())).body);
    const { session } = loaded;
    const value = () => session.getClaimValue(handle, claim);
    expect(await session.setClaimValue(handle, claim, ["admin"])).toBe(true);
    expect(await value()).toEqual({ status: "OK", value: ["admin"] });
    const isOwner = (given: SessionClaimValidator[]) => [...given, claim.validators.includes("owner", 600)];
    expect(await session.validateClaimsForSessionHandle(handle, isOwner)).toMatchObject({
      status: "OK",
      invalidClaims: [{ id: "st-role" }],
    });
    core.clock.advance(31_000);
    await visitor.refresh();
    expect((await visitor.act((found) => found.getClaimValue(claim))).body).toEqual(["admin"]);
    expect(await session.fetchAndSetClaim(handle, claim)).toBe(true);
    expect(await value()).toEqual({ status: "OK", value: ["member"] });
    expect(await session.removeClaim(handle, claim)).toBe(true);
    expect(await value()).toEqual({ status: "OK", value: undefined });
    expect(await session.setClaimValue("unknown", claim, ["admin"])).toBe(false);
    expect(await session.getClaimValue("unknown", claim)).toEqual({ status: "SESSION_DOES_NOT_EXIST_ERROR" });
  });
});
