import { MemoryStorage, type SessionReference, type Storage, StorageError, type TenantId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { createEngine, type SessionEngine } from "../../src/index.js";
import { MASTER_KEYS, StandingClock, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

const acme = "acme" as TenantId;

/** What ends many sessions. */
const ways: Readonly<
  Record<string, (engine: SessionEngine, handles: readonly string[]) => Promise<readonly string[]>>
> = {
  "a tenant": (engine) => engine.revokeTenant(acme),
  "a user": (engine) => engine.revokeAllForUser({ userId: USER, tenantId: acme }),
  "a list of handles": (engine, handles) => engine.revokeSessions(handles),
};

/** An engine that notes how many sessions each call of the store ended; `failing` is the number of one that fails. */
const open = async () => {
  const real: Storage = new MemoryStorage({ clock: new StandingClock() });
  const steps: number[] = [];
  const faults = { failing: 0, beforeStep: async (_step: number): Promise<unknown> => undefined };
  const storage = intercepted(real, async ({ method, proceed }) => {
    if (method !== "revokeSessions") return proceed();
    await faults.beforeStep(steps.length);
    if (steps.length + 1 === faults.failing) throw new StorageError("unavailable", "the line broke");
    const ended = (await proceed()) as readonly SessionReference[];
    steps.push(ended.length);
    return ended;
  });
  const engine = await createEngine({ storage, masterKeys: MASTER_KEYS });
  const login = async (count: number, tenantId = acme, userId = USER): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: count }, async () => (await engine.createSession({ userId, tenantId })).session.handle),
    );
  return { engine, steps, faults, login };
};

describe.each(Object.entries(ways))("the end of %s with hundreds of sessions", (_, end) => {
  it("is done in steps of a bounded size, each session once and no other", async () => {
    const { engine, steps, login } = await open();
    const handles = await login(503);
    const [other] = await login(1, "rival" as TenantId);
    const ended = await end(engine, handles);
    expect(ended.toSorted()).toStrictEqual(handles.toSorted());
    expect(Math.max(...steps)).toBeLessThanOrEqual(50);
    expect(await engine.getSession(other!)).toBeDefined();
    expect(await end(engine, handles)).toStrictEqual([]);
  });

  it("keeps what was done where a step fails, and goes on when it is repeated", async () => {
    const { engine, faults, login } = await open();
    const handles = await login(350);
    faults.failing = 3;
    await expect(end(engine, handles)).rejects.toMatchObject({ code: "unavailable" });
    const left = await Promise.all(handles.map(async (handle) => (await engine.getSession(handle)) !== undefined));
    expect(left.filter(Boolean)).toHaveLength(250);
    faults.failing = 0;
    expect((await end(engine, handles)).toSorted()).toStrictEqual(
      handles.filter((__, index) => left[index]).toSorted(),
    );
  });
});

describe("the end of a tenant", () => {
  it("goes on from where it was, page by page", async () => {
    const { engine, steps, login } = await open();
    const handles = await login(370);
    const ended: string[] = [];
    const sizes: number[] = [];
    let after: string | undefined;
    do {
      const { items, next } = await engine.revokeSomeOfTenant(acme, { limit: 150, after });
      sizes.push(items.length);
      ended.push(...items);
      after = next;
    } while (after !== undefined);
    expect(sizes).toStrictEqual([150, 150, 70]);
    expect(ended.toSorted()).toStrictEqual(handles.toSorted());
    expect(Math.max(...steps)).toBeLessThanOrEqual(50);
    const page = { limit: 0 };
    await expect(engine.revokeSomeOfTenant(acme, page)).rejects.toMatchObject({ code: "invalid_record" });
  });
});

describe.each([
  ["a user", (engine: SessionEngine) => engine.revokeAllForUser({ userId: USER, tenantId: acme })],
  ["a tenant", (engine: SessionEngine) => engine.revokeTenant(acme)],
] as const)("the end of %s", (_, end) => {
  it("reaches sessions that come between two steps", async () => {
    const { engine, faults, login } = await open();
    await login(150);
    // Some with ids before those of the first step, whatever the ids.
    faults.beforeStep = async (step) => step === 1 && login(50);
    expect(await end(engine)).toHaveLength(200);
    expect((await engine.listSessions({ tenantId: acme }, { limit: 1 })).items).toStrictEqual([]);
  });
});

describe("a limit of sessions that was lowered far", () => {
  it("holds after the next login, also where the user has more beyond it than end with a login", async () => {
    const clock = new StandingClock();
    const storage = new MemoryStorage({ clock });
    const before = await createEngine({ storage, masterKeys: MASTER_KEYS });
    const handles: string[] = [];
    for (let count = 0; count < 260; count += 1) {
      clock.advance(1000);
      handles.push((await before.createSession({ userId: USER })).session.handle);
    }
    const steps: number[] = [];
    const counted = intercepted(storage, async ({ method, proceed }) => {
      const result = await proceed();
      if (method === "revokeSessions" || method === "createSession") steps.push((result as readonly unknown[]).length);
      return result;
    });
    const engine = await createEngine({ storage: counted, masterKeys: MASTER_KEYS, policy: { maxSessionsPerUser: 3 } });
    clock.advance(1000);
    const { session } = await engine.createSession({ userId: USER });
    const { items } = await engine.listSessions({ userId: USER }, { limit: 10 });
    expect(items.map(({ handle }) => handle).toSorted()).toStrictEqual(
      [...handles.slice(-2), session.handle].toSorted(),
    );
    expect(Math.max(...steps)).toBeLessThanOrEqual(100);
    const { items: ends } = await engine.listEvents({ types: ["session_ended"] }, { limit: 500 });
    expect(new Set(ends.map(({ reason }) => reason))).toStrictEqual(new Set(["session_limit"]));
    expect(ends).toHaveLength(258);
  });

  it("lets the login succeed where the rest cannot end now, and the next login goes on", async () => {
    const clock = new StandingClock();
    const storage = new MemoryStorage({ clock });
    const before = await createEngine({ storage, masterKeys: MASTER_KEYS });
    for (let count = 0; count < 230; count += 1) await before.createSession({ userId: USER });
    let isBroken = true;
    const breaking = intercepted(storage, async ({ method, proceed }) => {
      if (isBroken && method === "listSessions") throw new StorageError("unavailable", "the line broke");
      return proceed();
    });
    const engine = await createEngine({
      storage: breaking,
      masterKeys: MASTER_KEYS,
      policy: { maxSessionsPerUser: 2 },
    });
    const { session } = await engine.createSession({ userId: USER });
    expect(session.userId).toBe(USER);
    isBroken = false;
    expect((await engine.listSessions({ userId: USER }, { limit: 500 })).items).toHaveLength(131);
    await engine.createSession({ userId: USER });
    expect((await engine.listSessions({ userId: USER }, { limit: 500 })).items).toHaveLength(2);
  });
});
