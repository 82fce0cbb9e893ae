import { type EventType, type SessionId, type Storage } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine, type IssuedSession, type SessionEngine } from "../../src/index.js";
import {
  claimsOf,
  DAY,
  MASTER_KEYS,
  MINUTE,
  onEveryStore,
  refresh,
  refreshed,
  SECOND,
  type Stage,
  stores,
  use,
  USER,
  WINDOW,
} from "../engines.js";

const login = (engine: SessionEngine): Promise<IssuedSession> => engine.createSession({ userId: USER });

const seqs = async (engine: SessionEngine, session: IssuedSession) => {
  const { seq, parentSeq } = await claimsOf(engine, session);
  return { seq, parentSeq };
};

const rowOf = async (storage: Storage, session: IssuedSession) => {
  const row = await storage.getSession(session.session.handle as string as SessionId);
  if (row === undefined) throw new Error("no row");
  return row;
};

const countEvents = async (engine: SessionEngine, ...types: EventType[]): Promise<number> => {
  const { items } = await engine.listEvents({ types }, { limit: 100 });
  return items.reduce((sum, event) => sum + event.count, 0);
};

onEveryStore("refresh of an honest client", (open) => {
  it("turns the token, names its parent until it was used, then no more", async () => {
    const { clock, engine: start } = await open();
    const engine = await start();
    const first = await login(engine);
    expect(await seqs(engine, first)).toEqual({ seq: 0, parentSeq: undefined });

    clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    expect(await seqs(engine, second)).toEqual({ seq: 1, parentSeq: 0 });
    expect(second.refreshToken.createdTime).toBe(clock.now());
    expect(second.refreshToken.expiry).toBe(clock.now() + engine.policy.refreshTokenValidity);
    expect(second.antiCsrfToken).toBe(first.antiCsrfToken);

    clock.advance(MINUTE);
    await use(engine, second);
    const third = refreshed(await refresh(engine, second));
    expect(await seqs(engine, third)).toEqual({ seq: 2, parentSeq: 1 });
    expect(await countEvents(engine, "token_reuse", "forged_token", "fast_forward")).toBe(0);
  });

  it.each([SECOND, WINDOW, WINDOW + 1, 90 * MINUTE, 3 * DAY, 99 * DAY])(
    "an answer that was lost is retried after %d ms (hazard: answer to refresh lost)",
    async (later) => {
      const { clock, engine: start } = await open();
      const engine = await start();
      let held = await login(engine);
      for (let round = 0; round < 3; round++) {
        clock.advance(MINUTE);
        refreshed(await refresh(engine, held));
        clock.advance(later);
        held = refreshed(await refresh(engine, held));
      }
      expect(await countEvents(engine, "token_reuse")).toBe(0);
    },
  );

  it("the expiry stands still inside the window", async () => {
    const { clock, engine: start } = await open();
    const engine = await start();
    const first = await login(engine);
    clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    clock.advance(WINDOW);
    const again = refreshed(await refresh(engine, first));
    expect(again.refreshToken.expiry).toBe(second.refreshToken.expiry);
    expect(again.refreshToken.createdTime).toBe(clock.now());
    expect(again.refreshToken.token).not.toBe(second.refreshToken.token);
    expect(await seqs(engine, again)).toEqual({ seq: 1, parentSeq: 0 });
  });

  it("the newest token inside the window is the same copy, written anew with its own time", async () => {
    const { clock, engine: start } = await open();
    const engine = await start();
    const first = await login(engine);
    clock.advance(SECOND);
    const kept = refreshed(await refresh(engine, first));
    expect(kept.refreshToken.token).not.toBe(first.refreshToken.token);
    expect(kept.refreshToken.createdTime).toBe(first.refreshToken.createdTime);
    expect(await seqs(engine, kept)).toEqual({ seq: 0, parentSeq: undefined });
  });

  it.each([2, 3])("%i tabs with one jar, answers in any order (hazard: two tabs)", async (tabs) => {
    const { clock, engine: start } = await open();
    const engine = await start();
    let jar = await login(engine);
    for (let round = 0; round < 4; round++) {
      clock.advance(MINUTE);
      const outcomes = await Promise.all(Array.from({ length: tabs }, () => refresh(engine, jar)));
      const answers = outcomes.map(refreshed);
      const lineage = new Set(await Promise.all(answers.map(async (answer) => (await seqs(engine, answer)).seq)));
      expect([...lineage]).toEqual([round + 1]);
      // The answer that arrives last is the one the jar keeps.
      jar = answers[round % tabs] ?? jar;
      if (round % 2 === 0) await use(engine, jar);
    }
  });

  it("20 refreshes at once make one lineage (CVE-2026-1035)", async () => {
    const { clock, storage, engine: start } = await open();
    const engine = await start();
    const otherNode = await start();
    const first = await login(engine);
    clock.advance(MINUTE);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => refresh(index % 2 === 0 ? engine : otherNode, first)),
    );
    for (const outcome of outcomes) expect(await seqs(engine, refreshed(outcome))).toEqual({ seq: 1, parentSeq: 0 });
    expect(await rowOf(storage, first)).toMatchObject({ current: 0, next: 1 });
  });
});

