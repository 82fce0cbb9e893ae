import { millis, type TenantId, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import { parseHandle } from "../../src/index.js";
import { forgetActing } from "../../src/sessions/acting.js";
import type { ActAsInput, IssuedSession, JsonObject, Policy, SessionEngine } from "../../src/index.js";
import { DAY, HOUR, memoryStage, MINUTE, onEveryStore, refreshed, SECOND, type Stage } from "../engines.js";
import { regenerated } from "../regenerated.js";

const ALICE = "alice" as UserId;
const BOB = "bob" as UserId;

const AS_BOB: ActAsInput = { userId: BOB, payload: { role: "user" }, data: { cart: 3 }, reason: "ticket 4711" };

const login = (engine: SessionEngine, tenantId?: TenantId): Promise<IssuedSession> =>
  engine.createSession({ userId: ALICE, payload: { role: "support" }, data: { own: true }, form: "pawl", tenantId });

const refreshPawl = (engine: SessionEngine, session: IssuedSession) =>
  engine.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" });

const claimsIn = async (engine: SessionEngine, token: string | undefined) => {
  const outcome = await engine.verifyAccessToken({ accessToken: token ?? "" });
  if (outcome.kind !== "valid") throw new Error(`expected a valid access token, got ${JSON.stringify(outcome)}`);
  return outcome.claims;
};

const start = async (open: () => Stage | Promise<Stage>, policy: Partial<Policy> = {}) => {
  const stage = await open();
  const engine = await stage.engine(policy);
  const session = await login(engine);
  stage.clock.advance(MINUTE);
  return { stage, clock: stage.clock, engine, session, handle: session.session.handle };
};

const acting = async (open: () => Stage | Promise<Stage>, input: Partial<ActAsInput> = {}) => {
  const begun = await start(open);
  const outcome = regenerated(await begun.engine.actAs(begun.session.accessToken.token, { ...AS_BOB, ...input }));
  return { ...begun, outcome, token: outcome.accessToken?.token ?? "" };
};

const eventsOf = async (engine: SessionEngine, userId: UserId) =>
  (await engine.listEvents({ userId, types: ["acting_started", "acting_ended"] }, { limit: 10 })).items
    .toReversed()
    .map(({ at, type, detail, count }) => {
      expect(count).toBe(1);
      return { at, type, detail: JSON.parse(detail ?? "") as JsonObject };
    });

onEveryStore("acting for a user", (open) => {
  it("is the same session: tokens speak for the user and name the actor, also after refreshes", async () => {
    const { clock, engine, session, handle, outcome, token } = await acting(open);
    const spokenFor = {
      handle,
      userId: BOB,
      actor: { userId: ALICE },
      payload: { role: "user" },
      auth: session.session.auth,
    };
    expect(outcome.session).toMatchObject({ ...spokenFor, payloadVersion: 1 });
    expect(await claimsIn(engine, token)).toMatchObject(spokenFor);

    const before = await engine.verifyAccessToken({ accessToken: session.accessToken.token });
    expect(before).toMatchObject({ kind: "try_refresh", why: "outdated" });
    clock.advance(MINUTE);
    const next = refreshed(await refreshPawl(engine, session));
    expect(next.session).toMatchObject(spokenFor);
    expect(await claimsIn(engine, next.accessToken.token)).toMatchObject(spokenFor);
    expect(await engine.listSessionHandles({ userId: ALICE })).toEqual([handle]);
    expect(await engine.listSessionHandles({ userId: BOB })).toEqual([]);
  });

  it("is told once in the session's history, also when its row has gone", async () => {
    const { clock, engine, handle } = await acting(open);
    await engine.revokeSessions([handle]);
    const types = async () => (await engine.explainSession(handle)).events.map(({ type }) => type);
    expect(await types()).toEqual(["acting_started", "session_ended"]);
    clock.advance(101 * DAY);
    await engine.storage.deleteExpired(engine.storage.now(), 10);
    expect(await types()).toEqual(["acting_started", "session_ended"]);
  });

  it("ends when asked, and the session is its owner's again", async () => {
    const { clock, engine, session, token } = await acting(open);
    clock.advance(MINUTE);
    const own = regenerated(await engine.actAsSelf(token));
    expect(own.session).toMatchObject({ userId: ALICE, payload: { role: "support" } });
    expect(own.session.actor).toBeUndefined();
    expect((await claimsIn(engine, own.accessToken?.token)).userId).toBe(ALICE);
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "outdated" });
    const next = refreshed(await refreshPawl(engine, session));
    expect(next.session).toMatchObject({ userId: ALICE, payload: { role: "support" } });

    const again = regenerated(await engine.actAsSelf(next.accessToken.token));
    expect(again.session).toMatchObject({ userId: ALICE, payloadVersion: next.session.payloadVersion });
  });

  it("ends by itself: no token outlives it, the next refresh is the owner's own", async () => {
    const { clock, engine, session, token } = await acting(open, { for: millis(10 * MINUTE) });
    const begun = clock.now();
    clock.advance(9 * MINUTE);
    const late = refreshed(await refreshPawl(engine, session));
    expect(late.session.userId).toBe(BOB);
    clock.advance(MINUTE - 1);
    expect((await claimsIn(engine, late.accessToken.token)).userId).toBe(BOB);
    clock.advance(1);
    for (const accessToken of [token, late.accessToken.token])
      expect(await engine.verifyAccessToken({ accessToken })).toMatchObject({ kind: "try_refresh", why: "expired" });
    expect((await engine.getSession(late.session.handle))?.acting).toBeUndefined();
    clock.advance(MINUTE);
    const own = refreshed(await refreshPawl(engine, late));
    expect(own.session).toMatchObject({ userId: ALICE, payload: { role: "support" } });
    expect(await claimsIn(engine, own.accessToken.token)).toMatchObject({ userId: ALICE });
    expect((await eventsOf(engine, BOB)).at(-1)).toMatchObject({
      type: "acting_ended",
      at: begun + 10 * MINUTE,
      detail: { end: "time" },
    });
  });

  it("lasts 15 minutes unless said, no longer than the policy has it, to a whole second", async () => {
    const { clock, engine, handle } = await acting(open);
    expect((await engine.getSession(handle))?.acting?.until).toBe(clock.now() + 15 * MINUTE);

    const short = await start(open, { longestActing: millis(5 * MINUTE) });
    short.clock.advance(SECOND / 4);
    await short.engine.actAs(short.session.accessToken.token, AS_BOB);
    const until = (await short.engine.getSession(short.handle))?.acting?.until;
    expect(until).toBe(short.clock.now() - SECOND / 4 + 5 * MINUTE);
  });

  it("is told at its start and end, under both users, with the reason", async () => {
    const { clock, engine, token } = await acting(open);
    const at = clock.now();
    const detail = { actor: ALICE, userId: BOB, reason: "ticket 4711", until: at + 15 * MINUTE };
    clock.advance(MINUTE);
    await engine.actAsSelf(token);
    const told = [
      { type: "acting_started", at, detail },
      { type: "acting_ended", at: at + MINUTE, detail: { ...detail, end: "asked" } },
    ];
    expect(await eventsOf(engine, ALICE)).toEqual(told);
    expect(await eventsOf(engine, BOB)).toEqual(told);
  });

  it("stands in the story of the session, once", async () => {
    const { engine, handle } = await acting(open);
    const { summary, events } = await engine.explainSession(handle);
    expect(summary).toContain(
      "Acts for the user bob since 2027-01-15 08:01 UTC, until 2027-01-15 08:16 UTC at most (ticket 4711).",
    );
    expect(events).toMatchObject([{ type: "acting_started", userId: ALICE }]);
  });

  it("ends with the owner's session, and not with the user's", async () => {
    const { engine, handle, session, token } = await acting(open);
    const bobs = await engine.createSession({ userId: BOB, form: "pawl" });
    await engine.revokeAllForUser({ userId: BOB });
    expect((await refreshPawl(engine, bobs)).kind).toBe("unauthorised");
    expect((await claimsIn(engine, token)).userId).toBe(BOB);

    await engine.revokeAllForUser({ userId: ALICE });
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "revoked" });
    expect((await refreshPawl(engine, session)).kind).toBe("unauthorised");
    expect(await engine.explainSession(handle)).toMatchObject({ status: "ended", userId: ALICE, reason: "revoked" });
  });

  it("keeps theft the owner's: a stolen token ends the session while acting, too", async () => {
    const { clock, engine, session } = await acting(open);
    const next = refreshed(await refreshPawl(engine, session));
    clock.advance(MINUTE);
    await engine.reportUses([await claimsIn(engine, next.accessToken.token)]);
    expect(await refreshPawl(engine, session)).toMatchObject({ kind: "token_reuse", session: { userId: ALICE } });
    expect((await refreshPawl(engine, next)).kind).toBe("unauthorised");
  });

  it("keeps payload and data of the two apart", async () => {
    const { engine, session, handle, token } = await acting(open);
    const changed = regenerated(await engine.regenerateAccessToken(token, { role: "guest" }));
    expect(changed.session).toMatchObject({ userId: BOB, payload: { role: "guest" }, payloadVersion: 2 });
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "outdated" });
    expect(await engine.updateSessionData(handle, { cart: 4 }, { as: BOB })).toBe(true);
    expect(await engine.getSession(handle)).toMatchObject({
      userId: ALICE,
      payload: { role: "support" },
      data: { own: true },
      acting: { userId: BOB },
    });
    expect(await engine.getSession(handle, { as: BOB })).toMatchObject({
      userId: ALICE,
      payload: { role: "guest" },
      data: { cart: 4 },
    });
    expect(await engine.getSession(handle, { as: ALICE })).toEqual(await engine.getSession(handle));
    expect(await engine.getSession(handle, { as: "carol" as UserId })).toBeUndefined();

    // By its handle the session is its owner's, whomever he acts for.
    expect(await engine.updateSessionData(handle, { own: false })).toBe(true);
    expect(await engine.updateSessionData(handle, {}, { as: "carol" as UserId })).toBe(false);
    const next = refreshed(await refreshPawl(engine, session));
    expect(next.session).toMatchObject({ userId: BOB, payload: { role: "guest" } });
    await engine.actAsSelf(next.accessToken.token);
    expect(await engine.updateSessionData(handle, {}, { as: BOB })).toBe(false);
    expect(await engine.getSession(handle, { as: BOB })).toBeUndefined();
    expect(await engine.getSession(handle)).toMatchObject({ payload: { role: "support" }, data: { own: false } });
  });

  it("changes the payload of the user by its expected version alone", async () => {
    const { engine, token } = await acting(open);
    const change = { announced: false, expectedVersion: 1 };
    const changed = regenerated(await engine.regenerateAccessToken(token, { role: "guest" }, change));
    expect(changed.session).toMatchObject({ payload: { role: "guest" }, payloadVersion: 2 });
    expect(changed.changedAt).toBeUndefined();
    expect((await claimsIn(engine, token)).payload).toEqual({ role: "user" });
    expect((await engine.regenerateAccessToken(token, { role: "x" }, change)).kind).toBe("outdated");
  });

  it("loses no change that is made at the same moment", async () => {
    const { engine, handle, token } = await acting(open);
    const outcomes = await Promise.all([
      engine.regenerateAccessToken(token, { role: "guest" }),
      engine.updatePayload(handle, { role: "support" }),
      engine.updateSessionData(handle, { cart: 9 }, { as: BOB }),
      engine.updateSessionData(handle, { own: 9 }),
    ]);
    expect(outcomes).toMatchObject([{ kind: "regenerated" }, { handle }, true, true]);
    expect(await engine.getSession(handle)).toMatchObject({ payloadVersion: 3, data: { own: 9 } });
    const ofBob = await engine.getSession(handle, { as: BOB });
    expect(ofBob).toMatchObject({ payload: { role: "guest" }, data: { cart: 9 } });
  });

  it.each([true, false])(
    "ends when its owner's payload becomes another one, announced or not (%s)",
    async (announced) => {
      const { clock, engine, session, handle, token } = await acting(open);
      const at = clock.now();
      clock.advance(MINUTE);
      const changed = await engine.updatePayload(handle, { role: "none" }, { announced });
      expect(changed).toMatchObject({ payloadVersion: 2, at: clock.now() });
      expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "outdated" });
      expect(await engine.regenerateAccessToken(token, { role: "guest" })).toMatchObject({ kind: "outdated" });
      expect(await engine.updateSessionData(handle, {}, { as: BOB })).toBe(false);
      const next = refreshed(await refreshPawl(engine, session));
      expect(next.session).toMatchObject({ userId: ALICE, payload: { role: "none" } });
      expect(next.session.actor).toBeUndefined();

      const detail = {
        actor: ALICE,
        userId: BOB,
        reason: "ticket 4711",
        until: at + 15 * MINUTE,
        end: "payload_changed",
      };
      for (const user of [ALICE, BOB])
        expect((await eventsOf(engine, user)).at(-1)).toEqual({ type: "acting_ended", at: at + MINUTE, detail });
      expect((await engine.explainSession(handle)).summary).toContain(
        "Acted for the user bob (ticket 4711) until 2027-01-15 08:02 UTC, when the payload of the user alice changed.",
      );
    },
  );

  it("goes on when that is written once more, in whatever order, or not at all for its version", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const payload = { role: "support", teams: ["a"] };
    const { session, accessToken, refreshToken } = await engine.createSession({ userId: ALICE, payload, form: "pawl" });
    await engine.actAs(accessToken.token, AS_BOB);
    expect(await engine.updatePayload(session.handle, { teams: ["a"], role: "support" })).toBeDefined();
    expect(await engine.updatePayload(session.handle, {}, { expectedVersion: 1 })).toBeUndefined();
    const next = refreshed(await engine.refreshSession({ refreshToken: refreshToken.token, form: "pawl" }));
    expect(next.session).toMatchObject({ userId: BOB, payload: AS_BOB.payload });
  });

  it("is begun by nobody whose payload changes at the same moment", async () => {
    for (const isChangedFirst of [false, true]) {
      const { engine, session, handle } = await start(open);
      const works = [
        () => engine.actAs(session.accessToken.token, AS_BOB),
        () => engine.updatePayload(handle, { role: "none" }),
      ];
      await Promise.all((isChangedFirst ? works.toReversed() : works).map((work) => work()));
      const information = await engine.getSession(handle);
      expect([information?.acting, information?.payload]).toEqual([undefined, { role: "none" }]);
      const types = (await eventsOf(engine, BOB)).map(({ type }) => type).join(" ");
      expect(["", "acting_started acting_ended"]).toContain(types);
    }
  });

  it("had ended by itself where the payload changes only later", async () => {
    const { clock, engine, handle, token } = await acting(open);
    const until = (await engine.getSession(handle))?.acting?.until;
    clock.advance(HOUR / 2);
    const before = await engine.updatePayload(handle, { role: "none" }, { announced: false });
    expect(before).toMatchObject({ payloadVersion: 2 });
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "expired" });
    expect((await eventsOf(engine, BOB)).at(-1)).toMatchObject({ at: until, detail: { end: "time" } });
    expect((await engine.explainSession(handle)).summary).toContain("when its time was over.");
  });

  it("is forgotten with the user who is erased, also where it has run out", async () => {
    const { clock, engine, stage, session, handle, token } = await acting(open);
    const bob = { tenantId: session.session.tenantId, userId: BOB };
    await forgetActing(stage.storage, bob);
    await stage.storage.eraseUser(bob);
    expect(JSON.stringify(await stage.storage.getSession(parseHandle(handle)?.id as never))).not.toContain(BOB);
    expect(refreshed(await refreshPawl(engine, session)).session.userId).toBe(ALICE);
    await engine.revocations.catchUp();
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ why: "outdated" });

    const own = regenerated(await engine.actAsSelf(token)).accessToken?.token ?? "";
    await engine.actAs(own, { ...AS_BOB, userId: "carol" as UserId });
    clock.advance(HOUR);
    await forgetActing(stage.storage, { ...bob, userId: "carol" as UserId });
    expect((await stage.storage.getSession(parseHandle(handle)?.id as never))?.facts).not.toContain("carol");
  });

  it("ends once, by whichever of two refreshes comes first, and costs neither its answer", async () => {
    const { clock, engine, session } = await acting(open);
    clock.advance(16 * MINUTE);
    const both = await Promise.all([refreshPawl(engine, session), refreshPawl(engine, session)]);
    for (const outcome of both) expect(refreshed(outcome).session.userId).toBe(ALICE);
    expect((await eventsOf(engine, BOB)).map(({ type }) => type)).toEqual(["acting_started", "acting_ended"]);
  });

  it("may begin anew when it has run out, whatever has noticed", async () => {
    const { clock, engine, session } = await acting(open);
    clock.advance(16 * MINUTE);
    const outcome = regenerated(await engine.stepUp(session.accessToken.token, { methods: ["hwk"] }));
    expect(outcome.session.userId).toBe(ALICE);
    const anew = regenerated(await engine.actAs(outcome.accessToken?.token ?? "", AS_BOB));
    expect(anew.session).toMatchObject({ userId: BOB, auth: { methods: ["hwk"] } });
    const [begun, over] = ["acting_started", "acting_ended"];
    expect((await eventsOf(engine, BOB)).map(({ type }) => type)).toEqual([begun, over, begun]);
  });

  it("stays within the tenant of the session", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await login(engine, "acme" as TenantId);
    const outcome = regenerated(await engine.actAs(session.accessToken.token, AS_BOB));
    expect(outcome.session).toMatchObject({ tenantId: "acme", userId: BOB });
    const events = await engine.listEvents({ userId: BOB, tenantId: "acme" as TenantId }, { limit: 10 });
    expect(events.items).toMatchObject([{ type: "acting_started" }]);
    expect((await engine.listEvents({ userId: BOB, tenantId: "public" as TenantId }, { limit: 10 })).items).toEqual([]);
  });

  it("no form of another protocol can say it, and none of them logs anybody out", async () => {
    const { clock, engine, session, token } = await acting(open);
    const { refreshToken } = session;
    for (const form of ["v1", "v2", "v3", "v4", "v5"] as const)
      await expect(engine.refreshSession({ refreshToken: refreshToken.token, form })).rejects.toMatchObject({
        name: "EngineError",
        code: "acting",
      });
    clock.advance(MINUTE);
    await expect(engine.refreshSession({ refreshToken: refreshToken.token })).rejects.toMatchObject({ code: "acting" });
    expect(refreshed(await refreshPawl(engine, session)).session.userId).toBe(BOB);
    await engine.actAsSelf(token);
    const own = refreshed(await engine.refreshSession({ refreshToken: refreshToken.token }));
    expect(own.session.userId).toBe(ALICE);
  });
});

