import { millis, type SessionId } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IssuedSession, type RefreshSessionInput, type SessionEngine, systemRandom } from "../../src/index.js";
import { presentedTokens } from "../../src/rotation/presented-tokens.js";
import { createRefreshTokenSeal, type RefreshTokenClaims } from "../../src/tokens/refresh-token.js";
import { MASTER_KEYS, MINUTE, onEveryStore, refresh, refreshed, SECOND, type Stage, use, USER } from "../engines.js";

const seal = createRefreshTokenSeal(MASTER_KEYS, systemRandom);

const ids = ["3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e5f", "3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e60"] as SessionId[];
const anyClaims: fc.Arbitrary<RefreshTokenClaims> = fc.record({
  id: fc.constantFrom(...ids),
  seq: fc.nat({ max: 3 }),
  iat: fc.nat({ max: 5 }).map(millis),
  antiCsrf: fc.constant(false),
  secret: fc.constantFrom(Buffer.alloc(32, 1), Buffer.alloc(32, 2)),
});

const lineageOf = ({ id, secret }: RefreshTokenClaims): string => `${id} ${secret.toString("hex")}`;

describe("of all the tokens that a client presents", () => {
  it("each session's newest is tried once, the one that was sealed last first, wherever they stood", () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(anyClaims, { minLength: 1, maxLength: 6 })
          .chain((claims) => fc.tuple(fc.constant(claims), fc.shuffledSubarray(claims, { minLength: claims.length }))),
        fc.array(fc.string(), { maxLength: 2 }),
        ([claims, shuffled], garbage) => {
          const tried = (given: readonly RefreshTokenClaims[]): readonly RefreshTokenClaims[] => {
            const [refreshToken = "", ...otherRefreshTokens] = [...garbage, ...given.map((it) => seal.seal(it))];
            return presentedTokens({ refreshToken, otherRefreshTokens }, seal);
          };
          const chosen = tried(claims);
          expect(chosen.map(lineageOf).toSorted()).toEqual([...new Set(claims.map(lineageOf))].toSorted());
          for (const copy of claims) {
            const newest = chosen.find((it) => lineageOf(it) === lineageOf(copy)) as RefreshTokenClaims;
            expect(newest.seq > copy.seq || (newest.seq === copy.seq && newest.iat >= copy.iat)).toBe(true);
          }
          const times = chosen.map(({ iat }) => iat);
          expect(times).toEqual(times.toSorted((one, other) => other - one));
          // Of two sessions sealed in one millisecond either may be first.
          if (new Set(times).size === times.length) expect(tried(shuffled)).toEqual(chosen);
        },
      ),
    );
  });

  it("eight others are taken, no more, whatever they are", () => {
    const others = Array.from({ length: 8 }, (_, at) => [undefined, null, 5, {}, "", "garbage"][at % 6] as string);
    expect(presentedTokens({ refreshToken: "", otherRefreshTokens: others }, seal)).toEqual([]);
    const tooMany = { refreshToken: "", otherRefreshTokens: [...others, ""] };
    expect(() => presentedTokens(tooMany, seal)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });
});

/** A session that was rotated and used since: its first token is dead, and an alarm on its own. */
const rotated = async ({ clock }: Stage, engine: SessionEngine) => {
  const stale = await engine.createSession({ userId: USER });
  clock.advance(MINUTE);
  const current = refreshed(await refresh(engine, stale));
  clock.advance(MINUTE);
  await use(engine, current);
  return { stale: stale.refreshToken.token, current };
};

const present = (engine: SessionEngine, tokens: readonly string[], more: Partial<RefreshSessionInput> = {}) => {
  const [refreshToken = "", ...otherRefreshTokens] = tokens;
  return engine.refreshSession({ refreshToken, otherRefreshTokens, ...more });
};

const isLive = async (engine: SessionEngine, { session }: IssuedSession): Promise<boolean> =>
  (await engine.getSession(session.handle)) !== undefined;

