import { millis } from "@pawl/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { IssuedSession, Policy, SessionEngine } from "../src/index.js";
import { HOUR, MINUTE, onEveryStore, refreshed, SECOND, type Stage, USER } from "./engines.js";

/** A policy, and the longest time between two requests of a client that counts as active under it. */
interface Rules {
  readonly policy: Pick<Policy, "accessTokenValidity" | "refreshTokenValidity" | "reuseWindow"> & Partial<Policy>;
  readonly longestGap: number;
}

const rules: fc.Arbitrary<Rules> = fc
  .record({
    idleTimeout: fc.option(
      fc.oneof(fc.constantFrom(MINUTE, 2 * MINUTE, 3 * MINUTE), fc.integer({ min: MINUTE, max: 2 * HOUR })),
      { nil: undefined },
    ),
    reuseWindow: fc.oneof(fc.constantFrom(0, 30 * SECOND, MINUTE, 2 * MINUTE, 300 * SECOND), fc.nat(300 * SECOND)),
    accessTokenValidity: fc.oneof(
      fc.constantFrom(SECOND, 45 * SECOND, HOUR),
      fc.integer({ min: SECOND, max: 2 * HOUR }),
    ),
    /** By how much the refresh token outlives access token and two windows. */
    margin: fc.oneof(fc.integer({ min: 2 * SECOND, max: MINUTE }), fc.constant(100 * 24 * HOUR)),
  })
  .map(({ idleTimeout, reuseWindow, accessTokenValidity, margin }) => ({
    policy: {
      reuseWindow: millis(reuseWindow),
      accessTokenValidity: millis(accessTokenValidity),
      refreshTokenValidity: millis(accessTokenValidity + 2 * reuseWindow + margin),
      ...(idleTimeout === undefined ? {} : { idleTimeout: millis(idleTimeout) }),
    },
    longestGap: Math.min(margin, idleTimeout === undefined ? Number.POSITIVE_INFINITY : idleTimeout / 2) - 1,
  }));

/** What a browser does at a moment: how many tabs ask at once, which answers get lost, whether the verifier reports uses. */
interface Moment {
  /** Since the last one, as a part of the longest gap; `last`: just before the access token runs out, where that is sooner. */
  readonly gap: number | "last";
  readonly tabs: number;
  /** For each answer to a refresh whether it arrives; one that was lost is asked for again at the next moment. */
  readonly arrives: readonly boolean[];
  readonly reports: boolean;
}

const moments = (tabs: number): fc.Arbitrary<readonly Moment[]> =>
  fc.array(
    fc.record({
      gap: fc.oneof(
        fc.constant(1),
        fc.constant("last" as const),
        fc.constantFrom(1 / 4, 1 / 2),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      tabs: fc.integer({ min: 1, max: tabs }),
      arrives: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      reports: fc.boolean(),
    }),
    { minLength: 20, maxLength: 40 },
  );

const lives = rules.chain(({ policy, longestGap }) =>
  // Without a window two tabs are taken for two parties.
  moments(policy.reuseWindow === 0 ? 1 : 3).map((life) => ({ policy, longestGap, life })),
);

const live = async (engine: SessionEngine, stage: Stage, life: readonly Moment[], longestGap: number) => {
  let jar: IssuedSession = await engine.createSession({ userId: USER });
  for (const { gap, tabs, arrives, reports } of life) {
    const left = Math.floor(jar.accessToken.expiry / SECOND) * SECOND - 1 - stage.clock.now();
    const longest = Math.min(longestGap, 24 * HOUR);
    stage.clock.advance(gap === "last" ? Math.max(0, Math.min(longest, left)) : Math.floor(gap * longest));
    const verified = await engine.verifyAccessToken({ accessToken: jar.accessToken.token });
    if (verified.kind === "valid") {
      if (reports) await engine.reportUses([verified.claims]);
      continue;
    }
    expect(verified).toMatchObject({ kind: "try_refresh", why: "expired" });
    const { token } = jar.refreshToken;
    // Whoever gets no answer at all until the token in the jar has run out is not active.
    const isLastChance = jar.refreshToken.expiry - stage.clock.now() <= longest;
    for (const arrived of arrives.slice(0, tabs)) {
      const answer = refreshed(await engine.refreshSession({ refreshToken: token }));
      if (arrived || isLastChance) jar = answer;
    }
  }
};

onEveryStore("an active client", (open) => {
  it(
    "is never ended, whatever the timeouts, validities and window, as long as it asks within half the idle timeout",
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(lives, async ({ policy, longestGap, life }) => {
          const stage = await open();
          await live(await stage.engine(policy), stage, life, longestGap);
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each([
    ["2m", 2 * MINUTE, 300 * SECOND, HOUR],
    ["2m", 2 * MINUTE, 60 * SECOND, HOUR],
    ["2m", 2 * MINUTE, 120 * SECOND, HOUR],
    ["3m", 3 * MINUTE, 300 * SECOND, 45 * SECOND],
    ["1m", MINUTE, 30 * SECOND, HOUR],
  ])(
    "calls every ten seconds under an idle timeout of %s for an hour",
    async (_, idleTimeout, reuseWindow, validity) => {
      const stage = await open();
      const engine = await stage.engine({
        idleTimeout: millis(idleTimeout),
        reuseWindow: millis(reuseWindow),
        accessTokenValidity: millis(validity),
      });
      const every = { gap: 1, tabs: 1, arrives: [true], reports: false };
      await live(
        engine,
        stage,
        Array.from({ length: 360 }, () => every),
        10 * SECOND,
      );
    },
  );

  it("writes activity inside the window once per interval, and nothing of the rotation", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(2 * MINUTE), reuseWindow: millis(300 * SECOND) });
    const login = await engine.createSession({ userId: USER });
    const first = refreshed(await engine.refreshSession({ refreshToken: login.refreshToken.token }));
    const rowOf = () => stage.storage.getSession(login.session.handle as never);
    const seen = new Set<number>();
    const before = await rowOf();
    for (let asked = 0; asked < 60; asked += 1) {
      stage.clock.advance(SECOND);
      refreshed(await engine.refreshSession({ refreshToken: first.refreshToken.token }));
      const { lastActiveAt, idleExpiresAt: _, ...rotation } = (await rowOf())!;
      seen.add(lastActiveAt);
      expect({ ...before, ...rotation }).toEqual(before);
    }
    // A quarter of two minutes: at the login, and thirty and sixty seconds later.
    expect(seen.size).toBe(3);
  });
});