onEveryStore("a failover that lost the last commits", (open) => {
  const lost = async () => {
    const begun = await start(open);
    const { stage, engine, session, handle } = begun;
    const rows = (await stage.storage.listSessions({ userId: ALICE }, { limit: 1 })).items;
    const token = regenerated(await engine.actAs(session.accessToken.token, AS_BOB)).accessToken?.token ?? "";
    /** The row as it was, on a node that has heard nothing. */
    const fail = async () => {
      await stage.storage.deleteExpired(millis(begun.clock.now() + 200 * 24 * HOUR), 10);
      await stage.storage.importSessions(rows);
      return stage.engine();
    };
    return { ...begun, token, fail, handle };
  };

  it("gives nobody more than before: what had begun is the owner's own session again", async () => {
    const { clock, session, token, fail } = await lost();
    const promoted = await fail();
    expect(await promoted.regenerateAccessToken(token, { role: "admin" })).toMatchObject({ kind: "outdated" });
    expect(await promoted.stepUp(token, { methods: ["hwk"] })).toMatchObject({ kind: "outdated" });
    expect(regenerated(await promoted.actAsSelf(token)).session).toMatchObject({ userId: ALICE, payloadVersion: 0 });
    clock.advance(MINUTE);
    const own = refreshed(await refreshPawl(promoted, session));
    expect(own.session).toMatchObject({ userId: ALICE, payload: { role: "support" } });
    clock.advance(MINUTE);
    expect(regenerated(await promoted.actAs(own.accessToken.token, AS_BOB)).session.userId).toBe(BOB);
  });

  it("what had ended goes on until its time at most", async () => {
    const { clock, stage, engine, session, token } = await lost();
    const rows = (await stage.storage.listSessions({ userId: ALICE }, { limit: 1 })).items;
    const own = regenerated(await engine.actAsSelf(token)).accessToken?.token ?? "";
    await stage.storage.deleteExpired(millis(clock.now() + 200 * 24 * HOUR), 10);
    await stage.storage.importSessions(rows);
    const promoted = await stage.engine();
    expect(refreshed(await refreshPawl(promoted, session)).session.userId).toBe(BOB);
    clock.advance(15 * MINUTE);
    expect(regenerated(await promoted.actAs(own, AS_BOB)).session.userId).toBe(BOB);
    // Here the events have survived, so that the end that is told again is counted.
    const { items } = await promoted.listEvents({ userId: BOB, types: ["acting_ended"] }, { limit: 10 });
    expect(items).toMatchObject([{ count: 2 }]);
    clock.advance(15 * MINUTE);
    expect(refreshed(await refreshPawl(promoted, session)).session.userId).toBe(ALICE);
  });
});

