import { MemoryStorage, type Storage, StorageError, type UserId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { createEngine, type IssuedSession, type SessionEngine } from "../src/index.js";
import { claimsOf, MASTER_KEYS, MINUTE, refresh, refreshed, StandingClock, USER, use } from "./engines.js";
import { intercepted } from "./intercepted-storage.js";

type When = "before" | "after";

/** An engine whose line to the store breaks once: at the n-th call from when it is armed, before or after the work. */
const breakable = async (policy: Parameters<typeof createEngine>[0]["policy"] = {}) => {
  const clock = new StandingClock();
  const real: Storage = new MemoryStorage({ clock });
  let countdown = Number.POSITIVE_INFINITY;
  let when: When = "before";
  const storage = intercepted(real, async ({ method, proceed }) => {
    // The feed is read in the background, beside the call that is tried here.
    if (method === "revocationsSince" || method === "changesSince") return proceed();
    countdown -= 1;
    if (countdown !== 0) return proceed();
    if (when === "after") await proceed();
    throw new StorageError("unavailable", "the line broke");
  });
  const engine = await createEngine({ storage, masterKeys: MASTER_KEYS, policy });
  return {
    clock,
    engine,
    /** Breaks the n-th call of what `act` does. @returns whether there was such a call. */
    breaking: async (call: number, at: When, act: () => Promise<unknown>): Promise<boolean> => {
      [countdown, when] = [call, at];
      const outcome = await act().then(
        () => "done",
        (error: unknown) => error,
      );
      const broke = countdown <= 0;
      countdown = Number.POSITIVE_INFINITY;
      if (broke) expect(outcome).toMatchObject({ name: "StorageError", code: "unavailable" });
      return broke;
    },
  };
};

/** Runs a scenario with the line broken at its first, second, … call, before and after, until there is no such call. */
const atEveryCall = async (scenario: (call: number, when: When) => Promise<boolean>): Promise<number> => {
  let broken = 0;
  for (const when of ["before", "after"] as const)
    for (let call = 1; await scenario(call, when); call++) {
      broken += 1;
      if (call > 50) throw new Error("the scenario has no end");
    }
  return broken;
};

const noAlarm = async (engine: SessionEngine): Promise<void> => {
  const { items } = await engine.listEvents({ types: ["token_reuse", "forged_token"] }, { limit: 10 });
  expect(items).toEqual([]);
};

describe("the line to the store breaks at any call (hazard: storage error, commit aborted half-way)", () => {
  it("create: the retry succeeds, and a limit on sessions holds", async () => {
    const broken = await atEveryCall(async (call, when) => {
      const { engine, breaking } = await breakable({ maxSessionsPerUser: 1 });
      const input = { userId: USER, keyKind: "static" } as const;
      const broke = await breaking(call, when, () => engine.createSession(input));
      await claimsOf(engine, await engine.createSession(input));
      expect(await engine.listSessionHandles({ userId: USER })).toHaveLength(1);
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(2);
  });

  it("refresh: the retry succeeds now or days later, no session is lost, nobody is alarmed", async () => {
    for (const later of [0, MINUTE, 3 * 86_400_000]) {
      const broken = await atEveryCall(async (call, when) => {
        const { clock, engine, breaking } = await breakable();
        let held: IssuedSession = await engine.createSession({ userId: USER });
        clock.advance(MINUTE);
        held = refreshed(await refresh(engine, held));
        clock.advance(MINUTE);
        const broke = await breaking(call, when, () => refresh(engine, held));
        clock.advance(later);
        for (let round = 0; round < 3; round++) {
          held = refreshed(await refresh(engine, held));
          clock.advance(MINUTE);
          await use(engine, held);
        }
        await noAlarm(engine);
        return broke;
      });
      expect(broken).toBeGreaterThanOrEqual(2);
    }
  });

  it("revoke: never told as done unless durable; afterwards the session is dead for good (CVE-2020-15223)", async () => {
    const broken = await atEveryCall(async (call, when) => {
      const { engine, breaking } = await breakable();
      const session = await engine.createSession({ userId: USER });
      const { handle } = session.session;
      const broke = await breaking(call, when, () => engine.revokeSessions([handle], { reason: "logout" }));
      if (broke && when === "before") await claimsOf(engine, session);
      await engine.revokeSessions([handle], { reason: "logout" });
      await engine.revocations.catchUp();
      expect(await engine.verifyAccessToken({ accessToken: session.accessToken.token })).toMatchObject({
        why: "revoked",
      });
      expect((await refresh(engine, session)).kind).toBe("unauthorised");
      const { items } = await engine.listEvents({ types: ["session_ended"] }, { limit: 10 });
      expect(items).toMatchObject([{ reason: "logout", count: 1 }]);
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(2);
  });

  it("theft: all sessions that the user had end, also where the first attempt stopped half-way, and none that came later", async () => {
    const broken = await atEveryCall(async (call, when) => {
      const { clock, engine, breaking } = await breakable({ theftAction: "revoke_user" });
      const stolen = await engine.createSession({ userId: USER });
      const others = [];
      for (let count = 0; count < 60; count += 1) others.push(await engine.createSession({ userId: USER }));
      const stranger = await engine.createSession({ userId: "mallory" as UserId });
      clock.advance(MINUTE);
      const held = refreshed(await refresh(engine, stolen));
      clock.advance(MINUTE);
      await use(engine, held);
      const broke = await breaking(call, when, () => refresh(engine, stolen));
      const isFound = (await engine.listEvents({ types: ["token_reuse"] }, { limit: 10 })).items.length > 0;
      clock.advance(MINUTE);
      const later = await engine.createSession({ userId: USER });
      // The next sight is the victim's where the theft has been found.
      await refresh(engine, isFound ? held : stolen);
      for (const { session } of [held, ...others]) expect(await engine.getSession(session.handle)).toBeUndefined();
      expect((await engine.getSession(later.session.handle)) !== undefined).toBe(isFound);
      expect(await engine.getSession(stranger.session.handle)).toBeDefined();
      // A session that the theft ended beside the stolen one says nothing of those that came since.
      if (isFound) {
        await refresh(engine, others[0]!);
        await refresh(engine, stolen);
        refreshed(await refresh(engine, later));
      }
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(10);
  });

  it("theft: the alarm is lost with the transaction or kept with it, and the session does not survive the retry", async () => {
    for (const theftAction of ["revoke_session", "revoke_user"] as const) {
      const broken = await atEveryCall(async (call, when) => {
        const { clock, engine, breaking } = await breakable({ theftAction });
        const stolen = await engine.createSession({ userId: USER });
        clock.advance(MINUTE);
        const held = refreshed(await refresh(engine, stolen));
        clock.advance(MINUTE);
        await use(engine, held);
        const broke = await breaking(call, when, () => refresh(engine, stolen));
        await refresh(engine, stolen);
        expect((await refresh(engine, held)).kind).toBe("unauthorised");
        const { items } = await engine.listEvents({ types: ["token_reuse", "session_ended"] }, { limit: 10 });
        expect(items.map(({ type, count }) => `${type} ${count}`).toSorted()).toEqual([
          "session_ended 1",
          "token_reuse 1",
        ]);
        return broke;
      });
      expect(broken).toBeGreaterThanOrEqual(4);
    }
  });

  it("regenerate: a second try stores the payload and answers", async () => {
    const broken = await atEveryCall(async (call, when) => {
      const { engine, breaking } = await breakable();
      const session = await engine.createSession({ userId: USER });
      const regenerate = () => engine.regenerateAccessToken(session.accessToken.token, { role: "b" });
      const broke = await breaking(call, when, regenerate);
      expect(await regenerate()).toMatchObject({ kind: "regenerated", session: { payload: { role: "b" } } });
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(4);
  });

  it("step up: a second try notes it, and the session goes on", async () => {
    const broken = await atEveryCall(async (call, when) => {
      const { engine, breaking } = await breakable();
      const session = await engine.createSession({ userId: USER, form: "pawl" });
      const stepUp = () => engine.stepUp(session.accessToken.token, { methods: ["hwk"] });
      const broke = await breaking(call, when, stepUp);
      await stepUp();
      expect(refreshed(await refresh(engine, session)).session.auth?.methods).toEqual(["hwk"]);
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(4);
  });

  it("act for a user, and end that: a second try, or a refresh, tells; each is told once", async () => {
    const input = { userId: "bob" as UserId, payload: {}, reason: "ticket" };
    const types = ["acting_started", "acting_ended"] as const;
    const told = async (engine: SessionEngine) => (await engine.listEvents({ types }, { limit: 10 })).items.length;
    const pawl = async (engine: SessionEngine, { refreshToken }: IssuedSession) =>
      refreshed(await engine.refreshSession({ refreshToken: refreshToken.token, form: "pawl" }));
    const broken = await atEveryCall(async (call, when) => {
      const { clock, engine, breaking } = await breakable();
      const session = await engine.createSession({ userId: USER, form: "pawl" });
      const act = () => engine.actAs(session.accessToken.token, input);
      let broke = await breaking(call, when, act);
      // Where the first one was done, a second try is refused.
      expect(["regenerated", "refused"]).toContain((await act()).kind);
      expect(await told(engine)).toBe(2);
      const acting = await pawl(engine, session);
      expect(acting.session.userId).toBe("bob");

      const end = () => engine.actAsSelf(acting.accessToken.token);
      if (!broke) broke = await breaking(call, when, end);
      await end();
      expect((await pawl(engine, session)).session.userId).toBe(USER);
      expect(await told(engine)).toBe(4);

      await engine.actAs((await pawl(engine, session)).accessToken.token, input);
      clock.advance(20 * MINUTE);
      if (!broke) broke = await breaking(call, when, () => pawl(engine, session));
      expect((await pawl(engine, session)).session.userId).toBe(USER);
      expect(await told(engine)).toBe(8);
      await noAlarm(engine);
      return broke;
    });
    expect(broken).toBeGreaterThanOrEqual(4);
  });
});

it("a failure of the store is thrown as what it is, never told as an answer about the session", async () => {
  const clock = new StandingClock();
  const real = new MemoryStorage({ clock });
  let down = false;
  const storage = intercepted(real, async ({ proceed }) => {
    if (down) throw new StorageError("unavailable", "the store is down");
    return proceed();
  });
  const engine = await createEngine({ storage, masterKeys: MASTER_KEYS, policy: { checkDatabase: true } });
  const session = await engine.createSession({ userId: USER });
  const { handle } = session.session;
  const accessToken = session.accessToken.token;
  down = true;
  const calls: (() => Promise<unknown>)[] = [
    () => engine.createSession({ userId: USER }),
    () => refresh(engine, session),
    () => engine.verifyAccessToken({ accessToken }),
    () => engine.confirmAccessToken({ accessToken }),
    () => engine.regenerateAccessToken(accessToken),
    () => engine.stepUp(accessToken, { methods: [] }),
    () => engine.actAs(accessToken, { userId: "bob" as UserId, payload: {}, reason: "ticket" }),
    () => engine.actAsSelf(accessToken),
    () => engine.getSession(handle),
    () => engine.listSessions({}, { limit: 1 }),
    () => engine.listSessionHandles({ userId: USER }),
    () => engine.updatePayload(handle, {}),
    () => engine.updateSessionData(handle, {}),
    () => engine.revokeSessions([handle]),
    () => engine.revokeAllForUser({ userId: USER }),
    () => engine.revokeTenant(session.session.tenantId),
    () => engine.explainSession(handle),
    () => engine.listEvents({}, { limit: 1 }),
    () => engine.sweep(),
    () => engine.maintainSigningKeys(),
    () => engine.rotateSigningKey(),
    () => engine.revocations.catchUp(),
    () => engine.revocationsSince(undefined),
    () => engine.reportUses([{ handle, seq: 0, issuedAt: clock.now() }]),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ name: "StorageError", code: "unavailable" });
  // What was verified without the store goes on.
  expect(engine.verifier.verify({ accessToken }).kind).toBe("valid");
  expect((await engine.verifyAccessToken({ accessToken, checkDatabase: false })).kind).toBe("valid");
  expect(await engine.refreshSession({ refreshToken: "pawl_rt_1.x" })).toMatchObject({ why: "invalid_token" });
});

it("a token whose key cannot be looked up is trouble of the store for everyone who asks, not only for the first", async () => {
  const real = new MemoryStorage({ clock: new StandingClock() });
  let down = false;
  const storage = intercepted(real, async ({ proceed }) => {
    if (down) throw new StorageError("unavailable", "the store is down");
    return proceed();
  });
  const engine = await createEngine({ storage, masterKeys: MASTER_KEYS });
  const other = await createEngine({ storage: real, masterKeys: MASTER_KEYS });
  const session = await other.createSession({ userId: USER, keyKind: "static" });
  const { token: accessToken } = session.accessToken;
  down = true;
  for (let caller = 0; caller < 3; caller++)
    await expect(engine.verifyAccessToken({ accessToken })).rejects.toMatchObject({ code: "unavailable" });
  down = false;
  expect((await engine.verifyAccessToken({ accessToken })).kind).toBe("valid");
});
