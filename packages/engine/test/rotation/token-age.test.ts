import { millis, type SessionId } from "@pawl/storage";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { IssuedSession, SessionEngine } from "../../src/index.js";
import { DAY, memoryStage, MINUTE, onEveryStore, refresh, refreshed, SECOND, type Stage, USER } from "../engines.js";

const MONTH = { refreshTokenValidity: millis(30 * DAY) };

/** A session that was refreshed every twenty days, each successor by the next refresh. @returns its copies, in order. */
const oldSession = async (stage: Stage, engine: SessionEngine): Promise<readonly IssuedSession[]> => {
  const copies = [await engine.createSession({ userId: USER })];
  for (let days = 0; days < 400; days += 20) {
    stage.clock.advance(20 * DAY);
    copies.push(refreshed(await refresh(engine, copies.at(-1)!)));
  }
  return copies;
};

onEveryStore("the age of a refresh token", (open) => {
  it("one sealed longer ago than its validity is refused without alarm; inside it, it is theft", async () => {
    const stage = await open();
    const engine = await stage.engine(MONTH);
    const copies = await oldSession(stage, engine);
    const id = copies[0]!.session.handle as string as SessionId;
    stage.clock.advance(MINUTE);
    const before = await stage.storage.getSession(id);
    for (const copy of copies.slice(0, -2))
      expect(await refresh(engine, copy)).toMatchObject({ kind: "unauthorised", message: /expired/ });
    expect(await stage.storage.getSession(id)).toEqual(before);
    expect((await engine.listEvents({ userId: USER }, { limit: 10 })).items).toEqual([]);

    // Sealed twenty days ago, and its successor was used.
    expect(await refresh(engine, copies.at(-2)!)).toMatchObject({ kind: "refreshed" });
    stage.clock.advance(MINUTE);
    expect(await refresh(engine, copies.at(-3)!)).toMatchObject({ kind: "unauthorised" });
    stage.clock.advance(-20 * DAY);
    expect(await refresh(engine, copies.at(-3)!)).toMatchObject({ kind: "token_reuse" });
  });

  it("one that has expired rotates nothing although no successor of it was seen in use", async () => {
    const stage = await open();
    const engine = await stage.engine(MONTH);
    const login = await engine.createSession({ userId: USER });
    stage.clock.advance(29 * DAY);
    const newest = refreshed(await refresh(engine, login));
    stage.clock.advance(2 * DAY);
    expect(await refresh(engine, login)).toMatchObject({ kind: "unauthorised" });
    refreshed(await refresh(engine, newest));
  });

  it("a validity that was shortened ends nobody who was promised more, not even in the second tab", async () => {
    const stage = await open();
    const generous = await stage.engine(MONTH);
    const session = await generous.createSession({ userId: USER });
    stage.clock.advance(10 * DAY);
    const strict = await stage.engine({ refreshTokenValidity: millis(7 * DAY) });
    refreshed(await refresh(strict, session));
    stage.clock.advance(SECOND);
    refreshed(await refresh(strict, session));
    // Both answers were lost.
    stage.clock.advance(DAY);
    const newest = refreshed(await refresh(strict, session));
    stage.clock.advance(7 * DAY + SECOND);
    expect(await refresh(strict, newest)).toMatchObject({ kind: "unauthorised", why: "no_session" });
  });
});

it("whatever the validity was and is, nobody is refused before the expiry that came with the newest answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          days: fc.integer({ min: 1, max: 40 }),
          validity: fc.integer({ min: 1, max: 40 }),
          tabs: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 2, maxLength: 8 },
      ),
      async (steps) => {
        const stage = memoryStage();
        let engine = await stage.engine(MONTH);
        let held = await engine.createSession({ userId: USER });
        for (const { days, validity, tabs } of steps) {
          if (stage.clock.now() + days * DAY >= held.refreshToken.expiry) continue;
          stage.clock.advance(days * DAY);
          await engine.close();
          engine = await stage.engine({ refreshTokenValidity: millis(validity * DAY) });
          const presented = held;
          for (let tab = 0; tab < tabs; tab++) held = refreshed(await refresh(engine, presented));
        }
        await engine.close();
      },
    ),
    { numRuns: 200 },
  );
});