it("is refused while acting, to oneself, by an older token, and for a token of another form", async () => {
  const { engine, session, token, handle } = await acting(memoryStage);
  expect(await engine.actAs(token, { ...AS_BOB, userId: "carol" as UserId })).toMatchObject({ why: "acting" });
  expect(await engine.stepUp(token, { methods: ["hwk"] })).toMatchObject({ kind: "refused", why: "acting" });
  expect(await engine.actAs(session.accessToken.token, AS_BOB)).toMatchObject({ kind: "refused", why: "acting" });
  expect(await engine.regenerateAccessToken(session.accessToken.token, {})).toMatchObject({ kind: "outdated" });
  const own = regenerated(await engine.actAsSelf(token)).accessToken?.token ?? "";
  expect(await engine.actAs(own, { ...AS_BOB, userId: ALICE })).toMatchObject({ kind: "refused", why: "self" });
  expect(await engine.regenerateAccessToken(token, {})).toMatchObject({ kind: "outdated" });

  // Somebody who has just lost his role still holds a token with it.
  await engine.updatePayload(handle, { role: "user" });
  expect(await engine.actAs(own, AS_BOB)).toMatchObject({ kind: "outdated" });

  const documented = await engine.createSession({ userId: ALICE });
  await expect(engine.actAs(documented.accessToken.token, AS_BOB)).rejects.toMatchObject({ code: "invalid_input" });
});

