import * as fc from "fast-check";
import { millis, type SessionId, StorageError } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine, type IssuedSession, parseHandle, type SessionEngine } from "../../src/index.js";
import {
  DAY,
  HOUR,
  MASTER_KEYS,
  memoryStage,
  MINUTE,
  onEveryStore,
  refresh,
  refreshed,
  SECOND,
  USER,
} from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

const PAWL = { userId: USER, form: "pawl" } as const;
const INACTIVE = { kind: "inactive" };
const admitting = { admitsRefreshTokens: true };

const ofAccess = (engine: SessionEngine, { accessToken }: IssuedSession) => engine.introspectToken(accessToken.token);
const ofRefresh = (engine: SessionEngine, { refreshToken }: IssuedSession) =>
  engine.introspectToken(refreshToken.token, admitting);
const idOf = ({ session }: IssuedSession) => parseHandle(session.handle)?.id as SessionId;

onEveryStore("introspection of an access token", (open) => {
  it("tells what it says, until it expires", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ ...PAWL, payload: { role: "editor" } });
    const outcome = await ofAccess(engine, session);
    expect(outcome).toMatchObject({ kind: "access_token", claims: { userId: USER, payload: { role: "editor" } } });
    expect(await engine.introspectToken(session.accessToken.token, admitting)).toEqual(outcome);
    stage.clock.advance(HOUR);
    expect(await ofAccess(engine, session)).toEqual(INACTIVE);
  });

  it("is of the store's word: what ended or changed elsewhere counts before this node has heard of it", async () => {
    const stage = await open();
    const [here, elsewhere] = [await stage.engine(), await stage.engine()];
    const [ended, changed, kept] = [
      await here.createSession(PAWL),
      await here.createSession(PAWL),
      await here.createSession(PAWL),
    ];
    await elsewhere.revokeSessions([ended.session.handle]);
    await elsewhere.updatePayload(changed.session.handle, { role: "reader" }, { announced: false });
    expect(await ofAccess(here, ended)).toEqual(INACTIVE);
    expect(await ofAccess(here, changed)).toEqual(INACTIVE);
    expect(await ofAccess(here, kept)).toMatchObject({ kind: "access_token" });
    stage.clock.advance(MINUTE);
    expect(await ofAccess(here, refreshed(await refresh(here, changed)))).toMatchObject({ kind: "access_token" });
  });
});

onEveryStore("introspection of a refresh token", (open) => {
  it("is for those who admit one: others would take it for an access token", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const auth = { methods: ["pwd"], level: "aal1" };
    const session = await engine.createSession({ ...PAWL, auth });
    expect(await engine.introspectToken(session.refreshToken.token)).toEqual(INACTIVE);
    expect(await ofRefresh(engine, session)).toEqual({
      kind: "refresh_token",
      session: {
        handle: session.session.handle,
        tenantId: "public",
        userId: USER,
        actor: undefined,
        auth: { ...auth, at: stage.clock.now() },
      },
      issuedAt: stage.clock.now(),
      expiresAt: session.refreshToken.expiry,
    });
  });

  it("names the key that has to prove its refresh", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession(PAWL);
    await stage.storage.changeSession(idOf(session), { bound: "thumbprint" });
    expect(await ofRefresh(engine, session)).toMatchObject({ kind: "refresh_token", bound: "thumbprint" });
  });

  it("moves nothing, also for one that was replaced, whose refresh is an alarm", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const first = await engine.createSession(PAWL);
    const held = [first];
    for (let round = 0; round < 3; round += 1) {
      stage.clock.advance(MINUTE);
      held.push(refreshed(await refresh(engine, held.at(-1)!)));
    }
    stage.clock.advance(MINUTE);
    const before = await stage.storage.getSession(idOf(first));
    const outcomes = [];
    for (const session of held) outcomes.push((await ofRefresh(engine, session)).kind);
    expect(outcomes).toEqual(["inactive", "inactive", "refresh_token", "refresh_token"]);
    expect(await stage.storage.getSession(idOf(first))).toEqual(before);
    const { items } = await engine.listEvents({ sessionId: idOf(first) }, { limit: 10 });
    expect(items).toEqual([]);
    expect(await refresh(engine, first)).toMatchObject({ kind: "token_reuse" });
    expect(await ofRefresh(engine, held.at(-1)!)).toEqual(INACTIVE);
  });

  it("ends with its session, its idle time, and its own life", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(HOUR) });
    const session = await engine.createSession(PAWL);
    expect(await ofRefresh(engine, session)).toMatchObject({ expiresAt: stage.clock.now() + HOUR });
    stage.clock.advance(HOUR);
    expect(await ofRefresh(engine, session)).toEqual(INACTIVE);
    const other = await engine.createSession(PAWL);
    await engine.revokeSessions([other.session.handle]);
    expect(await ofRefresh(engine, other)).toEqual(INACTIVE);
  });
});

