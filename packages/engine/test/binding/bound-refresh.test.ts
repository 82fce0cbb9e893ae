import type { SessionId } from "@pawl/storage";
import { expect, it } from "vitest";
import type { IssuedSession, RefreshOutcome, SessionEngine } from "../../src/index.js";
import { claimsOf, HOUR, MINUTE, onEveryStore, refresh, refreshed, SECOND, type Stage, use, USER } from "../engines.js";
import { regenerated } from "../regenerated.js";
import { bind, bound, Device, refreshBound } from "./device.js";

const PREFER = { deviceBinding: "prefer" } as const;
const LOGIN = { userId: USER, form: "pawl", bindable: true } as const;

const rowOf = async ({ storage }: Stage, { session }: IssuedSession) =>
  storage.getSession(session.handle as string as SessionId);

const eventsOf = async (engine: SessionEngine) =>
  (await engine.listEvents({ userId: USER }, { limit: 100 })).items
    .map(({ type, count }) => `${type} ${count}`)
    .toReversed();

/** A session that is bound, an hour after. */
const openBound = async (open: () => Promise<Stage>) => {
  const stage = await open();
  const engine = await stage.engine(PREFER);
  const device = new Device();
  const login = await engine.createSession(LOGIN);
  stage.clock.advance(SECOND);
  const session = await bound(bind(engine, login, device));
  stage.clock.advance(HOUR);
  return { stage, engine, device, login, session };
};

/** What a copy is worth: `next`, `current`, one that was replaced, and one of a rotation that the store has lost. */
const openLineage = async (open: () => Promise<Stage>) => {
  const opened = await openBound(open);
  const { stage, engine, device, session: replaced } = opened;
  const current = refreshed(await refreshBound(engine, replaced, device));
  stage.clock.advance(MINUTE);
  await use(engine, current);
  const newest = refreshed(await refreshBound(engine, current, device));
  stage.clock.advance(MINUTE);
  return { ...opened, copies: { replaced, current, newest } };
};

