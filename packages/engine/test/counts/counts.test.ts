import { millis, StorageError, type TenantId, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine, type SessionEngine } from "../../src/index.js";
import { Device, bind, bound } from "../binding/device.js";
import { DAY, HOUR, MASTER_KEYS, memoryStage, onEveryStore, refresh, refreshed, SECOND, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";
import { regenerated } from "../regenerated.js";

const countsOf = async (engine: SessionEngine, parts: { readonly step?: "day"; readonly tenantId?: TenantId } = {}) => {
  const now = engine.storage.now();
  const range = { from: millis(now - 20 * DAY), to: millis(now + HOUR), ...parts };
  const sums: Record<string, number> = {};
  for (const { name, count } of await engine.listCounts(range)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
};

onEveryStore("counts", (open) => {
  it("tell of logins, refreshes, thefts, step-ups, acting, binding and ends by reason, of all tenants or of one", async () => {
    const stage = await open();
    const engine = await stage.engine({ deviceBinding: "prefer", maxSessionsPerUser: 2 });
    const first = await engine.createSession({ userId: USER, form: "pawl", bindable: true });
    await bound(bind(engine, first, new Device()));
    const second = await engine.createSession({ userId: USER, form: "pawl" });
    const sure = regenerated(await engine.stepUp(second.accessToken.token, { methods: ["otp"] }));
    await engine.actAs(sure.accessToken?.token ?? "", { userId: "bob" as UserId, payload: {}, reason: "ticket 7" });
    stage.clock.advance(SECOND);
    await engine.createSession({ userId: USER });
    const acme = "acme" as TenantId;
    const there = await engine.createSession({ userId: USER, tenantId: acme });
    stage.clock.advance(HOUR);
    const next = refreshed(await refresh(engine, there));
    refreshed(await refresh(engine, there));
    stage.clock.advance(HOUR);
    refreshed(await refresh(engine, next));
    stage.clock.advance(HOUR);
    expect(await refresh(engine, there)).toMatchObject({ kind: "token_reuse" });
    await engine.revokeAllForUser({ userId: USER }, { reason: "logout" });
    expect(await countsOf(engine)).toEqual({
      login: 4,
      refresh: 2,
      theft: 1,
      step_up: 1,
      acting: 1,
      bound: 1,
      "ended.session_limit": 1,
      "ended.token_reuse": 1,
      "ended.logout": 2,
    });
    expect(await countsOf(engine, { tenantId: acme })).toEqual({
      login: 1,
      refresh: 2,
      theft: 1,
      "ended.token_reuse": 1,
    });
  });

  it("of several nodes add up, by hours and by days of UTC", async () => {
    const stage = await open();
    const nodes = [await stage.engine(), await stage.engine()];
    const begin = Math.ceil(stage.clock.now() / DAY) * DAY;
    stage.clock.advance(begin - stage.clock.now() + 22.5 * HOUR);
    for (let hour = 0; hour < 3; hour += 1) {
      for (const node of nodes) await node.createSession({ userId: USER });
      stage.clock.advance(HOUR);
    }
    for (const node of nodes) await node.maintainCounts();
    const range = { from: millis(begin), to: millis(begin + 2 * DAY) };
    const login = (at: number, count: number) => ({ at, name: "login", count });
    expect(await nodes[0]!.listCounts(range)).toEqual([22, 23, 24].map((hour) => login(begin + hour * HOUR, 2)));
    const days = [login(begin, 4), login(begin + DAY, 2)];
    expect(await nodes[1]!.listCounts({ ...range, step: "day" })).toEqual(days);
    const within = { from: millis(begin + 23 * HOUR + 1), to: millis(begin + 24 * HOUR) };
    expect(await nodes[1]!.listCounts(within)).toEqual([login(begin + 23 * HOUR, 2)]);
  });

  it("tell of ends by time when the sweep finds them, of each tenant", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(2 * HOUR), absoluteTimeout: millis(3 * HOUR) });
    const acme = "acme" as TenantId;
    const busy = await engine.createSession({ userId: USER, tenantId: acme });
    await engine.createSession({ userId: USER });
    await engine.revokeSessions([(await engine.createSession({ userId: USER })).session.handle]);
    stage.clock.advance(1.5 * HOUR);
    refreshed(await refresh(engine, busy));
    stage.clock.advance(2 * HOUR);
    await engine.sweep();
    await engine.sweep();
    expect(await countsOf(engine)).toMatchObject({ "ended.idle": 1, "ended.expired": 1, "ended.revoked": 1 });
    expect(await countsOf(engine, { tenantId: acme })).toMatchObject({ "ended.expired": 1 });
  });

  it("are kept as long as events, and then swept", async () => {
    const stage = await open();
    const engine = await stage.engine({ eventRetention: millis(2 * DAY) });
    await engine.createSession({ userId: USER });
    await engine.maintainCounts();
    stage.clock.advance(2 * DAY - HOUR);
    expect((await engine.sweep()).counts).toBe(0);
    stage.clock.advance(2 * HOUR);
    expect((await engine.sweep()).counts).toBe(1);
    expect(await countsOf(engine)).toEqual({});
  });

  it("refuse a range of more than a thousand steps", async () => {
    const engine = await (await open()).engine();
    const from = engine.storage.now();
    for (const [length, step] of [
      [HOUR, "hour"],
      [DAY, "day"],
    ] as const) {
      await engine.listCounts({ from, to: millis(from + 1000 * length), step });
      await expect(engine.listCounts({ from, to: millis(from + 1000 * length + 1), step })).rejects.toMatchObject({
        code: "invalid_input",
      });
    }
  });
});

it("a process that ends in order loses none, and what the store refused is written later", async () => {
  const { storage } = memoryStage();
  let down = false;
  const shaky = intercepted(storage, async ({ method, proceed }) => {
    if (down && method === "addCounts") throw new StorageError("unavailable", "the store is down");
    return proceed();
  });
  const engine = await createEngine({ storage: shaky, masterKeys: MASTER_KEYS });
  await engine.createSession({ userId: USER });
  down = true;
  await expect(engine.maintainCounts()).rejects.toThrow("the store is down");
  await engine.createSession({ userId: USER });
  down = false;
  await engine.close();
  const { items } = await storage.listCounts({ from: millis(0), to: millis(9e15) }, { limit: 9 });
  expect(items).toMatchObject([{ name: "login public", count: 2 }]);
});
