import { describe, expect, test } from "vitest";
import { decodeJwt } from "../decoded-jwt.js";
import { type Answer, listen, type ListeningCore, sharedCore } from "../listening-core.js";
import { at, expectText, login, refresh, verify } from "./cdi-requests.js";
import { millis } from "@pawl/storage";

describe("tenants", () => {
  const made = async (...names: readonly string[]): Promise<ListeningCore> => {
    const core = await listen({ policy: { reuseWindow: millis(0) } });
    for (const tenantId of names)
      expect((await core.send("PUT", "/recipe/multitenancy/tenant/v2", { body: { tenantId } })).json).toEqual({
        status: "OK",
        createdNew: true,
      });
    return core;
  };
  const loginTo = async (core: ListeningCore, tenant: string) =>
    (await core.send("POST", `/${tenant}/recipe/session`, { body: login })).json;

  test("are made, changed, read, listed and removed as CDI 5.1 and later do", async () => {
    const core = await made("t1");
    const put = (body: object): Promise<Answer> => core.send("PUT", "/recipe/multitenancy/tenant/v2", { body });
    expect((await put({ tenantId: " T1 ", firstFactors: ["otp"], coreConfig: {} })).json).toEqual({
      status: "OK",
      createdNew: false,
    });
    const t1 = { tenantId: "t1", thirdParty: { providers: [] }, firstFactors: ["otp"], coreConfig: {} };
    const common = { tenantId: "public", thirdParty: { providers: [] }, coreConfig: {} };
    expect((await core.send("GET", "/t1/recipe/multitenancy/tenant/v2")).json).toEqual({ status: "OK", ...t1 });
    expect((await core.send("GET", "/recipe/multitenancy/tenant/v2")).json).toEqual({ status: "OK", ...common });
    expect((await core.send("GET", "/t2/recipe/multitenancy/tenant/v2")).json).toEqual({
      status: "TENANT_NOT_FOUND_ERROR",
    });
    expect((await core.send("GET", "/recipe/multitenancy/tenant/list/v2")).json).toEqual({
      status: "OK",
      tenants: [common, t1],
    });
    expect((await put({ tenantId: "t1", firstFactors: null })).json.createdNew).toBe(false);
    expect((await core.send("GET", "/t1/recipe/multitenancy/tenant/v2")).json).not.toHaveProperty("firstFactors");
    expectText(
      await put({ tenantId: "t1", coreConfig: { access_token_validity: 5 } }),
      400,
      "coreConfig is not supported: every tenant has the configuration of the core",
    );
    for (const tenantId of ["", "a_b", "recipe", "appid-x"]) expect((await put({ tenantId })).status).toBe(400);
    const drop = (tenantId: string): Promise<Answer> =>
      core.send("POST", "/recipe/multitenancy/tenant/remove", { body: { tenantId } });
    expectText(await drop("public"), 403, "Cannot delete public tenant, use app deletion instead");
    expect((await drop("t1")).json).toEqual({ status: "OK", didExist: true });
    expect((await drop("t1")).json).toEqual({ status: "OK", didExist: false });
    expect((await core.send("POST", "/t1/recipe/session", { body: login })).status).toBe(400);
  });

  test("made and removed, are in the audit trail with who did it; a change of settings that the core does not read is not", async () => {
    const core = await made("t1");
    const ask = (method: string, path: string) =>
      core.send(method, `/recipe/multitenancy/tenant/${path}`, { body: { tenantId: "t1", firstFactors: ["otp"] } });
    await ask("PUT", "v2");
    for (const didExist of [true, false])
      expect((await ask("POST", "remove")).json).toEqual({ status: "OK", didExist });
    const { events } = (await core.send("GET", "/v1/events?type=admin&tenantId=t1")).json;
    const by = { address: "127.0.0.1" };
    expect(events).toMatchObject([
      { tenantId: "t1", detail: { act: "tenant_removed", by } },
      { tenantId: "t1", detail: { act: "tenant_created", by } },
    ]);
    expect(events).toHaveLength(2);
  });

  test("and as CDI 3.0 does", async () => {
    const core = await sharedCore();
    const put = { tenantId: "old", emailPasswordEnabled: true, passwordlessEnabled: false };
    const path = "/recipe/multitenancy/tenant";
    expect((await core.send("PUT", path, { ...at("3.0"), body: put })).json).toEqual({
      status: "OK",
      createdNew: true,
    });
    const old = {
      tenantId: "old",
      emailPassword: { enabled: true },
      thirdParty: { enabled: false, providers: [] },
      passwordless: { enabled: false },
      coreConfig: {},
    };
    expect((await core.send("GET", `/old${path}`, at("3.1"))).json).toEqual({ status: "OK", ...old });
    expect((await core.send("GET", `${path}/list`, at("4.0"))).json.tenants).toMatchObject([
      { tenantId: "public", emailPassword: { enabled: true } },
      old,
    ]);
  });

  test("nothing crosses: sessions of a tenant are reached behind it, or by who asks for the whole application", async () => {
    const core = await made("t1", "t2");
    const [one, two, common] = [await loginTo(core, "t1"), await loginTo(core, "t2"), await loginTo(core, "public")];
    const handles = [one, two, common].map(({ session }) => session.handle as string);
    expect(handles.map((handle) => handle.split("_")[1])).toEqual(["t1", "t2", undefined]);
    expect(decodeJwt(one.accessToken.token).payload["tId"]).toBe("t1");
    expect(await verify(core, one.accessToken.token)).toMatchObject({ status: "OK", session: { tenantId: "t1" } });

    const list = async (prefix: string, more = ""): Promise<unknown> =>
      (await core.send("GET", `${prefix}/recipe/session/user?userId=user-1${more}`)).json.sessionHandles.toSorted();
    const here = "&fetchAcrossAllTenants=false";
    expect(await list("/t1", here)).toEqual([handles[0]]);
    expect(await list("/t2", here)).toEqual([handles[1]]);
    expect(await list("", here)).toEqual([handles[2]]);
    for (const prefix of ["", "/t1", "/public"]) expect(await list(prefix)).toEqual(handles.toSorted());
    expect((await core.send("GET", "/recipe/session/user?userId=user-1", at("2.21"))).json.sessionHandles).toEqual([
      handles[2],
    ]);

    // Handles of another tenant are nobody's behind a tenant, also where a version lets everything stand there.
    for (const [path, answer] of [
      ["/recipe/session", { status: "UNAUTHORISED", message: "Session does not exist." }],
      ["/recipe/session/data", { status: "UNAUTHORISED", message: "Session does not exist." }],
      ["/recipe/jwt/data", { status: "UNAUTHORISED", message: "Session does not exist." }],
    ] as const) {
      for (const handle of handles.slice(1))
        expect((await core.send("GET", `/t1${path}?sessionHandle=${handle}`, at("4.0"))).json).toEqual(answer);
      expect((await core.send("GET", `/t1${path}?sessionHandle=${handles[0]}`, at("4.0"))).json.status).toBe("OK");
    }
    for (const [path, body] of [
      ["/recipe/session/data", { userDataInDatabase: {} }],
      ["/recipe/jwt/data", { userDataInJWT: {} }],
    ] as const)
      expect(
        (await core.send("PUT", `/t1${path}`, { ...at("4.0"), body: { sessionHandle: handles[1], ...body } })).json
          .status,
      ).toBe("UNAUTHORISED");
    // A handle with another tenant's name, or none, names no session.
    const uuid = handles[0]?.split("_")[0] ?? "";
    for (const handle of [uuid, `${uuid}_t2`, `${uuid}_public`, `${uuid}_t1_t1`])
      expect((await core.send("GET", `/recipe/session?sessionHandle=${handle}`)).json.status).toBe("UNAUTHORISED");

    const end = async (prefix: string, body: object) =>
      (await core.send("POST", `${prefix}/recipe/session/remove`, { body })).json.sessionHandlesRevoked;
    expect(await end("/t1", { sessionHandles: handles })).toEqual([handles[0]]);
    const again = await loginTo(core, "t1");
    expect(await end("/t1", { userId: "user-1", revokeAcrossAllTenants: false })).toEqual([again.session.handle]);
    expect(await refresh(core, two.refreshToken.token)).toMatchObject({ status: "OK", session: { tenantId: "t2" } });
    expect((await end("", { userId: "user-1" })).toSorted()).toEqual([handles[1], handles[2]].toSorted());
  });

  test("a tenant that is removed takes its sessions along, in every dialect", async () => {
    const core = await made("t1");
    const session = await loginTo(core, "t1");
    await core.send("POST", "/recipe/multitenancy/tenant/remove", { body: { tenantId: "t1" } });
    expect(await refresh(core, session.refreshToken.token)).toMatchObject({ status: "UNAUTHORISED" });
    expect(await verify(core, session.accessToken.token, { checkDatabase: true })).toMatchObject({
      status: "UNAUTHORISED",
    });
    expect((await core.send("GET", `/recipe/session?sessionHandle=${session.session.handle}`)).status).toBe(400);
    const answer = await core.send("POST", "/v1/sessions/verify", { body: { accessToken: session.accessToken.token } });
    expect(answer.status).toBe(401);
  });
});