onEveryStore("reuse window", (open) => {
  it.each([
    [WINDOW - 1, 1],
    [WINDOW, 1],
    [WINDOW + 1, 2],
  ])("the parent presented %d ms after the rotation is answered with token %d", async (later, seq) => {
    const { clock, engine: start } = await open();
    const engine = await start();
    const first = await login(engine);
    clock.advance(MINUTE);
    refreshed(await refresh(engine, first));
    clock.advance(later);
    expect((await seqs(engine, refreshed(await refresh(engine, first)))).seq).toBe(seq);
  });

  it.each([
    [WINDOW - 1, "refreshed"],
    [WINDOW, "refreshed"],
    [WINDOW + 1, "token_reuse"],
  ])("the parent presented %d ms after its child was refreshed: %s", async (later, kind) => {
    const { clock, engine: start } = await open();
    const engine = await start();
    const first = await login(engine);
    clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    clock.advance(later);
    refreshed(await refresh(engine, second));
    expect((await refresh(engine, first)).kind).toBe(kind);
  });
});

onEveryStore("thief", (open) => {
  /** A session that is two minutes old, its refresh token copied. */
  const rob = async (stage: Stage, engine: SessionEngine) => {
    const session = await login(engine);
    stage.clock.advance(2 * MINUTE);
    return { victim: session, thief: session };
  };

  const expectCaught = async (stage: Stage, engine: SessionEngine, culprit: IssuedSession) => {
    const outcome = await refresh(engine, culprit);
    const { handle, tenantId, userId } = culprit.session;
    expect(outcome).toEqual({ kind: "token_reuse", session: { handle, tenantId, userId }, ended: [handle] });
    const row = await rowOf(stage.storage, culprit);
    expect(row).toMatchObject({ endReason: "token_reuse", payload: "{}", data: "{}" });
    expect(await engine.getSession(handle)).toBeUndefined();
    expect(await countEvents(engine, "token_reuse")).toBe(1);
    expect(await countEvents(engine, "session_ended")).toBe(1);
    // Nothing lives on after the alarm, and it rings once.
    expect((await refresh(engine, culprit)).kind).toBe("unauthorised");
  };

  it("who refreshes first is noticed when the victim comes", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { victim, thief } = await rob(stage, engine);
    const loot = refreshed(await refresh(engine, thief));
    stage.clock.advance(2 * MINUTE);
    await use(engine, loot);
    await expectCaught(stage, engine, victim);
    expect(await engine.verifyAccessToken({ accessToken: loot.accessToken.token })).toMatchObject({ why: "revoked" });
    expect(await refresh(engine, loot)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  });

  it("who refreshes second is noticed at once", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { victim, thief } = await rob(stage, engine);
    const own = refreshed(await refresh(engine, victim));
    stage.clock.advance(2 * MINUTE);
    await use(engine, own);
    await expectCaught(stage, engine, thief);
  });

  it("is noticed one refresh later where no use is reported", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { victim, thief } = await rob(stage, engine);
    const loot = refreshed(await refresh(engine, thief));
    stage.clock.advance(2 * MINUTE);
    refreshed(await refresh(engine, victim));
    stage.clock.advance(2 * MINUTE);
    await expectCaught(stage, engine, loot);
  });

  it("at the victim's cadence, a minute behind each of its refreshes, is noticed at the first", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { victim, thief } = await rob(stage, engine);
    const next = refreshed(await refresh(engine, victim));
    stage.clock.advance(MINUTE);
    await use(engine, next);
    await expectCaught(stage, engine, thief);
  });

  it("inside the window of every rotation looks like a second tab (known residue)", async () => {
    const stage = await open();
    const engine = await stage.engine();
    let { victim, thief } = await rob(stage, engine);
    for (let round = 0; round < 5; round++) {
      victim = refreshed(await refresh(engine, victim));
      stage.clock.advance(WINDOW);
      thief = refreshed(await refresh(engine, thief));
      stage.clock.advance(MINUTE);
    }
  });

  it("with the access token alone is out at its expiry, or at once when the session is revoked", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await login(engine);
    const stolen = { accessToken: session.accessToken.token };
    stage.clock.advance(engine.policy.accessTokenValidity - 1);
    expect((await engine.verifyAccessToken(stolen)).kind).toBe("valid");
    stage.clock.advance(1);
    expect(await engine.verifyAccessToken(stolen)).toMatchObject({ kind: "try_refresh", why: "expired" });

    const other = await login(engine);
    await engine.revokeSessions([other.session.handle]);
    expect(await engine.verifyAccessToken({ accessToken: other.accessToken.token })).toMatchObject({ why: "revoked" });
  });

  it("is reported, and only reported, when the policy says so; the alarms of an hour are counted in one event", async () => {
    const stage = await open();
    const engine = await stage.engine({ theftAction: "report" });
    const { victim, thief } = await rob(stage, engine);
    const own = refreshed(await refresh(engine, victim));
    stage.clock.advance(MINUTE);
    await use(engine, own);
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await refresh(engine, thief)).toMatchObject({ kind: "token_reuse", ended: [] });
    const { items } = await engine.listEvents({ types: ["token_reuse"] }, { limit: 10 });
    expect(items).toMatchObject([{ count: 3, sessionId: victim.session.handle, userId: USER }]);
    refreshed(await refresh(engine, own));
    expect((await engine.explainSession(victim.session.handle)).summary).toContain("Noticed 3 times: a refresh token");
  });

  it("costs the user all sessions when the policy says so, of this tenant and no other user", async () => {
    const stage = await open();
    const engine = await stage.engine({ theftAction: "revoke_user" });
    const { victim, thief } = await rob(stage, engine);
    const second = await login(engine);
    const stranger = await engine.createSession({ userId: "user-2" as typeof USER });
    const own = refreshed(await refresh(engine, victim));
    stage.clock.advance(MINUTE);
    await use(engine, own);
    const outcome = await refresh(engine, thief);
    expect(outcome).toMatchObject({ kind: "token_reuse" });
    expect("ended" in outcome ? [...outcome.ended].toSorted() : []).toEqual(
      [victim.session.handle, second.session.handle].toSorted(),
    );
    expect((await engine.verifyAccessToken({ accessToken: second.accessToken.token })).kind).toBe("unauthorised");
    expect((await engine.verifyAccessToken({ accessToken: stranger.accessToken.token })).kind).toBe("valid");
    expect((await engine.explainSession(second.session.handle)).summary).toContain("another session of this user");
  });

  it("of two that come at once one is told of the theft, the other of a session that is gone", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { victim, thief } = await rob(stage, engine);
    const own = refreshed(await refresh(engine, victim));
    stage.clock.advance(MINUTE);
    await use(engine, own);
    const outcomes = await Promise.all([refresh(engine, thief), refresh(engine, thief), refresh(engine, thief)]);
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["token_reuse", "unauthorised", "unauthorised"]);
    expect(await countEvents(engine, "token_reuse")).toBe(1);
  });
});

