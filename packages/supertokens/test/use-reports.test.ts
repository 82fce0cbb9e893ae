import type { AccessTokenClaims, UseReport } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { UseReports } from "../../node/src/backend/use-reports.js";
import { modes } from "./modes.js";

const WINDOW = 30_000;
const MINUTE = 60_000;
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

const claims = (changes: Partial<Record<keyof AccessTokenClaims, unknown>> = {}): AccessTokenClaims =>
  ({ handle: "h", seq: 1, parentSeq: 0, issuedAt: 0, ...changes }) as AccessTokenClaims;

const recorded = (send: (uses: readonly UseReport[]) => Promise<void> = async () => undefined, window = WINDOW) => {
  const sent: UseReport[][] = [];
  const uses = new UseReports({
    settings: () => ({ reuseWindow: millis(window), activityInterval: millis(MINUTE) }),
    send: async (batch) => {
      await send(batch);
      sent.push([...batch]);
    },
  });
  return { uses, sent };
};

describe("what is told", () => {
  test("the first use of an unconfirmed token older than the window, once", async () => {
    const { uses, sent } = recorded();
    for (const now of [0, WINDOW, WINDOW + 1, WINDOW + 2, WINDOW + 3]) uses.note(claims(), now);
    await settle();
    expect(sent).toEqual([[{ handle: "h", seq: 1, issuedAt: 0 }]]);
  });

  test("with a window of 0 the first use at all", async () => {
    const { uses, sent } = recorded(undefined, 0);
    uses.note(claims(), 0);
    await settle();
    expect(sent).toHaveLength(1);
  });

  test("a newer token of the same session is told again, an older one is not", async () => {
    const { uses, sent } = recorded();
    uses.note(claims({ seq: 2 }), WINDOW + 1);
    uses.note(claims({ seq: 1 }), WINDOW + 2);
    uses.note(claims({ seq: 3 }), WINDOW + 3);
    await settle();
    expect(sent.flat().map((use) => use.seq)).toEqual([2, 3]);
  });

  test("activity, once a minute", async () => {
    const { uses, sent } = recorded();
    const confirmed = claims({ parentSeq: undefined });
    for (let now = 0; now <= 5 * MINUTE; now += 5000) uses.note(confirmed, now);
    await settle();
    expect(sent.flat()).toHaveLength(5);
  });

  test("nothing right after login", async () => {
    const { uses, sent } = recorded();
    for (let now = 0; now < MINUTE; now += 1000) uses.note(claims({ seq: 0, parentSeq: undefined }), now);
    await settle();
    expect(sent).toEqual([]);
  });
});

describe("how it is sent", () => {
  test("what arrives together goes together, at most a thousand at once", async () => {
    const { uses, sent } = recorded();
    for (let at = 0; at < 2500; at++) uses.note(claims({ handle: `h${at}` }), MINUTE);
    await uses.close();
    expect(sent.map((batch) => batch.length)).toEqual([1000, 1000, 500]);
  });

  test("what could not be sent is sent later, on close at the latest", async () => {
    let isDown = true;
    const { uses, sent } = recorded(async () => {
      if (isDown) throw new Error("down");
    });
    uses.note(claims(), MINUTE);
    await settle();
    expect(sent).toEqual([]);
    isDown = false;
    await uses.close();
    expect(sent.flat()).toHaveLength(1);
  });

  test("what hangs holds up a close for a second at most", async () => {
    const { uses } = recorded(() => new Promise(() => undefined));
    uses.note(claims(), MINUTE);
    await settle();
    const start = performance.now();
    await uses.close();
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("what waits is bounded, and so is what waits again after a failure", async () => {
    const { uses, sent } = recorded();
    for (let at = 0; at < 20_000; at++) uses.note(claims({ handle: `h${at}` }), MINUTE);
    await uses.close();
    expect(sent.flat()).toHaveLength(10_000);

    let fail: (() => void) | undefined;
    const again = recorded(() =>
      fail === undefined ? new Promise((_, no) => (fail = () => no(new Error("down")))) : Promise.resolve(),
    );
    for (let at = 0; at < 1000; at++) again.uses.note(claims({ handle: `first${at}` }), MINUTE);
    await expect.poll(() => fail).toBeDefined();
    for (let at = 0; at < 20_000; at++) again.uses.note(claims({ handle: `h${at}` }), MINUTE);
    fail?.();
    await settle();
    await again.uses.close();
    expect(again.sent.flat()).toHaveLength(10_000);
    expect(again.sent[0]?.[0]?.handle).toBe("first0");
  });
});

describe.each(modes)("$name", ({ start }) => {
  test("a use confirms the rotation: the thief is found at the thief's first refresh", async () => {
    const { pawl, clock, close } = await start();
    const login = await pawl.tokens.createNewSession("u1");
    clock.advance("10m");
    const next = await pawl.tokens.refreshSession(login.refreshToken.token);
    clock.advance("1m");
    await pawl.tokens.getSession(next.accessToken.token, undefined, false, "x");
    await expect.poll(async () => (await pawl.sessions.get(login.session.handle))?.lastActiveAt).toBe(clock.now());
    await expect(pawl.tokens.refreshSession(login.refreshToken.token)).rejects.toMatchObject({ errType: 4000 });
    await close();
  });

  test("without a use in between a repeated refresh is answered", async () => {
    const { pawl, clock, close } = await start();
    const login = await pawl.tokens.createNewSession("u1");
    clock.advance("10m");
    await pawl.tokens.refreshSession(login.refreshToken.token);
    clock.advance("1m");
    expect((await pawl.tokens.refreshSession(login.refreshToken.token)).session).toEqual(login.session);
    await close();
  });

  test("what was noted is sent before an instance closes", async () => {
    const { pawl, clock, another, close } = await start();
    const elsewhere = await another();
    const { session, accessToken } = await pawl.tokens.createNewSession("u1");
    clock.advance("10m");
    await elsewhere.tokens.getSession(accessToken.token, undefined, false, "x");
    await elsewhere.close();
    expect(await pawl.sessions.get(session.handle)).toMatchObject({ lastActiveAt: clock.now() });
    await close();
  });
});
