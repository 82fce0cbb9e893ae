import { millis, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import { intercepted } from "../intercepted-storage.js";
import { type ConfirmInput, createEngine, type IssuedSession, type SessionEngine } from "../../src/index.js";
import {
  claimsOf,
  HOUR,
  MASTER_KEYS,
  MINUTE,
  onEveryStore,
  refresh,
  refreshed,
  SECOND,
  USER,
  WINDOW,
} from "../engines.js";

const confirm = (engine: SessionEngine, session: IssuedSession, input: Partial<ConfirmInput> = {}) =>
  engine.confirmAccessToken({ accessToken: session.accessToken.token, ...input });

onEveryStore("confirmation, where the SDK asks the core", (open) => {
  /** A session refreshed a moment ago: its access token names its parent. */
  const unconfirmed = async (options: Parameters<SessionEngine["createSession"]>[0] = { userId: USER }) => {
    const stage = await open();
    const engine = await stage.engine();
    const first = await engine.createSession(options);
    stage.clock.advance(MINUTE);
    const { form, keyKind } = options;
    const outcome = await engine.refreshSession({
      refreshToken: first.refreshToken.token,
      ...(form && { form }),
      ...(keyKind && { keyKind }),
    });
    return { stage, engine, first, second: refreshed(outcome) };
  };

  it("asks nothing for a token without a parent", async () => {
    const { engine, first } = await unconfirmed();
    await engine.revokeSessions([first.session.handle]);
    expect(await confirm(engine, first)).toMatchObject({ kind: "valid" });
    expect(await confirm(engine, first)).not.toHaveProperty("accessToken");
    expect(await confirm(engine, first, { checkDatabase: true })).toMatchObject({ why: "no_session" });
  });

  it("refuses a session that is known to have ended where it is to heed that, and asks nothing", async () => {
    const stage = await open();
    let calls = 0;
    const counting = intercepted(stage.storage, ({ proceed }) => {
      calls += 1;
      return proceed();
    });
    const engine = await createEngine({ storage: counting, masterKeys: MASTER_KEYS });
    const session = await engine.createSession({ userId: USER });
    expect(await confirm(engine, session, { heedRevocations: true })).toMatchObject({ kind: "valid" });
    await engine.revokeSessions([session.session.handle]);
    calls = 0;
    expect(await confirm(engine, session, { heedRevocations: true })).toMatchObject({ why: "revoked" });
    expect(await confirm(engine, session, { heedRevocations: false })).toMatchObject({ kind: "valid" });
    expect(calls).toBe(0);
    await engine.close();
  });

  it("inside the window the answer is yes without a token, and confirms nothing", async () => {
    const { stage, engine, first, second } = await unconfirmed();
    stage.clock.advance(WINDOW);
    expect(await confirm(engine, second)).toEqual({ kind: "valid", claims: await claimsOf(engine, second) });
    expect((await claimsOf(engine, refreshed(await refresh(engine, first)))).seq).toBe(1);
  });

  it.each(["v1", "v5"] as const)("after it the use is settled: a clean %s token with the same expiry", async (form) => {
    const { stage, engine, first, second } = await unconfirmed({ userId: USER, form, payload: { a: 1 } });
    stage.clock.advance(WINDOW + SECOND + 1);
    const outcome = await confirm(engine, second);
    if (outcome.kind !== "valid" || outcome.accessToken === undefined) throw new Error("expected a clean token");
    expect(outcome.accessToken.expiry).toBe(second.accessToken.expiry);
    const clean = { ...second, accessToken: outcome.accessToken };
    const { parentSeq, issuedAt, ...before } = await claimsOf(engine, second);
    expect(parentSeq).toBe(0);
    expect(await claimsOf(engine, clean)).toEqual({ ...before, issuedAt: expect.any(Number) });
    expect((await claimsOf(engine, clean)).issuedAt).toBeGreaterThan(issuedAt);
    expect(await confirm(engine, clean)).not.toHaveProperty("accessToken");
    // And the parent is dead.
    stage.clock.advance(1);
    expect((await refresh(engine, first)).kind).toBe("token_reuse");
  });

  it("a token that was confirmed by another is cleaned as well; one that is not the newest is left alone", async () => {
    const { stage, engine, first, second } = await unconfirmed();
    stage.clock.advance(WINDOW + 1);
    const displacing = refreshed(await refresh(engine, first));
    stage.clock.advance(MINUTE);
    expect(await confirm(engine, second)).not.toHaveProperty("accessToken");
    expect(await confirm(engine, displacing)).toHaveProperty("accessToken");
    expect(await confirm(engine, displacing)).toHaveProperty("accessToken");
  });

  it("keeps the kind of the key that signed the token, whatever kind the session began with", async () => {
    const { stage, engine, first } = await unconfirmed({ userId: USER, keyKind: "static" });
    stage.clock.advance(MINUTE);
    const outcome = await engine.refreshSession({ refreshToken: first.refreshToken.token, keyKind: "dynamic" });
    stage.clock.advance(MINUTE);
    const clean = await confirm(engine, refreshed(outcome));
    if (clean.kind !== "valid" || clean.accessToken === undefined) throw new Error("expected a clean token");
    expect(Buffer.from(clean.accessToken.token.slice(0, 120), "base64url").toString()).toContain('"kid":"d-');
  });

  it("a session that ended is gone for a token with a parent, without any flag", async () => {
    const { engine, second } = await unconfirmed();
    await engine.revokeSessions([second.session.handle]);
    expect(await confirm(engine, second)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  });

  it("brings a payload that was changed since when the database is asked", async () => {
    const { engine, first } = await unconfirmed({ userId: USER, payload: { role: "a", n: 1 } });
    expect(await confirm(engine, first, { checkDatabase: true })).not.toHaveProperty("accessToken");
    await engine.updatePayload(first.session.handle, { role: "b" });
    const outcome = await confirm(engine, first, { checkDatabase: true });
    if (outcome.kind !== "valid" || outcome.accessToken === undefined) throw new Error("expected a new token");
    expect(outcome.claims.payload).toEqual({ role: "b" });
    expect(outcome.accessToken.expiry).toBe(first.accessToken.expiry);
    expect(await confirm(engine, first)).not.toHaveProperty("accessToken");
  });

  it("a clean token says what the session holds now, so that no verifier takes an old payload for a lost change", async () => {
    const { stage, engine, second } = await unconfirmed({ userId: USER, payload: { role: "a" } });
    await engine.updatePayload(second.session.handle, { role: "b" });
    stage.clock.advance(WINDOW + 2 * SECOND);
    const outcome = await confirm(engine, second);
    if (outcome.kind !== "valid" || outcome.accessToken === undefined) throw new Error("expected a clean token");
    const clean = await claimsOf(engine, { ...second, accessToken: outcome.accessToken });
    expect(clean).toMatchObject({ payload: { role: "b" }, payloadVersion: 1 });
    expect(outcome.claims).toMatchObject({ payload: { role: "b" }, payloadVersion: 1 });
    expect(engine.verifier.verify({ accessToken: second.accessToken.token })).toMatchObject({ why: "outdated" });
    expect(engine.verifier.versionsLost).toBe(0);
  });

  it("heeds a change where it is to heed what is known, and not where it is not", async () => {
    const { engine, first } = await unconfirmed();
    await engine.updatePayload(first.session.handle, { role: "b" });
    expect(await confirm(engine, first, { heedRevocations: true })).toMatchObject({ why: "outdated" });
    expect(await confirm(engine, first)).toMatchObject({ kind: "valid" });
  });

  it("renews no token of somebody for whom the session does not speak any more", async () => {
    const { stage, engine, second } = await unconfirmed({ userId: USER, form: "pawl" });
    const help = { userId: "user-2" as UserId, payload: {}, reason: "asked for help" };
    const acting = await engine.actAs(second.accessToken.token, help);
    if (acting.kind !== "regenerated" || acting.accessToken === undefined) throw new Error("expected to act");
    stage.clock.advance(MINUTE);
    expect(await confirm(engine, second)).toMatchObject({ kind: "try_refresh", why: "outdated" });
    await engine.actAsSelf(acting.accessToken.token);
    for (const checkDatabase of [true, false])
      expect(await confirm(engine, { ...second, accessToken: acting.accessToken }, { checkDatabase })).toMatchObject({
        kind: "try_refresh",
        why: "outdated",
      });
  });

  it("checks expiry and the anti-CSRF token like any verification", async () => {
    const { stage, engine, second } = await unconfirmed();
    const check = { doAntiCsrfCheck: true };
    expect(await confirm(engine, second, check)).toMatchObject({ why: "anti_csrf" });
    const own = { ...check, antiCsrfToken: second.antiCsrfToken ?? "none" };
    expect(await confirm(engine, second, own)).toMatchObject({ kind: "valid" });
    stage.clock.advance(2 * HOUR);
    expect(await confirm(engine, second, own)).toMatchObject({ kind: "try_refresh", why: "expired" });
  });
});

onEveryStore("verification", (open) => {
  it("asks the database when policy or call say so", async () => {
    const stage = await open();
    const engine = await stage.engine({ checkDatabase: true });
    const { session, accessToken } = await engine.createSession({ userId: USER });
    const token = { accessToken: accessToken.token };
    expect((await engine.verifyAccessToken(token)).kind).toBe("valid");
    await engine.revokeSessions([session.handle]);
    expect(await engine.confirmAccessToken(token)).toMatchObject({ kind: "unauthorised", why: "no_session" });
    expect(await engine.confirmAccessToken({ ...token, checkDatabase: false })).toMatchObject({ kind: "valid" });
  });

  it("that asks the database refuses a token of an older version, also where nobody was told", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    const input = { accessToken: session.accessToken.token };
    await engine.updatePayload(session.session.handle, { role: "b" }, { announced: false });
    expect(await engine.verifyAccessToken(input)).toMatchObject({ kind: "valid" });
    const outdated = { kind: "try_refresh", why: "outdated" };
    expect(await engine.verifyAccessToken({ ...input, checkDatabase: true })).toMatchObject(outdated);
    const { accessToken } = refreshed(await refresh(engine, session));
    const renewed = { accessToken: accessToken.token, checkDatabase: true };
    expect(await engine.verifyAccessToken(renewed)).toMatchObject({ kind: "valid" });
  });

  it("knows a key that another node made, after one look, and looks at most once a second (hazard: signing-key rotation)", async () => {
    const stage = await open();
    let reads = 0;
    const counting = intercepted(stage.storage, ({ method, proceed }) => {
      if (method === "getSigningKeys") reads += 1;
      return proceed();
    });
    const maker = await stage.engine();
    const reader = await createEngine({ storage: counting, masterKeys: MASTER_KEYS });
    const session = await maker.createSession({ userId: USER, form: "v1", keyKind: "static" });
    reads = 0;
    expect((await reader.verifyAccessToken({ accessToken: session.accessToken.token })).kind).toBe("valid");
    expect(reads).toBe(1);

    const [, payload, signature] = (await maker.createSession({ userId: USER })).accessToken.token.split(".");
    const header = Buffer.from('{"alg":"ES256","typ":"JWT","version":"5","kid":"d-1"}').toString("base64url");
    const unknown = { accessToken: [header, payload, signature].join(".") };
    for (let attempt = 0; attempt < 50; attempt++)
      expect(await reader.verifyAccessToken(unknown)).toMatchObject({ why: "unknown_key" });
    expect(reads).toBe(1);
    stage.clock.advance(SECOND);
    await Promise.all(Array.from({ length: 50 }, () => reader.verifyAccessToken(unknown)));
    expect(reads).toBe(2);
    await reader.close();
  });

  it("access tokens verify on every node through a rotation of keys", async () => {
    const stage = await open();
    const [one, two] = [await stage.engine(), await stage.engine()];
    const before = await one.createSession({ userId: USER });
    await one.rotateSigningKey();
    stage.clock.advance(MINUTE + SECOND);
    const after = await one.createSession({ userId: USER });
    for (const session of [before, after]) await claimsOf(two, session);
    expect(two.keySet().keys).toHaveLength(2);
  });
});

onEveryStore("regenerated access token", (open) => {
  it("has the new payload and the old expiry, and says the same of its lineage", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const first = await engine.createSession({ userId: USER, payload: { role: "a" } });
    stage.clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    stage.clock.advance(MINUTE);
    const { issuedAt: _, payload: __, ...lineage } = await claimsOf(engine, second);
    const outcome = await engine.regenerateAccessToken(second.accessToken.token, { role: "b" });
    if (outcome.kind !== "regenerated" || outcome.accessToken === undefined) throw new Error("expected a token");
    const changed = { payload: { role: "b" }, payloadVersion: 1 };
    expect(outcome.session).toEqual({ ...second.session, ...changed });
    expect(outcome.accessToken).toMatchObject({ expiry: second.accessToken.expiry, createdTime: stage.clock.now() });
    expect(await claimsOf(engine, { ...second, accessToken: outcome.accessToken })).toMatchObject({
      ...lineage,
      ...changed,
      parentSeq: 0,
    });
    expect((await engine.getSession(first.session.handle))?.payload).toEqual({ role: "b" });
    const again = await engine.regenerateAccessToken(first.accessToken.token);
    expect(again).toMatchObject({ session: { payload: { role: "b" } } });
  });

  it("of an expired token is not made, yet the payload is stored", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    stage.clock.advance(HOUR);
    const outcome = await engine.regenerateAccessToken(session.accessToken.token, { role: "b" });
    expect(outcome).toEqual({
      kind: "regenerated",
      session: { ...session.session, payload: { role: "b" }, payloadVersion: 1 },
      changedAt: stage.clock.now(),
    });
    expect((await engine.getSession(session.session.handle))?.payload).toEqual({ role: "b" });
  });

  it("is refused for garbage, for a token that somebody changed, and for protected claims", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    const [header, payload, signature] = session.accessToken.token.split(".");
    const forged = Buffer.from(JSON.stringify({ ...(await claimsOf(engine, session)), sub: "root" })).toString(
      "base64url",
    );
    for (const token of ["", "x", "a.b.c", `${header}.${payload}.`, `${header}.${forged}.${signature}`])
      expect(await engine.regenerateAccessToken(token, { a: 1 })).toMatchObject({ why: "invalid_token" });
    await expect(engine.regenerateAccessToken(session.accessToken.token, { sub: "root" })).rejects.toMatchObject({
      code: "protected_claim",
    });
  });
});

