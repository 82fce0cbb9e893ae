import { millis } from "@pawl/storage";
import { expect, it } from "vitest";
import type { IssuedSession, RefusedOutcome, RegenerateOutcome, SessionEngine } from "../../src/index.js";
import { claimsOf, DAY, HOUR, memoryStage, MINUTE, onEveryStore, refreshed, SECOND, USER } from "../engines.js";
import { regenerated } from "../regenerated.js";

const PAWL = { userId: USER, form: "pawl" } as const;

const stepUp = (
  engine: SessionEngine,
  session: IssuedSession,
  auth = { methods: ["hwk"], level: "aal2" },
): Promise<RegenerateOutcome | RefusedOutcome> => engine.stepUp(session.accessToken.token, auth);

const refreshPawl = async (engine: SessionEngine, session: IssuedSession): Promise<IssuedSession> =>
  refreshed(await engine.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" }));

onEveryStore("how sure it is who is there", (open) => {
  it("is what the login says, in the token in whole seconds, and no refresh moves it", async () => {
    const stage = await open();
    const engine = await stage.engine();
    stage.clock.advance(SECOND / 2);
    const at = millis(stage.clock.now() - 5 * MINUTE);
    const auth = { at, methods: ["pwd", "otp"], level: "aal2" };
    const session = await engine.createSession({ ...PAWL, auth });
    expect(session.session.auth).toEqual(auth);
    expect((await claimsOf(engine, session)).auth).toEqual({ ...auth, at: at - SECOND / 2 });
    expect((await engine.getSession(session.session.handle))?.auth).toEqual(auth);

    let held = session;
    for (let round = 0; round < 3; round += 1) {
      stage.clock.advance(DAY);
      held = await refreshPawl(engine, held);
      expect(held.session.auth).toEqual(auth);
    }
    expect((await engine.explainSession(session.session.handle)).summary).toContain(
      "Last authenticated 2027-01-15 07:55 UTC by pwd, otp (aal2).",
    );
  });

  it("is known by the time of a login that says nothing", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    const auth = { at: stage.clock.now(), methods: [] };
    expect(session.session.auth).toEqual(auth);
    stage.clock.advance(HOUR);
    expect((await claimsOf(engine, await refreshPawl(engine, session))).auth).toEqual(auth);
  });

  it("never lies ahead of the store's clock", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const ahead = millis(stage.clock.now() + MINUTE);
    const session = await engine.createSession({ ...PAWL, auth: { at: ahead, methods: ["pwd"] } });
    expect(session.session.auth?.at).toBe(stage.clock.now());
  });
});

onEveryStore("stepping up", (open) => {
  it("keeps session, refresh token and expiry; older access tokens are refused, the new one says how", async () => {
    const stage = await open();
    const [engine, other] = [await stage.engine(), await stage.engine()];
    const session = await engine.createSession({ ...PAWL, payload: { role: "user" } });
    stage.clock.advance(MINUTE);
    const { session: stepped, accessToken } = regenerated(await stepUp(engine, session));
    const auth = { at: stage.clock.now(), methods: ["hwk"], level: "aal2" };
    expect(stepped).toEqual({ ...session.session, payloadVersion: 1, auth });
    expect(accessToken?.expiry).toBe(session.accessToken.expiry);
    const given = await engine.verifyAccessToken({ accessToken: accessToken?.token ?? "" });
    expect(given).toMatchObject({ kind: "valid", claims: { auth, payload: { role: "user" }, payloadVersion: 1 } });

    await other.revocations.catchUp();
    for (const node of [engine, other])
      expect(await node.verifyAccessToken({ accessToken: session.accessToken.token })).toMatchObject({
        kind: "try_refresh",
        why: "outdated",
      });

    expect(await engine.listSessionHandles({ userId: USER })).toEqual([session.session.handle]);
    const next = await refreshPawl(engine, session);
    expect(next.session).toMatchObject({ handle: session.session.handle, auth, payloadVersion: 1 });
  });

  it("gives no token for one that has expired, and notes it all the same", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    stage.clock.advance(HOUR);
    const outcome = regenerated(await stepUp(engine, session));
    expect(outcome.accessToken).toBeUndefined();
    expect((await refreshPawl(engine, session)).session.auth?.methods).toEqual(["hwk"]);
  });

  it("is unauthorised for a session that has just ended, and for what is no token", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    await engine.revokeSessions([session.session.handle]);
    expect(await stepUp(engine, session)).toMatchObject({ kind: "unauthorised", why: "no_session" });
    expect(await engine.stepUp("nonsense", { methods: [] })).toMatchObject({ why: "invalid_token" });
  });

  it("of two at once, both are noted and neither is lost", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    const outcomes = await Promise.all([stepUp(engine, session), stepUp(engine, session)]);
    expect(new Set(outcomes.map((outcome) => regenerated(outcome).session.payloadVersion))).toEqual(new Set([1, 2]));
  });

  it("goes on from what a repeated refresh answers: the row's facts", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    stage.clock.advance(MINUTE);
    const first = await engine.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" });
    await stepUp(engine, refreshed(first));
    const again = await engine.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" });
    expect(first).toMatchObject({ minted: true, session: { payloadVersion: 0 } });
    expect(again).toMatchObject({ minted: false, session: { payloadVersion: 1, auth: { methods: ["hwk"] } } });
  });
});

it.each<[string, object]>([
  ["a method with a blank", { methods: ["one time"] }],
  ["a method with a quotation mark", { methods: ['"'] }],
  ["an empty method", { methods: [""] }],
  ["a method that is no text", { methods: [1] }],
  ["methods that are no list", { methods: "pwd" }],
  ["more methods than anybody has", { methods: Array.from({ length: 17 }, () => "pwd") }],
  ["a level with a blank", { methods: [], level: "aal 2" }],
  ["a level of another script", { methods: [], level: "уровень" }],
  ["a long level", { methods: [], level: "a".repeat(129) }],
])("refuses %s, which no header could ask for", async (_what, auth) => {
  const engine = await memoryStage().engine();
  const session = await engine.createSession(PAWL);
  await expect(engine.stepUp(session.accessToken.token, auth as never)).rejects.toMatchObject({
    code: "invalid_input",
  });
  await expect(engine.createSession({ ...PAWL, auth: auth as never })).rejects.toMatchObject({ code: "invalid_input" });
  expect((await engine.getSession(session.session.handle))?.payloadVersion).toBe(0);
});

it("refuses a time that is none", async () => {
  const engine = await memoryStage().engine();
  for (const at of [-1, 1.5, Number.NaN, "now"])
    await expect(engine.createSession({ ...PAWL, auth: { at: at as never } })).rejects.toMatchObject({
      code: "invalid_input",
    });
});
