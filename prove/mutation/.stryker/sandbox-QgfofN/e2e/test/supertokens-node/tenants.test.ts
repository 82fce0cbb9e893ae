import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { versionsWith } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

describe.each(versionsWith("tenants"))("tenants of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  const [first, second] = [`a-${sdk.cdi.replace(".", "-")}`, `b-${sdk.cdi.replace(".", "-")}`];
  /** Makes both tenants. */
  const makeTenants = async () => {
    const { multitenancy } = setup().sdk;
    for (const tenant of [first, second]) await multitenancy.createOrUpdateTenant(tenant, {});
    return multitenancy;
  };

  test("a tenant is made, found, listed, changed and removed", async () => {
    const { multitenancy } = setup().sdk;
    const tenant = `t-${first}`;
    const tenants = async () => (await multitenancy.listAllTenants()).tenants.map(({ tenantId }) => tenantId);
    expect(await multitenancy.createOrUpdateTenant(tenant, {})).toMatchObject({ status: "OK", createdNew: true });
    expect(await multitenancy.createOrUpdateTenant(tenant, {})).toMatchObject({ status: "OK", createdNew: false });
    expect(await multitenancy.getTenant(tenant)).toMatchObject({ status: "OK" });
    expect(await tenants()).toEqual(expect.arrayContaining(["public", tenant]));
    expect(await multitenancy.deleteTenant(tenant)).toMatchObject({ status: "OK", didExist: true });
    expect(await multitenancy.deleteTenant(tenant)).toMatchObject({ status: "OK", didExist: false });
    expect(await multitenancy.getTenant(tenant)).toBeUndefined();
    expect(await tenants()).not.toContain(tenant);
  });

  test("a session belongs to its tenant, and says so", async () => {
    await makeTenants();
    const { loggedIn } = setup();
    const visitor = await loggedIn({ tenantId: first, payload: { role: "member" } });
    const who = () => visitor.act((session) => [session.getTenantId(), session.getAccessTokenPayload().role]);
    expect((await who()).body).toEqual([first, "member"]);
    core.clock.advance(31_000);
    expect((await visitor.refresh()).status).toBe(200);
    expect((await who()).body).toEqual([first, "member"]);
    await visitor.act((session) => session.mergeIntoAccessTokenPayload({ role: "admin" }));
    expect((await who()).body).toEqual([first, "admin"]);
    expect((await visitor.signOut()).status).toBe(200);
  });

  test("the same user in two tenants is listed and revoked in one or in all of them", async () => {
    await makeTenants();
    const {
      sdk: { session },
      loggedIn,
      userId,
    } = setup();
    const inFirst = await loggedIn({ tenantId: first });
    const inSecond = await loggedIn({ tenantId: second });
    const inPublic = await loggedIn();
    const listed = async (tenantId?: string) =>
      (await session.getAllSessionHandlesForUser(userId, true, tenantId)).length;
    expect([await listed(), await listed(first), await listed(second), await listed("public")]).toEqual([3, 1, 1, 1]);
    const revoked = await session.revokeAllSessionsForUser(userId, true, first);
    expect((await inFirst.refresh()).status).toBe(401);
    if (sdk.cdi === "4.0") {
      // 16.7.6 does not say that it means one tenant alone, and the protocol's default is all of them
      expect(revoked).toHaveLength(3);
      return;
    }
    expect(revoked).toHaveLength(1);
    expect((await inSecond.refresh()).status).toBe(200);
    expect([await listed(), await listed(first), await listed(second), await listed("public")]).toEqual([2, 0, 1, 1]);
    expect(await session.revokeAllSessionsForUser(userId)).toHaveLength(2);
    expect((await inPublic.refresh()).status).toBe(401);
  });

  test("a tenant that was not made has no sessions, and a removed one loses them", async () => {
    const multitenancy = await makeTenants();
    const { loggedIn, newVisitor, userId, failures } = setup();
    const refused = await newVisitor().login({ userId, tenantId: "nobody-made-this" });
    expect(refused.status).toBe(500);
    expect(failures()[0]).toContain("status code: 400 and message: AppId or tenantId not found");
    const visitor = await loggedIn({ tenantId: first });
    await multitenancy.deleteTenant(first);
    expect(await visitor.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
  });
});