onEveryStore("reported uses", (open) => {
  it("are taken in any number, and those that name nothing are passed over", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(HOUR) });
    const sessions: IssuedSession[] = [];
    for (let count = 0; count < 3; count++) {
      const first = await engine.createSession({ userId: USER });
      stage.clock.advance(MINUTE);
      sessions.push(refreshed(await refresh(engine, first)));
    }
    stage.clock.advance(MINUTE);
    const uses = await Promise.all(sessions.map((session) => claimsOf(engine, session)));
    const [use] = uses;
    if (use === undefined) throw new Error("no use");
    await engine.reportUses([
      ...Array.from({ length: 1200 }, () => use),
      ...uses,
      { ...use, handle: "nonsense" as typeof use.handle },
      { ...use, seq: -1 },
      { ...use, seq: 1.5 },
      { ...use, seq: Number.NaN },
      { ...use, seq: 99 },
      { ...use, issuedAt: millis(Number.POSITIVE_INFINITY) },
    ]);
    for (const { session } of sessions)
      expect((await engine.getSession(session.handle))?.lastActiveAt).toBe(stage.clock.now());
    for (const session of sessions) {
      const next = refreshed(await refresh(engine, session));
      expect(await claimsOf(engine, next)).toMatchObject({ seq: 2, parentSeq: 1 });
    }
    await engine.reportUses([]);
  });
});