it.each<[string, Partial<Record<keyof ActAsInput, unknown>>, string]>([
  ["nobody", { userId: undefined }, "invalid_input"],
  ["a user without a name", { userId: "" }, "invalid_input"],
  ["a user whose name is too long", { userId: "x".repeat(513) }, "invalid_input"],
  ["no payload", { payload: undefined }, "invalid_input"],
  ["a payload with a claim of the token", { payload: { act: {} } }, "protected_claim"],
  ["a payload that is too large", { payload: { text: "x".repeat(33_000) } }, "payload_too_large"],
  ["no reason", { reason: undefined }, "invalid_input"],
  ["a reason of blanks", { reason: "  " }, "invalid_input"],
  ["a long reason", { reason: "x".repeat(513) }, "invalid_input"],
  ["no time at all", { for: 0 }, "invalid_input"],
  ["a part of a millisecond", { for: 1500.5 }, "invalid_input"],
  ["longer than an hour", { for: HOUR + 1 }, "invalid_input"],
])("refuses to act for %s, and changes nothing", async (_what, input, code) => {
  const { engine, session, handle } = await start(memoryStage);
  const given = { ...AS_BOB, ...input } as ActAsInput;
  await expect(engine.actAs(session.accessToken.token, given)).rejects.toMatchObject({ code });
  expect(await engine.getSession(handle)).toMatchObject({ payloadVersion: 0 });
  expect(await eventsOf(engine, BOB)).toEqual([]);
});

it("acts for as long as the policy allows, where it allows more", async () => {
  const { clock, engine, session, handle } = await start(memoryStage, { longestActing: millis(8 * HOUR) });
  await engine.actAs(session.accessToken.token, { ...AS_BOB, for: millis(8 * HOUR) });
  expect((await engine.getSession(handle))?.acting?.until).toBe(clock.now() + 8 * HOUR);
});

it("is unauthorised for a session that has just ended, and for what is no token", async () => {
  const { engine, session, handle } = await start(memoryStage);
  await engine.revokeSessions([handle]);
  for (const token of [session.accessToken.token, "nonsense"]) {
    expect((await engine.actAs(token, AS_BOB)).kind).toBe("unauthorised");
    expect((await engine.actAsSelf(token)).kind).toBe("unauthorised");
  }
});
