import { type EndReason, millis, type TenantId, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import type { ProviderLogin, ProviderLogins, SessionEngine } from "../../src/index.js";
import { memoryStage, MINUTE, onEveryStore, USER } from "../engines.js";

const issuer = "https://id.example";
const customer = "customer-1" as TenantId;

const login = async (
  engine: SessionEngine,
  identityProvider: ProviderLogin | undefined,
  { userId = USER, tenantId }: { readonly userId?: UserId; readonly tenantId?: TenantId } = {},
) => (await engine.createSession({ userId, tenantId, identityProvider })).session.handle;

onEveryStore("a login at an identity provider", (open) => {
  it("is told of its session", async () => {
    const engine = await (await open()).engine();
    const whole = { issuer, subject: "sub", sessionId: "sid" };
    const withoutSession = { issuer, subject: 'quotes " and \\, and \u{1f511}' };
    for (const identityProvider of [whole, withoutSession]) {
      const handle = await login(engine, identityProvider);
      expect(await engine.getSession(handle)).toMatchObject({ identityProvider });
    }
    expect(await engine.getSession(await login(engine, undefined))).not.toHaveProperty("identityProvider");
    expect((await engine.listSessions({ userId: USER }, { limit: 9 })).items).toHaveLength(3);
  });

  it("ends by its session there, by its user there, or by both, and nothing else does", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const logins: Readonly<Record<string, readonly [ProviderLogin | undefined, object?]>> = {
      here: [undefined],
      a1: [{ issuer, subject: "a", sessionId: "1" }],
      a1Again: [{ issuer, subject: "a", sessionId: "1" }],
      a2: [{ issuer, subject: "a", sessionId: "2" }],
      aWithout: [{ issuer, subject: "a" }],
      b3: [{ issuer, subject: "b", sessionId: "3" }, { userId: "bob" as UserId }],
      calledLikeTheSession: [{ issuer, subject: "1", sessionId: "a" }],
      elsewhere: [{ issuer: "https://other.example", subject: "a", sessionId: "1" }],
      ofCustomer: [{ issuer, subject: "a", sessionId: "1" }, { tenantId: customer }],
    };
    const cases: readonly (readonly [Omit<ProviderLogins, "issuer">, readonly string[]])[] = [
      [{ sessionId: "1" }, ["a1", "a1Again"]],
      [{ subject: "a" }, ["a1", "a1Again", "a2", "aWithout"]],
      [{ subject: "a", sessionId: "1" }, ["a1", "a1Again", "aWithout"]],
      [{ subject: "b", sessionId: "1" }, []],
      [{ sessionId: "unknown" }, []],
      [{ subject: "" }, []],
      [{ sessionId: "1", tenantId: customer }, ["ofCustomer"]],
      [{ subject: "a", tenantId: customer }, ["ofCustomer"]],
      [{ subject: "a", sessionId: "1", acrossTenants: true }, ["a1", "a1Again", "aWithout", "ofCustomer"]],
    ];
    for (const [selected, expected] of cases) {
      const handles: Record<string, string> = {};
      for (const [name, [identityProvider, user]] of Object.entries(logins))
        handles[name] = await login(engine, identityProvider, user);
      const ended = await engine.revokeLogins({ issuer, ...selected });
      const namesOf = (some: readonly string[]) =>
        Object.keys(handles).filter((name) => some.includes(handles[name] ?? ""));
      expect(namesOf(ended), JSON.stringify(selected)).toEqual(expected);
      const all = Object.values(handles);
      const states = await Promise.all(all.map(async (handle) => [handle, await engine.getSession(handle)] as const));
      expect(namesOf(states.filter(([, state]) => state === undefined).map(([handle]) => handle))).toEqual(expected);
      for (const tenantId of [undefined, customer])
        for (const userId of [USER, "bob" as UserId]) await engine.revokeAllForUser({ userId, tenantId });
    }
    await expect(engine.revokeLogins({ issuer })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("spares no session that it names, whenever that was created", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const until = stage.clock.now();
    stage.clock.advance(1);
    const [named, other, unnamed] = [
      await login(engine, { issuer, subject: "a", sessionId: "1" }),
      await login(engine, { issuer, subject: "a", sessionId: "2" }),
      await login(engine, { issuer, subject: "a" }),
    ];
    expect(await engine.revokeLogins({ issuer, subject: "a", until })).toEqual([]);
    expect(await engine.revokeLogins({ issuer, subject: "a", sessionId: "1", until })).toEqual([named]);
    for (const handle of [other, unnamed]) expect(await engine.getSession(handle)).toBeDefined();
    expect(await engine.revokeLogins({ issuer, sessionId: "2", until })).toEqual([other]);
  });

  it("spares sessions from after a time, tells why the others ended, and ends hundreds", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const before: string[] = [];
    for (let count = 0; count < 130; count += 1) before.push(await login(engine, { issuer, subject: "a" }));
    const until = millis(stage.clock.now() + MINUTE);
    stage.clock.advance(MINUTE + 1);
    const after = await login(engine, { issuer, subject: "a" });
    const ended = await engine.revokeLogins({ issuer, subject: "a", until });
    expect(ended.toSorted()).toEqual(before.toSorted());
    expect(await engine.getSession(after)).toBeDefined();
    const reason: EndReason = "identity_provider";
    const { summary, events } = await engine.explainSession(before[0]!);
    expect(summary).toMatch(
      / by the identity provider that the user had logged in through \(https:\/\/id\.example\)\.$/,
    );
    expect(events).toMatchObject([{ type: "session_ended", reason, detail: `{"by":"${issuer}"}` }]);
    expect((await engine.revocationsSince(undefined)).revoked.map(({ handle }) => handle)).toContain(before[0]);
  });
});

it("is refused where it could name nobody", async () => {
  const engine = await memoryStage().engine();
  const refused = [
    { issuer, subject: "" },
    { issuer: "", subject: "a" },
    { issuer, subject: "a", sessionId: "" },
    { issuer, subject: "x".repeat(513) },
    { issuer, subject: "\u0000" },
    { issuer, subject: "\ud800" },
    { issuer, subject: 7 },
    { issuer, subject: "a", sessionId: null },
    { issuer },
    { subject: "a" },
    "https://id.example",
  ];
  for (const identityProvider of refused)
    await expect(login(engine, identityProvider as never)).rejects.toMatchObject({ code: "invalid_input" });
});