onEveryStore("duplicate refresh tokens", (open) => {
  it("a stale one of the same session alarms nobody, wherever it stands; alone it does", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { stale, current } = await rotated(stage, engine);
    let newest = current.refreshToken.token;
    for (const order of [() => [stale, newest], () => [newest, stale], () => [stale, stale, newest, stale]]) {
      newest = refreshed(await present(engine, order())).refreshToken.token;
      stage.clock.advance(MINUTE);
    }
    expect((await engine.listEvents({ types: ["token_reuse"] }, { limit: 10 })).items).toEqual([]);

    expect(await present(engine, [stale, stale, "garbage"])).toMatchObject({ kind: "token_reuse" });
    expect(await isLive(engine, current)).toBe(false);
  });

  it("garbage and tokens without the session's secret hide none that is good", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { current } = await rotated(stage, engine);
    const claims = seal.open(current.refreshToken.token) as RefreshTokenClaims;
    const forged = seal.seal({ ...claims, seq: 9, iat: millis(claims.iat + 10), secret: Buffer.alloc(32, 9) });
    refreshed(await present(engine, ["garbage", forged, current.refreshToken.token, ""]));
    const { items } = await engine.listEvents({ types: ["forged_token"] }, { limit: 10 });
    expect(items).toMatchObject([{ count: 1 }]);
    expect(await present(engine, ["garbage", forged])).toMatchObject({ kind: "unauthorised", why: "forged_token" });
    expect(await present(engine, ["garbage", ""])).toMatchObject({ kind: "unauthorised", why: "invalid_token" });
  });

  it("of two sessions the one sealed last goes on and the other is left alone; when that has ended, the other", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const older = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const newer = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const tokens = [older, newer].map(({ refreshToken }) => refreshToken.token);
    for (const order of [tokens, tokens.toReversed()])
      expect(refreshed(await present(engine, order)).session.handle).toBe(newer.session.handle);
    expect((await engine.getSession(older.session.handle))?.refreshedAt).toBeUndefined();

    await engine.revokeSessions([newer.session.handle]);
    for (const order of [tokens, tokens.toReversed()])
      expect(refreshed(await present(engine, order)).session.handle).toBe(older.session.handle);
    await engine.revokeSessions([older.session.handle]);
    expect(await present(engine, tokens)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  });

  it("a stolen token planted beside another session's ends its own session alone, and the other goes on", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const innocent = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const { stale, current } = await rotated(stage, engine);
    const turned = refreshed(await present(engine, [innocent.refreshToken.token, stale]));
    expect(turned.session.handle).toBe(innocent.session.handle);
    expect(await isLive(engine, current)).toBe(false);
    const { items } = await engine.listEvents({ types: ["token_reuse"] }, { limit: 10 });
    expect(items).toMatchObject([{ sessionId: current.session.handle }]);
  });

  it("a theft is told where no other token refreshes, whatever else was refused before or after it", async () => {
    for (const place of [0, 1]) {
      const stage = await open();
      const engine = await stage.engine();
      const over = await engine.createSession({ userId: USER });
      if (place === 0) stage.clock.advance(MINUTE);
      const { stale, current } = await rotated(stage, engine);
      const later = await engine.createSession({ userId: USER });
      for (const { session } of [over, later]) await engine.revokeSessions([session.handle]);
      const outcome = await present(engine, [over.refreshToken.token, stale, later.refreshToken.token]);
      expect(outcome).toMatchObject({ kind: "token_reuse", session: { handle: current.session.handle } });
    }
  });

  it("of one number the copy sealed last counts, so that rotation is not put off", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const login = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const first = refreshed(await refresh(engine, login));
    stage.clock.advance(5 * SECOND);
    const second = refreshed(await refresh(engine, login));
    expect(second.refreshToken.createdTime).toBeGreaterThan(first.refreshToken.createdTime);
    const copies = [first, second].map(({ refreshToken }) => refreshToken.token);
    for (const order of [copies, copies.toReversed()]) {
      const { refreshToken } = refreshed(await present(engine, order));
      expect(refreshToken.createdTime).toBe(second.refreshToken.createdTime);
    }
  });

  it("a session whose anti-CSRF token does not fit is passed over", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const older = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const newer = await engine.createSession({ userId: USER });
    const tokens = [newer, older].map(({ refreshToken }) => refreshToken.token);
    const presentWith = (antiCsrfToken: string | undefined) =>
      present(engine, tokens, { enableAntiCsrf: true, ...(antiCsrfToken === undefined ? {} : { antiCsrfToken }) });
    expect(refreshed(await presentWith(older.antiCsrfToken)).session.handle).toBe(older.session.handle);
    expect(refreshed(await presentWith(newer.antiCsrfToken)).session.handle).toBe(newer.session.handle);
    expect(await presentWith(undefined)).toMatchObject({ kind: "unauthorised", why: "anti_csrf" });
  });
});