onEveryStore("window 0, the documented sequences of 1.0", (open) => {
  const start = async (stage: Stage) => stage.engine({ reuseWindow: 0 as never, theftAction: "report" });

  it("a use confirms at once, and the parent is theft from then on", async () => {
    const stage = await open();
    const engine = await start(stage);
    const first = await login(engine);
    const second = refreshed(await refresh(engine, first));
    await use(engine, second);
    expect(await refresh(engine, first)).toMatchObject({ kind: "token_reuse", ended: [] });
  });

  it("a refresh of the child is theft of the parent", async () => {
    const stage = await open();
    const engine = await start(stage);
    const first = await login(engine);
    const second = refreshed(await refresh(engine, first));
    refreshed(await refresh(engine, second));
    expect((await refresh(engine, first)).kind).toBe("token_reuse");
  });

  it("the parent makes as many children as it is asked for while none was used", async () => {
    const stage = await open();
    const engine = await start(stage);
    const first = await login(engine);
    const children = [];
    for (let child = 0; child < 3; child++) children.push(refreshed(await refresh(engine, first)));
    expect(await Promise.all(children.map(async (child) => (await seqs(engine, child)).seq))).toEqual([1, 2, 3]);
  });

  it("a sibling minted later displaces the earlier one: its access token confirms nothing, its refresh token is theft", async () => {
    const stage = await open();
    const engine = await start(stage);
    const first = await login(engine);
    const earlier = refreshed(await refresh(engine, first));
    const later = refreshed(await refresh(engine, first));
    await use(engine, earlier);
    // The parent stays valid until the newest child is used.
    const newest = refreshed(await refresh(engine, first));
    expect((await seqs(engine, newest)).seq).toBe(3);
    expect((await refresh(engine, earlier)).kind).toBe("token_reuse");
    expect((await refresh(engine, later)).kind).toBe("token_reuse");
    await use(engine, newest);
    expect((await refresh(engine, first)).kind).toBe("token_reuse");
    refreshed(await refresh(engine, newest));
  });
});

