import { millis } from "@pawl/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { IssuedSession } from "../../src/index.js";
import { claimsOf, DAY, onEveryStore, USER, WINDOW } from "../engines.js";
import { type Copy, Lineage } from "../../../storage/test/lineage.js";

/** A token as both sides hold it: sealed for the engine, open for the decision function. */
interface Held {
  readonly sealed: IssuedSession;
  readonly refreshToken: Copy;
  readonly accessToken: Copy;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("refresh" as const), token: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant("use" as const), token: fc.nat({ max: 7 }) }),
  fc.record({
    kind: fc.constant("advance" as const),
    duration: fc.constantFrom(1, WINDOW / 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, DAY),
  }),
);

onEveryStore("the engine on its store", (open) => {
  it("answers any history of refreshes and uses, honest or not, exactly as the decision function", async () => {
    const stage = await open();
    const engine = await stage.engine({ theftAction: "revoke_session" });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: "max" }), async (steps) => {
        const lineage = new Lineage(WINDOW);
        lineage.now = stage.clock.now();
        const sealed = await engine.createSession({ userId: USER, form: "v1", keyKind: "static" });
        const held: Held[] = [{ sealed, ...lineage.login() }];
        for (const action of steps) {
          if (action.kind === "advance") {
            stage.clock.advance(action.duration);
            lineage.now += action.duration;
            continue;
          }
          // Counted from the newest: thieves and stragglers hold old ones.
          const holder = held.at(-1 - (action.token % held.length));
          if (holder === undefined) throw new Error("nobody holds a token");
          if (action.kind === "use") {
            const { seq, iat } = holder.accessToken;
            await engine.reportUses([{ handle: sealed.session.handle, seq, issuedAt: millis(iat) }]);
            lineage.use(holder.accessToken);
            continue;
          }
          const outcome = await engine.refreshSession({
            refreshToken: holder.sealed.refreshToken.token,
            form: "v1",
          });
          const expected = lineage.refresh(holder.refreshToken);
          seen.add(expected.kind);
          const kinds: Readonly<Record<string, string>> = { reuse: "token_reuse", absent: "unauthorised" };
          expect(outcome.kind).toBe(kinds[expected.kind] ?? "refreshed");
          if (outcome.kind !== "refreshed" || !expected.refreshToken || !expected.accessToken) continue;
          expect(outcome.refreshToken.createdTime).toBe(expected.refreshToken.iat);
          const claims = await claimsOf(engine, outcome);
          expect(claims).toMatchObject({ seq: expected.accessToken.seq, issuedAt: expected.accessToken.iat });
          const { current, next } = lineage.row;
          expect(claims.parentSeq).toBe(current < next ? current : undefined);
          held.push({ sealed: outcome, refreshToken: expected.refreshToken, accessToken: expected.accessToken });
        }
      }),
      { numRuns: 40 },
    );
    expect([...seen].toSorted()).toEqual(["absent", "keep", "mint", "repeat", "reuse"]);
  });
});
