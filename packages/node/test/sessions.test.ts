import { TestClock } from "@pawl/adapter-conformance";
import { afterEach, describe, expect, it } from "vitest";
import { createPawl, type Pawl } from "../src/index.js";
import { backends } from "./backends.js";

const open = new Set<() => Promise<void>>();
afterEach(async () => {
  for (const close of open) await close();
  open.clear();
});

describe.each(backends)("ending sessions, %s", (_, openBackend) => {
  const start = async (): Promise<Pawl> => {
    const clock = new TestClock();
    const backend = await openBackend({}, clock);
    const pawl = createPawl({ ...backend.options, clock });
    open.add(async () => {
      await pawl.close();
      await backend.close();
    });
    return pawl;
  };
  const login = (pawl: Pawl, userId: string, tenantId?: string) => pawl.tokens.create({ userId, tenantId });
  const isLive = async (pawl: Pawl, { handle, accessToken }: { handle: string; accessToken: string }) => {
    const accepted = await pawl.tokens.verify(accessToken).then(
      () => true,
      () => false,
    );
    expect(accepted).toBe((await pawl.sessions.get(handle)) !== undefined);
    return accepted;
  };
  const live = (pawl: Pawl, made: readonly { handle: string; accessToken: string }[]) =>
    Promise.all(made.map((session) => isLive(pawl, session)));

  it("of a user ends those of one tenant, all or all but one", async () => {
    const pawl = await start();
    const [first, second, third, other] = [
      await login(pawl, "alice", "acme"),
      await login(pawl, "alice", "acme"),
      await login(pawl, "alice"),
      await login(pawl, "bob", "acme"),
    ];
    expect([first.tenantId, third.tenantId]).toEqual(["acme", "public"]);
    expect((await pawl.sessions.list("alice", { tenantId: "acme" })).items).toHaveLength(2);
    expect((await pawl.sessions.list("alice")).items.map(({ handle }) => handle)).toEqual([third.handle]);
    expect(await pawl.sessions.endUser("alice", { tenantId: "acme", except: first.handle })).toBe(1);
    expect(await live(pawl, [first, second, third, other])).toEqual([true, false, true, true]);
    expect(await pawl.sessions.endUser("alice")).toBe(1);
    expect(await pawl.sessions.endUser("alice", { tenantId: "acme" })).toBe(1);
    expect(await live(pawl, [first, second, third, other])).toEqual([false, false, false, true]);
  });

  it("of a user ends none where the session to keep is none of that tenant, or the tenant none", async () => {
    const pawl = await start();
    const made = [await login(pawl, "alice", "acme"), await login(pawl, "alice")];
    for (const options of [
      { except: "no handle" },
      { except: made[0]!.handle },
      { tenantId: "acme", except: made[1]!.handle },
      { tenantId: "ACME" },
      { tenantId: "" },
    ])
      await expect(pawl.sessions.endUser("alice", options)).rejects.toThrow(TypeError);
    expect(await live(pawl, made)).toEqual([true, true]);
  });

  it("of many users ends them all and says how many, and none where one id got lost", async () => {
    const pawl = await start();
    const made = [await login(pawl, "alice"), await login(pawl, "alice"), await login(pawl, "bob")];
    const other = await login(pawl, "carol");
    for (const lost of [undefined, "", 7] as never[])
      await expect(pawl.sessions.endUsers(["alice", "bob", lost])).rejects.toThrow(TypeError);
    await expect(pawl.sessions.endUsers(undefined as never)).rejects.toThrow(TypeError);
    expect(await live(pawl, [...made, other])).toEqual([true, true, true, true]);
    expect(await pawl.sessions.endUsers(["alice", "bob", "nobody", "alice"])).toBe(3);
    expect(await live(pawl, [...made, other])).toEqual([false, false, false, true]);
    expect(await pawl.sessions.endUsers([])).toBe(0);
  });

  it("of a tenant ends those of all its users, where it is named twice", async () => {
    const pawl = await start();
    const made = [await login(pawl, "alice", "acme"), await login(pawl, "bob", "acme")];
    const other = await login(pawl, "alice");
    for (const [tenantId, options] of [
      [undefined, { confirm: undefined }],
      [undefined, undefined],
      ["acme", undefined],
      ["acme", {}],
      ["acme", { confirm: "public" }],
      ["", { confirm: "" }],
    ])
      await expect(pawl.sessions.endTenant(tenantId as never, options as never)).rejects.toThrow(TypeError);
    expect(await live(pawl, [...made, other])).toEqual([true, true, true]);
    expect(await pawl.sessions.endTenant("acme", { confirm: "acme" })).toBe(2);
    expect(await live(pawl, [...made, other])).toEqual([false, false, true]);
    expect(await pawl.sessions.explain(made[0]!.handle)).toMatchObject({ status: "ended", reason: "revoked" });
  });

  it("of hundreds of users, or of a tenant with hundreds of sessions, leaves none of them", async () => {
    const pawl = await start();
    const users = Array.from({ length: 510 }, (__, index) => `user-${index}`);
    const made = [];
    // Not all at once: a core that is asked by a busy machine has its time to answer too.
    for (let first = 0; first < users.length; first += 51)
      made.push(...(await Promise.all(users.slice(first, first + 51).map((userId) => login(pawl, userId, "acme")))));
    const others = await Promise.all(users.slice(0, 30).map((userId) => login(pawl, userId)));
    expect(await pawl.sessions.endTenant("acme", { confirm: "acme" })).toBe(510);
    expect(await live(pawl, [...made.slice(0, 3), ...made.slice(-3)])).not.toContain(true);
    expect(await live(pawl, others)).not.toContain(false);
    expect(await pawl.sessions.endUsers(users)).toBe(30);
    expect(await live(pawl, others)).not.toContain(true);
  });
});
