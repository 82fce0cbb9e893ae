import { millis } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Changed } from "../../src/revocation/change-feed.js";
import { createSessionMarks } from "../../src/revocation/session-marks.js";
import type { AccessTokenClaims, SessionHandle } from "../../src/session.js";
import { HOUR } from "../standing-clock.js";
import { claimsAt } from "../token-fixtures.js";

describe("what was told of sessions", () => {
  it("is kept for the time asked and at most twice that, whenever it came, and in whichever order", () => {
    const keepFor = 100;
    const kinds = fc.constantFrom("revoked", "changed", "neither");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.oneof(fc.nat(60), fc.nat(350)), kinds), { maxLength: 80 }),
        (steps) => {
          const marks = createSessionMarks(millis(keepFor));
          const last = new Map<string, number>();
          let now = 1_000_000;
          for (const [session, pause, kind] of steps) {
            now += pause;
            const handle = `session-${session}` as SessionHandle;
            if (kind === "revoked") marks.markRevoked(handle, millis(now));
            if (kind === "changed") marks.markChanged({ handle, payloadVersion: 1, at: millis(now) }, millis(now));
            if (kind !== "neither") last.set(`${kind} ${handle}`, now).set(`any ${handle}`, now);
            const ageOf = (what: string): number => now - (last.get(`${what} ${handle}`) ?? Number.NEGATIVE_INFINITY);
            const objection = marks.objectionTo(claimsAt(millis(now), "v5", { handle }), millis(now));
            if (ageOf("revoked") < keepFor)
              expect([objection, marks.isRevoked(handle, millis(now))]).toEqual(["revoked", true]);
            else if (ageOf("changed") < keepFor) expect(objection).toBeDefined();
            if (ageOf("any") >= 2 * keepFor) expect(objection).toBeUndefined();
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("is forgotten in time also where nobody asked at the turn", () => {
    const marks = createSessionMarks(millis(100));
    const handle = "session" as SessionHandle;
    marks.markRevoked("first" as SessionHandle, millis(1000));
    marks.markRevoked(handle, millis(1090));
    expect(marks.isRevoked(handle, millis(1199))).toBe(true);
    expect(marks.isRevoked(handle, millis(1298))).toBe(false);
  });

  it("is not kept longer for being asked for", () => {
    const marks = createSessionMarks(millis(100));
    const handle = "session" as SessionHandle;
    marks.markRevoked(handle, millis(1000));
    for (let now = 1000; now < 1200; now += 10) marks.isRevoked(handle, millis(now));
    expect(marks.isRevoked(handle, millis(1200))).toBe(false);
  });

  it("is kept when the clock goes back", () => {
    const marks = createSessionMarks(millis(100));
    const handle = "session" as SessionHandle;
    marks.markRevoked(handle, millis(1000));
    expect(marks.isRevoked(handle, millis(500))).toBe(true);
    expect(marks.isRevoked(handle, millis(1050))).toBe(true);
  });
});

describe("changes of a session", () => {
  const handle = "session" as SessionHandle;
  const START = 1_000_000;
  /** Clocks that date changes and tokens by up to ten seconds wrong. */
  const wrong = fc.integer({ min: -10_000, max: 10_000 });
  const history = fc.record({
    changes: fc.array(fc.tuple(fc.oneof(fc.nat(3000), fc.nat(100_000)), wrong), { minLength: 1, maxLength: 6 }),
    tokens: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), wrong), { minLength: 1, maxLength: 20 }),
    order: fc.infiniteStream(fc.nat()),
  });

  it("refuse what was made before the last one and nothing else, heard in any order, once or twice", () => {
    fc.assert(
      fc.property(history, ({ changes, tokens, order }) => {
        let time = START;
        const lines = changes.map(([pause, error], index): Changed & { readonly true: number } => {
          time += pause;
          return { handle, payloadVersion: index + 1, at: millis(time + error), true: time };
        });
        const marks = createSessionMarks(millis(HOUR));
        const ranked = [...lines, ...lines].map((line) => ({ line, rank: order.next().value as number }));
        for (const { line } of ranked.toSorted((one, other) => one.rank - other.rank))
          marks.markChanged(line, millis(time));
        for (const [part, error] of tokens) {
          const made = START + part * (time - START + 60_000);
          const payloadVersion = lines.filter((line) => line.true <= made).length;
          const claims = claimsAt(millis(made + error), "pawl", { handle, payloadVersion });
          expect(marks.objectionTo(claims, millis(time))).toBe(payloadVersion < lines.length ? "outdated" : undefined);
        }
        expect(marks.versionsLost).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  const at = (seconds: number) => millis(START + seconds * 1000);
  const judged = (
    heard: readonly (readonly [payloadVersion: number, seconds: number])[],
    token: readonly [payloadVersion: number, seconds: number],
  ) => {
    const marks = createSessionMarks(millis(HOUR));
    for (const [payloadVersion, seconds] of heard)
      marks.markChanged({ handle, payloadVersion, at: at(seconds) }, at(0));
    const claims: AccessTokenClaims = claimsAt(at(token[1]), "pawl", { handle, payloadVersion: token[0] });
    return [marks.objectionTo(claims, at(0)), marks.versionsLost];
  };

  it.each([
    [
      "a version given twice: the later change counts",
      [
        [2, 0],
        [2, 100],
      ],
      [2, 5],
      "outdated",
      0,
    ],
    [
      "a version given twice: what was made after the later one",
      [
        [2, 0],
        [2, 100],
      ],
      [2, 101],
      undefined,
      0,
    ],
    [
      "a lower version later: the one the store went on with",
      [
        [3, 0],
        [2, 100],
      ],
      [2, 101],
      undefined,
      0,
    ],
    [
      "a lower version later: what it replaced",
      [
        [3, 0],
        [2, 100],
      ],
      [3, 5],
      "outdated",
      0,
    ],
    [
      "a lower version later: what was made between",
      [
        [3, 0],
        [2, 100],
      ],
      [1, 99],
      "outdated",
      0,
    ],
    [
      "a lower version at nearly the same time is an older one",
      [
        [3, 0],
        [2, 1],
      ],
      [2, 2],
      "outdated",
      0,
    ],
    [
      "an older one that comes late changes nothing",
      [
        [2, 100],
        [3, 0],
      ],
      [2, 101],
      undefined,
      0,
    ],
    ["a lost change stands against nothing that was made long after it", [[2, 0]], [1, 31], undefined, 1],
    ["a lost change stands against what was made soon after it", [[2, 0]], [1, 30], "outdated", 0],
  ] as const)("after lost commits, %s", (_what, heard, token, objection, lost) => {
    expect(judged(heard, token)).toEqual([objection, lost]);
  });
});
