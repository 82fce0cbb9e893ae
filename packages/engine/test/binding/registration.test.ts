import type { SessionId } from "@pawl/storage";
import { expect, it } from "vitest";
import type { IssuedSession, SessionEngine } from "../../src/index.js";
import { HOUR, memoryStage, MINUTE, onEveryStore, refresh, refreshed, SECOND, type Stage, USER } from "../engines.js";
import { regenerated } from "../regenerated.js";
import { bind, bound, Device, refreshBound } from "./device.js";

const PREFER = { deviceBinding: "prefer" } as const;
const LOGIN = { userId: USER, form: "pawl", bindable: true } as const;

const login = async (open: () => Promise<Stage>) => {
  const stage = await open();
  const engine = await stage.engine(PREFER);
  const session = await engine.createSession(LOGIN);
  stage.clock.advance(SECOND);
  return { stage, engine, session, device: new Device() };
};

const rowOf = async ({ storage }: Stage, { session }: IssuedSession) =>
  storage.getSession(session.handle as string as SessionId);

const typesOf = async (engine: SessionEngine) =>
  (await engine.listEvents({ userId: USER }, { limit: 100 })).items.map(({ type }) => type).toReversed();

onEveryStore("binding a session", (open) => {
  it.each(["ES256", "RS256"] as const)("takes a key of %s, and keeps what it signs with", async (alg) => {
    const { stage, engine, session } = await login(open);
    const device = new Device(alg);
    const issued = await bound(bind(engine, session, device));
    expect(issued.session).toEqual({ ...session.session, bound: true });
    expect(issued.refreshToken).not.toEqual(session.refreshToken);
    expect(await rowOf(stage, session)).toMatchObject({ current: 0, next: 0, factsVersion: 1 });
    expect(await engine.listEvents({ userId: USER }, { limit: 9 })).toMatchObject({
      items: [{ type: "device_bound", detail: JSON.stringify({ algorithm: alg }) }],
    });
    stage.clock.advance(HOUR);
    refreshed(await refreshBound(engine, issued, device));
  });

  it("is answered again when its answer was lost and it is sent once more, and for no other key", async () => {
    const { stage, engine, session, device } = await login(open);
    const first = await bound(bind(engine, session, device));
    stage.clock.advance(SECOND);
    const again = await bound(bind(engine, session, device));
    expect(again.refreshToken.createdTime).toBe(first.refreshToken.createdTime);
    expect(await bind(engine, session, new Device())).toMatchObject({ kind: "refused", why: "bound" });
    expect(await typesOf(engine)).toEqual(["device_bound"]);
    stage.clock.advance(HOUR);
    const next = refreshed(await refreshBound(engine, again, device));
    expect(await bind(engine, { ...next, registration: session.registration }, device)).toMatchObject({
      kind: "refused",
    });
  });

  it("of several at once, one counts", async () => {
    const { stage, engine, session } = await login(open);
    const other = await stage.engine(PREFER);
    const devices = [new Device(), new Device(), new Device()];
    const outcomes = await Promise.all(
      devices.map((device, index) => bind(index % 2 === 0 ? engine : other, session, device)),
    );
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["bound", "refused", "refused"]);
    expect(await typesOf(engine)).toEqual(["device_bound"]);
  });

  it("is refused once the session was refreshed", async () => {
    const { stage, engine, session, device } = await login(open);
    stage.clock.advance(MINUTE);
    const next = refreshed(await refresh(engine, session));
    for (const { refreshToken } of [session, next])
      expect(await bind(engine, { ...session, refreshToken }, device)).toMatchObject({ kind: "refused" });
    expect(await rowOf(stage, session)).toMatchObject({ bound: "", facts: "{}" });
  });

  it("is refused with any challenge but that of this session's login, of 5 minutes ago at most", async () => {
    const { stage, engine, session, device } = await login(open);
    const other = await engine.createSession(LOGIN);
    const refused = { kind: "refused", why: "challenge" };
    for (const registration of [undefined, "x", engine.challengeFor(session.session.handle)])
      expect(await bind(engine, { ...session, registration }, device)).toMatchObject(refused);
    expect(await bind(engine, { ...session, registration: other.registration }, device)).toMatchObject({
      kind: "refused",
      why: "no_session",
    });
    stage.clock.advance(5 * MINUTE - SECOND);
    const late = await bound(bind(engine, session, device));
    expect(late.session.bound).toBe(true);
    stage.clock.advance(SECOND + 1);
    expect(await bind(engine, other, device)).toMatchObject(refused);
  });

  it("is refused without a genuine refresh token of a live session", async () => {
    const { engine, session, device } = await login(open);
    const refused = { kind: "refused", why: "no_session" };
    const proof = device.registration(session.registration ?? "");
    expect(await engine.bindSession({ refreshTokens: ["nonsense"], proof })).toMatchObject(refused);
    const other = await engine.createSession(LOGIN);
    await engine.revokeSessions([other.session.handle]);
    expect(await bind(engine, other, device)).toMatchObject(refused);
  });

  it("is possible after a step-up, for a session that is not bound", async () => {
    const { stage, engine, session, device } = await login(open);
    stage.clock.advance(MINUTE);
    const next = refreshed(await engine.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" }));
    const stepUp = { methods: ["hwk"] };
    expect(regenerated(await engine.stepUp(next.accessToken.token, stepUp)).registration).toBeUndefined();
    const { registration } = regenerated(await engine.stepUp(next.accessToken.token, { ...stepUp, bindable: true }));
    const issued = await bound(bind(engine, { ...next, registration }, device));
    expect(issued.session.auth?.methods).toEqual(["hwk"]);
    stage.clock.advance(HOUR);
    refreshed(await refreshBound(engine, issued, device));
  });

  it("is chosen among several refresh tokens by its challenge", async () => {
    const { engine, session, device } = await login(open);
    const other = await engine.createSession(LOGIN);
    const outcome = await engine.bindSession({
      refreshTokens: [other.refreshToken.token, session.refreshToken.token],
      proof: device.registration(session.registration ?? ""),
    });
    expect(outcome).toMatchObject({ kind: "bound", handle: session.session.handle });
  });

  it("is possible without a refresh token, as after a login through another site; then the first proof settles it", async () => {
    const { stage, engine, session, device } = await login(open);
    const proof = device.registration(session.registration ?? "");
    const { handle } = session.session;
    for (const answer of [
      await engine.bindSession({ refreshTokens: [], proof }),
      await engine.bindSession({ refreshTokens: [], proof }),
    ]) {
      expect(answer).toMatchObject({ kind: "bound", handle });
      expect(answer).not.toHaveProperty("issued");
    }
    const stranger = new Device().registration(session.registration ?? "");
    expect(await engine.bindSession({ refreshTokens: [], proof: stranger })).toMatchObject({ why: "bound" });
    // Inside the reuse window, so that nothing is rotated.
    const kept = refreshed(await refreshBound(engine, session, device));
    expect(kept).toMatchObject({ minted: false, session: { bound: true } });
    stage.clock.advance(HOUR);
    for (const copy of [session, kept]) expect(await refresh(engine, copy)).toMatchObject({ kind: "unproven" });
    refreshed(await refreshBound(engine, session, device));
    expect(await typesOf(engine)).toEqual(["device_bound", "unproven_refresh"]);
  });

  it("without a refresh token, too, is refused for a session that has ended or was refreshed", async () => {
    const { stage, engine, session, device } = await login(open);
    const other = await engine.createSession(LOGIN);
    stage.clock.advance(MINUTE);
    refreshed(await refresh(engine, session));
    await engine.revokeSessions([other.session.handle]);
    const bindBlindly = ({ registration = "" }: typeof other) =>
      engine.bindSession({ refreshTokens: [], proof: device.registration(registration) });
    expect(await bindBlindly(session)).toMatchObject({ kind: "refused", why: "refreshed" });
    expect(await bindBlindly(other)).toMatchObject({ kind: "refused", why: "no_session" });
  });
});