onEveryStore("failover that lost commits (hazard: database failover)", (open) => {
  /** Another store that holds what the first one held then: a replica promoted too early. */
  const promote = async (stage: Stage, row: Awaited<ReturnType<typeof rowOf>>): Promise<SessionEngine> => {
    const { storage } = await stores.memory(stage.clock);
    await storage.createSession(row);
    for (const key of await stage.storage.getSigningKeys()) await storage.addSigningKey(key, undefined);
    return createEngine({ storage, masterKeys: MASTER_KEYS });
  };

  it.each([1, 2, 3])("%i lost rotations: the row catches up, nobody is alarmed, it is counted", async (lost) => {
    const stage = await open();
    const engine = await stage.engine();
    let held = await login(engine);
    const snapshots = [await rowOf(stage.storage, held)];
    for (let round = 0; round < 4; round++) {
      stage.clock.advance(MINUTE);
      held = refreshed(await refresh(engine, held));
      snapshots.push(await rowOf(stage.storage, held));
    }
    stage.clock.advance(MINUTE);
    const promoted = await promote(stage, snapshots.at(-1 - lost) as (typeof snapshots)[number]);

    const caughtUp = refreshed(await refresh(promoted, held));
    expect((await seqs(promoted, caughtUp)).seq).toBe(4);
    expect(caughtUp.refreshToken.createdTime).toBe(stage.clock.now());
    expect(await countEvents(promoted, "fast_forward")).toBe(1);

    stage.clock.advance(MINUTE);
    await use(promoted, caughtUp);
    const next = refreshed(await refresh(promoted, caughtUp));
    expect((await seqs(promoted, next)).seq).toBe(5);
    expect(await countEvents(promoted, "token_reuse")).toBe(0);
  });

  it("a lost login is an unknown session, no alarm", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const other = await login(engine);
    const session = await login(engine);
    const promoted = await promote(stage, await rowOf(stage.storage, other));
    expect(await refresh(promoted, session)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  });
});