it("says of every token that a refresh of it would be answered exactly when it is", async () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 90 }), token: fc.nat(), uses: fc.boolean() }), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 30), async (taken, window) => {
      const stage = memoryStage();
      const engine = await stage.engine({ reuseWindow: millis(window * SECOND) });
      const held = [await engine.createSession(PAWL)];
      for (const { wait, token, uses } of taken) {
        stage.clock.advance(wait * SECOND);
        const chosen = held[held.length - 1 - (token % held.length)]!;
        const told = await ofRefresh(engine, chosen);
        const outcome = await refresh(engine, chosen);
        expect(told.kind === "refresh_token").toBe(outcome.kind === "refreshed");
        if (outcome.kind !== "refreshed") break;
        held.push(outcome);
        if (uses) await engine.confirmAccessToken({ accessToken: outcome.accessToken.token });
      }
      await engine.close();
    }),
    { numRuns: 60 },
  );
});

it("knows nothing of what is no token, and of tokens of another deployment", async () => {
  const [engine, other] = [await memoryStage().engine(), await memoryStage().engine()];
  const foreign = await other.createSession(PAWL);
  for (const token of ["", "x", "..", "pawl_rt_1.", foreign.accessToken.token, `${foreign.refreshToken.token}A`])
    for (const options of [{}, admitting]) expect(await engine.introspectToken(token, options)).toEqual(INACTIVE);
});

it("says nothing where the store does not answer", async () => {
  const { storage } = memoryStage();
  let isDown = false;
  const failing = intercepted(storage, ({ proceed }) => {
    if (isDown) throw new StorageError("unavailable", "down");
    return proceed();
  });
  const engine = await createEngine({ storage: failing, masterKeys: MASTER_KEYS });
  const session = await engine.createSession(PAWL);
  isDown = true;
  await expect(ofAccess(engine, session)).rejects.toMatchObject({ code: "unavailable" });
  await expect(ofRefresh(engine, session)).rejects.toMatchObject({ code: "unavailable" });
  await expect(engine.revokeToken(session.accessToken.token)).rejects.toMatchObject({ code: "unavailable" });
  await expect(engine.revokeToken(session.refreshToken.token)).rejects.toMatchObject({ code: "unavailable" });
  isDown = false;
  expect(await ofRefresh(engine, session)).toMatchObject({ kind: "refresh_token" });
  await engine.close();
});

it("knows a refresh token as long as refreshing it is answered, whatever the policy says meanwhile", async () => {
  const stage = memoryStage();
  const [long, short] = [await stage.engine(), await stage.engine({ refreshTokenValidity: millis(2 * DAY) })];
  const session = await long.createSession(PAWL);
  stage.clock.advance(3 * DAY);
  expect(await ofRefresh(short, session)).toMatchObject({ kind: "refresh_token" });
  refreshed(await refresh(short, session));
  stage.clock.advance(MINUTE);
  expect(await ofRefresh(short, session)).toMatchObject({ kind: "refresh_token" });
  stage.clock.advance(DAY);
  refreshed(await refresh(short, session));
});
