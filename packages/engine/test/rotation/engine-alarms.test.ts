import { inspect } from "node:util";
import { millis, type SessionId, StorageError } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine, type IssuedSession, type SessionEngine, systemRandom } from "../../src/index.js";
import { createRefreshTokenSeal } from "../../src/tokens/refresh-token.js";
import { HOUR, MASTER_KEYS, memoryStage, MINUTE, onEveryStore, refresh, refreshed, use, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

/** What somebody can seal who has the master key, and not the session's secret; or the secret too, as a later copy. */
const sealed = (session: IssuedSession, seq: number, secret: Buffer = Buffer.alloc(32, 9)): string => {
  const id = session.session.handle as string as SessionId;
  const iat = millis(session.refreshToken.createdTime);
  return createRefreshTokenSeal(MASTER_KEYS, systemRandom).seal({ id, seq, iat, antiCsrf: true, secret });
};

const secretOf = (session: IssuedSession): Buffer => {
  const claims = createRefreshTokenSeal(MASTER_KEYS, systemRandom).open(session.refreshToken.token);
  if (claims === undefined) throw new Error("not a token of ours");
  return claims.secret;
};

onEveryStore("alarms", (open) => {
  it("a token without the session's secret alarms nobody and moves nothing, and is counted by the hour", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    const before = await stage.storage.getSession(session.session.handle as string as SessionId);
    for (const seq of [0, 1, 1000]) {
      const outcome = await engine.refreshSession({ refreshToken: sealed(session, seq) });
      expect(outcome).toMatchObject({ kind: "unauthorised", why: "forged_token" });
    }
    stage.clock.advance(HOUR);
    await engine.refreshSession({ refreshToken: sealed(session, 0) });
    const { items } = await engine.listEvents({ userId: USER }, { limit: 10 });
    expect(items.map(({ type, count }) => ({ type, count }))).toEqual([
      { type: "forged_token", count: 1 },
      { type: "forged_token", count: 3 },
    ]);
    expect(await stage.storage.getSession(session.session.handle as string as SessionId)).toEqual(before);
    expect((await engine.explainSession(session.session.handle)).summary).toContain("Noticed 4 times: a refresh token");
    stage.clock.advance(MINUTE);
    refreshed(await refresh(engine, session));
  });

  it("copies of a token ahead of the row, all at once, catch it up once", async () => {
    const stage = await open();
    const [one, two] = [await stage.engine(), await stage.engine()];
    const session = await one.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const ahead = sealed(session, 3, secretOf(session));
    const outcomes = await Promise.all(
      [one, two, one, two].map((engine) => engine.refreshSession({ refreshToken: ahead })),
    );
    for (const outcome of outcomes) refreshed(outcome);
    const { items } = await one.listEvents({ types: ["fast_forward"] }, { limit: 10 });
    expect(items).toMatchObject([{ count: 1 }]);
    const row = await stage.storage.getSession(session.session.handle as string as SessionId);
    expect(row).toMatchObject({ current: 3, next: 4 });
  });

  it("tells who and when, and holds no token, secret or hash (CVE-2022-31186)", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER, payload: { role: "canary-role" } });
    stage.clock.advance(MINUTE);
    const turned = refreshed(await refresh(engine, session));
    await engine.refreshSession({ refreshToken: sealed(session, 7) });
    stage.clock.advance(MINUTE);
    await use(engine, turned);
    const outcome = await refresh(engine, session);
    const row = await stage.storage.getSession(session.session.handle as string as SessionId);
    const told = inspect(
      [
        outcome,
        await engine.listEvents({}, { limit: 100 }),
        await engine.explainSession(session.session.handle),
        await engine.revocationsSince(undefined),
        engine.listSigningKeys(),
        MASTER_KEYS,
      ],
      { depth: 10 },
    );
    const secret = secretOf(session);
    const canaries = [
      secret.toString("base64url"),
      secret.toString("hex"),
      row?.secretHash,
      session.refreshToken.token,
      session.accessToken.token,
      session.antiCsrfToken,
      "canary-role",
      Buffer.alloc(32, 7).toString("base64"),
    ];
    for (const canary of canaries) expect(told).not.toContain(canary ?? "no canary");
    expect(told).toContain(session.session.handle);
  });
});

/** An engine before whose every compare-and-set a competitor gets in. */
const withCompetitor = async (compete: (engine: SessionEngine) => Promise<unknown>) => {
  const stage = memoryStage();
  const competitor = await stage.engine();
  const storage = intercepted(stage.storage, async ({ method, proceed }) => {
    if (method === "applyRotation") await compete(competitor);
    return proceed();
  });
  return { ...stage, storage, engine: await createEngine({ storage, masterKeys: MASTER_KEYS }) };
};

it("a session that was ended between reading and deciding is gone, not stolen", async () => {
  const { clock, engine } = await withCompetitor((other) => other.revokeAllForUser({ userId: USER }));
  const first = await engine.createSession({ userId: USER });
  clock.advance(MINUTE);
  const second = refreshed(await refresh(engine, first));
  clock.advance(MINUTE);
  await use(engine, second);
  expect(await refresh(engine, first)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  expect((await engine.explainSession(first.session.handle)).reason).toBe("revoked");
});

it("a theft is decided again on the row as a competitor left it, and found all the same", async () => {
  let held: IssuedSession | undefined;
  const { clock, engine } = await withCompetitor(async (other) => {
    if (held !== undefined) await refresh(other, held);
    held = undefined;
  });
  const first = await engine.createSession({ userId: USER });
  clock.advance(MINUTE);
  held = refreshed(await refresh(engine, first));
  clock.advance(MINUTE);
  await use(engine, held);
  expect((await refresh(engine, first)).kind).toBe("token_reuse");
});

it("a row that never stands still ends as trouble of the store, not as an answer", async () => {
  const stage = memoryStage();
  let tries = 0;
  const storage = intercepted(stage.storage, async ({ method, proceed }) => {
    if (method !== "applyRotation") return proceed();
    tries += 1;
    return { kind: "conflict" };
  });
  const engine = await createEngine({ storage, masterKeys: MASTER_KEYS });
  const first = await engine.createSession({ userId: USER });
  stage.clock.advance(MINUTE);
  const second = refreshed(await refresh(engine, first));
  stage.clock.advance(MINUTE);
  await use(engine, second);
  await expect(refresh(engine, first)).rejects.toBeInstanceOf(StorageError);
  expect(tries).toBeLessThan(100);
});