onEveryStore("the refresh of a bound session", (open) => {
  it("is answered with a proof of its key, and says so", async () => {
    const { engine, device, session, stage } = await openBound(open);
    const next = refreshed(await refreshBound(engine, session, device));
    expect(next).toMatchObject({ minted: true, session: { bound: true } });
    expect((await claimsOf(engine, next)).bound).toBe(true);
    expect(await engine.getSession(session.session.handle)).toMatchObject({ bound: true });
    expect(await eventsOf(engine)).toEqual(["device_bound 1"]);
    expect((await engine.explainSession(session.session.handle)).summary).toContain(
      "Bound to a key of its device since 2027-01-15 08:00 UTC.",
    );
    stage.clock.advance(HOUR);
    refreshed(await refreshBound(engine, next, device));
  });

  it("is refused without a proof, whatever the token; it goes on, and one event an hour tells", async () => {
    const { engine, device, copies, stage } = await openLineage(open);
    const before = await rowOf(stage, copies.newest);
    for (const copy of Object.values(copies))
      expect(await refresh(engine, copy)).toMatchObject({ kind: "unproven", why: "missing" });
    expect(await rowOf(stage, copies.newest)).toEqual(before);
    expect(await eventsOf(engine)).toEqual(["device_bound 1", "unproven_refresh 3"]);
    expect((await engine.explainSession(copies.newest.session.handle)).summary).toContain(
      "Noticed 3 times: a refresh came without a proof of the key that the session is bound to.",
    );
    refreshed(await refreshBound(engine, copies.newest, device));
  });

  it("is refused with a proof of another key, whatever the token", async () => {
    const { engine, device, copies, stage } = await openLineage(open);
    const before = await rowOf(stage, copies.newest);
    const [stranger, rsa] = [new Device(), new Device("RS256")];
    for (const copy of Object.values(copies))
      for (const thief of [stranger, rsa])
        expect(await refreshBound(engine, copy, thief)).toMatchObject({ kind: "unproven", why: "foreign" });
    expect(await rowOf(stage, copies.newest)).toEqual(before);
    expect(await eventsOf(engine)).toEqual(["device_bound 1", "unproven_refresh 6"]);
    refreshed(await refreshBound(engine, copies.newest, device));
  });

  it("is asked for a proof where the browser names the session, without an event", async () => {
    const { engine, device, copies } = await openLineage(open);
    const { newest } = copies;
    const { handle } = newest.session;
    const { token: refreshToken } = newest.refreshToken;
    const asked = await engine.refreshSession({ refreshToken, boundSession: handle, form: "pawl" });
    expect(asked).toMatchObject({ kind: "unproven", why: "missing", session: { handle, userId: USER } });
    expect(await engine.refreshSession({ refreshToken, skippedSessions: ["none", handle] })).toEqual(asked);
    expect(await engine.refreshSession({ refreshToken, unprovenIsExpected: true })).toEqual(asked);
    const { challenge } = asked as Extract<RefreshOutcome, { kind: "unproven" }>;
    const input = { refreshToken, boundSession: handle, proof: device.proof(challenge), form: "pawl" } as const;
    refreshed(await engine.refreshSession(input));
    // A browser sends the same proof until it is given another challenge.
    refreshed(await engine.refreshSession(input));
    expect(await eventsOf(engine)).toEqual(["device_bound 1"]);
  });

  it("is asked for another proof when the challenge is older than 5 minutes, of another session, or of another purpose", async () => {
    const { engine, device, session, login, stage } = await openBound(open);
    const old = engine.challengeFor(session.session.handle);
    stage.clock.advance(5 * MINUTE);
    refreshed(await refreshBound(engine, session, device, old));
    stage.clock.advance(1);
    const other = await engine.createSession(LOGIN);
    for (const challenge of [
      old,
      login.registration,
      other.registration,
      engine.challengeFor(other.session.handle),
      "",
    ])
      expect(await refreshBound(engine, session, device, challenge)).toMatchObject({
        kind: "unproven",
        why: "challenge",
      });
    expect(await eventsOf(engine)).toEqual(["device_bound 1"]);
  });

  it("is judged by the table of rotation once it is proven: a replaced token is stolen all the same", async () => {
    const { engine, device, copies, stage } = await openLineage(open);
    const { replaced, current, newest } = copies;
    expect(refreshed(await refreshBound(engine, current, device)).refreshToken.createdTime).toBe(stage.clock.now());
    const row = await rowOf(stage, newest);
    expect(row).toMatchObject({ current: 1, next: 3 });
    expect(await refreshBound(engine, replaced, device)).toMatchObject({ kind: "token_reuse" });
    expect(await refreshBound(engine, newest, device)).toMatchObject({ kind: "unauthorised", reason: "token_reuse" });
  });

  it("of no other session than the one the browser names", async () => {
    const { engine, device, session } = await openBound(open);
    const { token: refreshToken } = session.refreshToken;
    const other = await engine.createSession(LOGIN);
    const named = { boundSession: other.session.handle, proof: device.proof("") };
    expect(await engine.refreshSession({ refreshToken, ...named })).toMatchObject({ why: "other_session" });
    const both = { refreshToken, otherRefreshTokens: [other.refreshToken.token], ...named };
    expect(refreshed(await engine.refreshSession(both)).session.handle).toBe(other.session.handle);
    expect(await engine.refreshSession({ refreshToken, boundSession: "nonsense" })).toMatchObject({
      why: "other_session",
    });
    expect(await eventsOf(engine)).toEqual(["device_bound 1"]);
  });

  it("counts for more than the end of another session, or its theft, whose token came beside it", async () => {
    const { engine, session, stage } = await openBound(open);
    const [ended, stolen] = [await engine.createSession(LOGIN), await engine.createSession(LOGIN)];
    await engine.revokeSessions([ended.session.handle]);
    stage.clock.advance(HOUR);
    const next = refreshed(await refresh(engine, stolen));
    stage.clock.advance(MINUTE);
    await use(engine, next);
    const tokens = [ended, stolen, session].map(({ refreshToken }) => refreshToken.token);
    for (const [index, refreshToken = ""] of tokens.entries()) {
      const otherRefreshTokens = tokens.filter((_, at) => at !== index);
      expect(await engine.refreshSession({ refreshToken, otherRefreshTokens })).toMatchObject({ kind: "unproven" });
    }
  });

  it("stays bound, and its key known, through a step-up and acting for a user", async () => {
    const { engine, device, session } = await openBound(open);
    const next = refreshed(await refreshBound(engine, session, device));
    const stepped = await engine.stepUp(next.accessToken.token, { methods: ["hwk"], bindable: true });
    expect(stepped).toMatchObject({ kind: "regenerated", session: { bound: true } });
    expect(stepped).not.toHaveProperty("registration");
    refreshed(await refreshBound(engine, next, device));
  });

  it("makes no token that was copied before a step-up one that has stepped up", async () => {
    const { engine, stage, device, session } = await openBound(open);
    const copied = refreshed(await refreshBound(engine, session, device)).accessToken.token;
    const changed = regenerated(await engine.regenerateAccessToken(copied, { role: "reader" }));
    expect(await engine.regenerateAccessToken(copied)).toMatchObject({ kind: "regenerated" });
    stage.clock.advance(MINUTE);
    const stepped = regenerated(await engine.stepUp(changed.accessToken!.token, { methods: ["hwk"] }));
    expect(await engine.regenerateAccessToken(copied)).toMatchObject({ kind: "outdated" });
    expect(await engine.regenerateAccessToken(copied, { role: "admin" })).toMatchObject({ kind: "outdated" });
    expect(await engine.regenerateAccessToken(stepped.accessToken!.token)).toMatchObject({ kind: "regenerated" });
  });

  it("goes on when the policy changes to off, which binds no session any more", async () => {
    const { stage, device, session } = await openBound(open);
    const engine = await stage.engine();
    expect(await refresh(engine, session)).toMatchObject({ kind: "unproven" });
    refreshed(await refreshBound(engine, session, device));
    const login = await engine.createSession(LOGIN);
    expect(login).not.toHaveProperty("registration");
    expect(await bind(engine, login, device)).toMatchObject({ kind: "refused", why: "policy" });
  });
});

onEveryStore("the policy that requires binding", (open) => {
  it("refuses every refresh of a session that is not bound, without ending it", async () => {
    const stage = await open();
    const engine = await stage.engine({ deviceBinding: "require" });
    const [login, device] = [await engine.createSession(LOGIN), new Device()];
    expect(await refresh(engine, login)).toMatchObject({ kind: "unproven", why: "unbound" });
    expect(await eventsOf(engine)).toEqual([]);
    const session = await bound(bind(engine, login, device));
    stage.clock.advance(MINUTE);
    refreshed(await refreshBound(engine, session, device));
    expect(await refresh(engine, session)).toMatchObject({ kind: "unproven", why: "missing" });
    await engine.revokeSessions([session.session.handle]);
    expect(await refresh(engine, session)).toMatchObject({ kind: "unauthorised" });
  });
});