onEveryStore("an answer to a registration that was lost", (open) => {
  it("logs nobody out: the key is forgotten at the next refresh, and the session goes on as one without", async () => {
    const { stage, engine, session, device } = await login(open);
    const lost = await bound(bind(engine, session, device));
    stage.clock.advance(HOUR);
    const next = refreshed(await refresh(engine, session));
    expect(next.session.bound).toBeUndefined();
    expect(await rowOf(stage, session)).toMatchObject({ bound: "", current: 0, next: 1 });
    expect(await typesOf(engine)).toEqual(["device_bound", "device_unbound"]);
    stage.clock.advance(HOUR);
    const later = refreshed(await refresh(engine, next));
    // The key counts no more, nor does a proof do harm.
    stage.clock.advance(HOUR);
    refreshed(await refreshBound(engine, later, device));
    expect(lost.session.bound).toBe(true);
  });

  it("is no way for a copy as new as the answer, nor after a refresh, nor where the browser names the session", async () => {
    const { stage, engine, session, device } = await login(open);
    const issued = await bound(bind(engine, session, device));
    const { handle: boundSession } = session.session;
    const { token: refreshToken } = session.refreshToken;
    stage.clock.advance(HOUR);
    expect(await refresh(engine, issued)).toMatchObject({ kind: "unproven" });
    expect(await engine.refreshSession({ refreshToken, boundSession })).toMatchObject({ kind: "unproven" });
    const stranger = { boundSession, proof: new Device().proof(engine.challengeFor(boundSession)) };
    expect(await engine.refreshSession({ refreshToken, ...stranger })).toMatchObject({ why: "foreign" });
    const next = refreshed(await refreshBound(engine, issued, device));
    for (const copy of [session, issued, next])
      expect(await refresh(engine, copy)).toMatchObject({ kind: "unproven", why: "missing" });
    expect(await rowOf(stage, session)).toMatchObject({ current: 0, next: 1 });
  });

  it("is told from one that arrived also where the clock stood still", async () => {
    const stage = await open();
    const engine = await stage.engine(PREFER);
    const [session, device] = [await engine.createSession(LOGIN), new Device()];
    const issued = await bound(bind(engine, session, device));
    stage.clock.advance(HOUR);
    expect(await refresh(engine, issued)).toMatchObject({ kind: "unproven" });
    expect(refreshed(await refresh(engine, session)).session.bound).toBeUndefined();
  });

  it("is no way where binding is required", async () => {
    const stage = await open();
    const engine = await stage.engine({ deviceBinding: "require" });
    const session = await engine.createSession(LOGIN);
    stage.clock.advance(SECOND);
    await bound(bind(engine, session, new Device()));
    stage.clock.advance(HOUR);
    expect(await refresh(engine, session)).toMatchObject({ kind: "unproven", why: "missing" });
  });
});

it("a copy of an older rotation neither releases a session that a step-up has bound, nor is it a theft", async () => {
  const stage = memoryStage();
  const engine = await stage.engine(PREFER);
  const old = await engine.createSession(LOGIN);
  stage.clock.advance(MINUTE);
  const next = refreshed(await engine.refreshSession({ refreshToken: old.refreshToken.token, form: "pawl" }));
  stage.clock.advance(MINUTE);
  await engine.reportUses([{ handle: next.session.handle, seq: 1, issuedAt: next.accessToken.createdTime }]);
  const stepped = regenerated(await engine.stepUp(next.accessToken.token, { methods: [], bindable: true }));
  await bound(bind(engine, { ...next, registration: stepped.registration }, new Device()));
  stage.clock.advance(MINUTE);
  expect(await refresh(engine, old)).toMatchObject({ kind: "unproven" });
  expect(await rowOf(stage, old)).toMatchObject({ current: 1, next: 1 });
});
