import { MemoryStorage, PUBLIC_TENANT, type TenantId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { createEngine, type SessionEngine } from "../../src/index.js";
import { MASTER_KEYS, memoryStage, onEveryStore, refresh, StandingClock, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

const acme = "acme" as TenantId;
const rival = "rival" as TenantId;

const namesOf = async ({ tenants }: SessionEngine): Promise<readonly string[]> =>
  (await tenants.list()).map(({ tenantId }) => tenantId);

onEveryStore("tenants", (open) => {
  it("are made, changed, listed and removed; public is always there", async () => {
    const { tenants, ...engine } = await (await open()).engine();
    expect(await tenants.get(acme)).toBeUndefined();
    expect(await tenants.get("public")).toEqual({ tenantId: "public", settings: {} });
    expect(await tenants.put(rival, {})).toBe("created");
    expect(await tenants.put(acme, { factors: ["a"], on: true })).toBe("created");
    expect(await tenants.put(acme, { factors: ["b"], on: null })).toBe("updated");
    expect(await tenants.get(acme)).toEqual({ tenantId: acme, settings: { factors: ["b"] } });
    expect(await tenants.put("public", { factors: ["p"] })).toBe("updated");
    expect(await tenants.list()).toEqual([
      { tenantId: "public", settings: { factors: ["p"] } },
      { tenantId: acme, settings: { factors: ["b"] } },
      { tenantId: rival, settings: {} },
    ]);
    expect(await tenants.remove(acme)).toBe(true);
    expect(await tenants.remove(acme)).toBe(false);
    expect(await tenants.remove("never")).toBe(false);
    expect(await tenants.get(acme)).toBeUndefined();
    expect(await namesOf({ tenants, ...engine })).toEqual(["public", rival]);
    expect(await tenants.put(acme, {})).toBe("created");
    expect(await tenants.get(acme)).toEqual({ tenantId: acme, settings: {} });
  });

  it("are known to every node at once, and only one of many makers made one", async () => {
    const stage = await open();
    const [one, other] = [await stage.engine(), await stage.engine()];
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : other).tenants.put(acme, { [index]: index })),
    );
    expect(made.filter((done) => done === "created")).toHaveLength(1);
    // Nobody's change was lost.
    expect(Object.keys((await other.tenants.get(acme))?.settings ?? {})).toHaveLength(10);
    expect((await other.createSession({ userId: USER, tenantId: acme, tenantMustExist: true })).session.tenantId).toBe(
      acme,
    );
    await one.tenants.remove(acme);
    await expect(other.createSession({ userId: USER, tenantId: acme, tenantMustExist: true })).rejects.toMatchObject({
      code: "tenant_unknown",
    });
  });

  it("that are removed take their sessions along, and no other's", async () => {
    const engine = await (await open()).engine();
    await engine.tenants.put(acme, {});
    const [gone, kept, common] = [
      await engine.createSession({ userId: USER, tenantId: acme }),
      await engine.createSession({ userId: USER, tenantId: rival }),
      await engine.createSession({ userId: USER }),
    ];
    await engine.tenants.remove(acme);
    expect(await refresh(engine, gone)).toMatchObject({ kind: "unauthorised", why: "no_session" });
    expect(await engine.verifyAccessToken({ accessToken: gone.accessToken.token })).toMatchObject({ why: "revoked" });
    for (const session of [kept, common]) expect(await refresh(engine, session)).toMatchObject({ kind: "refreshed" });
    expect(await engine.explainSession(gone.session.handle)).toMatchObject({ status: "ended", reason: "revoked" });
  });

  it("do not cross: a user's sessions are listed and ended in one tenant, or in all", async () => {
    const engine = await (await open()).engine();
    const handles = new Map<string, string>();
    for (const tenantId of [PUBLIC_TENANT, acme, rival])
      handles.set(tenantId, (await engine.createSession({ userId: USER, tenantId })).session.handle);
    const listed = async (tenantId: TenantId, acrossTenants = false): Promise<readonly string[]> =>
      (await engine.listSessionHandles({ userId: USER, tenantId, acrossTenants })).toSorted();
    expect(await listed(acme)).toEqual([handles.get(acme)]);
    expect(await listed(PUBLIC_TENANT)).toEqual([handles.get("public")]);
    expect(await listed(acme, true)).toEqual([...handles.values()].toSorted());

    const except = handles.get(rival) as never;
    await expect(engine.revokeAllForUser({ userId: USER, tenantId: acme, except })).rejects.toMatchObject({
      code: "invalid_input",
    });
    expect(await engine.revokeAllForUser({ userId: USER, tenantId: acme })).toEqual([handles.get(acme)]);
    expect(await engine.revokeAllForUser({ userId: USER, acrossTenants: true, except })).toEqual([
      handles.get("public"),
    ]);
    expect(await engine.revokeAllForUser({ userId: USER, acrossTenants: true })).toEqual([handles.get(rival)]);
    expect(await listed(PUBLIC_TENANT, true)).toEqual([]);
  });
});

describe("a tenant", () => {
  it.each(["", "a_b", "../x", "A", "a".repeat(65), "recipe", "config", "users", "hello", "v1", "appid-a"])(
    "cannot be called %j",
    async (tenantId) => {
      const engine = await memoryStage().engine();
      await expect(engine.tenants.put(tenantId, {})).rejects.toMatchObject({ code: "invalid_input" });
      expect(await engine.tenants.get(tenantId)).toBeUndefined();
      expect(await engine.tenants.remove(tenantId)).toBe(false);
      expect(await namesOf(engine)).toEqual(["public"]);
    },
  );

  it("keeps no settings without bound, and public cannot be removed", async () => {
    const { tenants } = await memoryStage().engine();
    await expect(tenants.put(acme, { text: "x".repeat(40_000) })).rejects.toMatchObject({ code: "payload_too_large" });
    expect(await tenants.get(acme)).toBeUndefined();
    await expect(tenants.remove("public")).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("that is removed while somebody logs in keeps no session, whenever it happens", async () => {
    let removed = 0;
    for (let moment = 1; moment <= 4; moment += 1) {
      const clock = new StandingClock();
      const real = new MemoryStorage({ clock });
      const remover = await createEngine({ storage: real, masterKeys: MASTER_KEYS });
      await remover.tenants.put(acme, {});
      let calls = Number.NEGATIVE_INFINITY;
      const storage = intercepted(real, async ({ method, proceed }) => {
        const counts = method === "claimMeta" || method === "createSession";
        if (counts && ++calls === moment) {
          removed += 1;
          await remover.tenants.remove(acme);
        }
        return proceed();
      });
      const engine = await createEngine({ storage, masterKeys: MASTER_KEYS });
      calls = 0;
      const outcome = await engine.createSession({ userId: USER, tenantId: acme, tenantMustExist: true }).then(
        () => "created",
        (error: { readonly code: string }) => error.code,
      );
      // The fourth moment is after the login: nothing is removed before it answers.
      expect(outcome, String(moment)).toBe(moment <= 3 ? "tenant_unknown" : "created");
      if (moment <= 3) expect(await remover.listSessionHandles({ userId: USER, acrossTenants: true })).toEqual([]);
    }
    expect(removed).toBe(3);
  });
});
