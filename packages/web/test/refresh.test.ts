import { describe, expect, test, vi } from "vitest";
import { headerTokens } from "../src/header.js";
import { createRefresher } from "../src/refresh.js";
import type { SharedSession } from "../src/shared-session.js";
import { answer, type Answer, freshPages, frontToken, LIVE, openLive, scripted, settle } from "./globals.js";

const page = freshPages();

describe("a refresh", () => {
  const URL = "https://api.example/session/refresh";
  const open = async (
    answers: readonly Answer[],
    {
      record = {},
      tokens,
    }: { readonly record?: Partial<SharedSession>; readonly tokens?: ReturnType<typeof headerTokens> } = {},
  ) => {
    const { state, events } = await openLive(page.signal, record);
    const { fetch, asked } = scripted(...answers);
    const closing = new AbortController();
    const isForApi = () => true;
    const refresh = createRefresher(URL, { state, fetch, tokens, isForApi, mode: "cors", signal: closing.signal });
    return { state, events, asked, refresh, again: () => refresh(state.record), close: () => closing.abort() };
  };
  const fresh = answer(200, { "front-token": frontToken() });
  const removed = (body: unknown = {}): Answer => answer(401, { "front-token": "remove" }, body);

  test("asks as the protocol wants it, and brings new tokens", async () => {
    const { asked, again, events } = await open([fresh]);
    expect(await again()).toBe("valid");
    expect(asked[0]).toMatchObject({
      method: "POST",
      url: URL,
      credentials: "include",
      cache: "no-store",
      redirect: "error",
    });
    expect(Object.fromEntries(asked[0]!.headers)).toMatchObject({ "st-auth-mode": "cookie", "anti-csrf": "old" });
    expect(events).toEqual([{ type: "refreshed" }]);
  });

  test("in header mode carries the refresh token", async () => {
    const tokens = headerTokens();
    const { asked, again } = await open([fresh], { tokens, record: { tokens: { access: "a", refresh: "r" } } });
    await again();
    expect(asked[0]!.headers.get("authorization")).toBe("Bearer r");
  });

  test("is one for those who ask at once, and none for who has seen older tokens", async () => {
    const { asked, again, refresh, state } = await open([fresh, removed(), fresh]);
    const seen = state.record;
    expect(await Promise.all([again(), again(), again()])).toEqual(["valid", "valid", "valid"]);
    expect(await refresh(seen)).toBe("valid");
    expect(asked).toHaveLength(1);
    const next = state.record;
    expect(await again()).toBe("ended");
    expect(await refresh(next)).toBe("ended");
    expect(asked).toHaveLength(2);
    expect(await again()).toBe("valid");
  });

  test("is none where another tab has refreshed while this one waited for its turn", async () => {
    const { asked, refresh, state } = await open([fresh]);
    const seen = state.record;
    vi.spyOn(state, "read").mockImplementation(() =>
      state.update((newest) => ({ ...newest, generation: newest.generation + 1 })),
    );
    expect(await refresh(seen)).toBe("valid");
    expect(asked).toHaveLength(0);
  });

  test.each([
    [{ message: "token theft detected" }, "token_reuse"],
    [{ message: "unauthorised", reason: "idle" }, "idle"],
    [{}, "unauthorised"],
    ["no JSON", "unauthorised"],
  ])("that is answered with an end, %j, tells why: %s", async (body, reason) => {
    const { again, events } = await open([removed(body)]);
    expect(await again()).toBe("ended");
    expect(events).toEqual([{ type: "ended", reason }]);
  });

  test.each([
    ["somebody logs in", { front: frontToken({ handle: "h2" }) }, "valid"],
    ["newer tokens arrive", { front: frontToken({ lifetime: 5000 }) }, "valid"],
    ["the session ends", { front: undefined }, "ended"],
  ])("that is in flight when %s is given up, and its answer does not count", async (_, change, outcome) => {
    let answerLate = (): void => undefined;
    const late: Answer = () =>
      new Promise((resolve) => (answerLate = () => resolve(fresh(new Request(URL)) as Response)));
    const { again, asked, events, state } = await open([late]);
    const refreshing = again();
    await settle();
    const newer = { ...LIVE, generation: 6, ...change } as SharedSession;
    await state.update(() => newer);
    await settle();
    expect(asked[0]!.signal.aborted).toBe(true);
    answerLate();
    expect([await refreshing, state.record]).toEqual([outcome, newer]);
    expect(events).not.toContainEqual({ type: "unknown" });
  });

  describe("that nobody answers", () => {
    const silences: readonly (readonly [string, Answer | undefined])[] = [
      ["no network", undefined],
      ["500", answer(500)],
      ["200 of somebody else", answer(200)],
      ["an error with a front token", answer(500, { "front-token": frontToken() })],
      ["a front token that is none", answer(200, { "front-token": "?" })],
    ];
    test.each(silences)("is unknown, and keeps everything: %s", async (_, silence) => {
      const { again, events, state } = await open(silence === undefined ? [] : [silence]);
      expect(await again()).toBe("unknown");
      await settle();
      expect([events, state.record]).toEqual([[{ type: "unknown" }], LIVE]);
    });

    /** Asks until a refresh is sent. @returns after how many ms, to the quarter of a second. */
    const untilAsked = async ({ asked, again }: Awaited<ReturnType<typeof open>>): Promise<number> => {
      const [from, before] = [Date.now(), asked.length];
      while (asked.length === before) {
        await vi.advanceTimersByTimeAsync(250);
        await again();
      }
      return Date.now() - from;
    };
    const refused = answer(503);

    test.each([
      [0, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]],
      [1, [750, 1500, 3000, 6000, 12_000, 24_000, 48_000, 90_000, 90_000]],
    ])("is followed by pauses that grow to a minute, with jitter %d", async (random, pauses) => {
      vi.spyOn(Math, "random").mockReturnValue(random);
      const page = await open(Array.from({ length: 10 }, () => refused));
      expect(await page.again()).toBe("unknown");
      const measured: number[] = [];
      for (const _ of pauses) measured.push(await untilAsked(page));
      expect(measured).toEqual(pauses);
    });

    test.each([
      ["5", 5000],
      ["0", 500],
      ["soon", 500],
      ["date", 120_000],
    ])("honours Retry-After: %s is %i ms", async (value, pause) => {
      vi.spyOn(Math, "random").mockReturnValue(0);
      vi.setSystemTime(1_700_000_000_000);
      const header = value === "date" ? new Date(Date.now() + 120_000).toUTCString() : value;
      const page = await open([answer(503, { "retry-after": header }), refused]);
      await page.again();
      expect(await untilAsked(page)).toBe(pause);
    });

    test("is forgotten once one is answered, or the device is online again", async () => {
      vi.spyOn(Math, "random").mockReturnValue(0);
      const tab = await open([refused, refused, fresh, refused, refused, refused]);
      await tab.again();
      expect([await untilAsked(tab), await untilAsked(tab)]).toEqual([500, 1000]);
      await tab.again();
      expect(await untilAsked(tab)).toBe(500);
      page.events.dispatchEvent(new Event("online"));
      await tab.again();
      expect(tab.asked).toHaveLength(6);
      tab.close();
      page.events.dispatchEvent(new Event("online"));
      await tab.again();
      expect(tab.asked).toHaveLength(6);
    });

    test("is no pause for who has seen older tokens than there are by now", async () => {
      const { again, refresh, state } = await open([]);
      const seen = state.record;
      expect(await again()).toBe("unknown");
      await state.update((newest) => ({ ...newest, generation: newest.generation + 1 }));
      expect([await refresh(seen), await again()]).toEqual(["valid", "unknown"]);
    });

    test("is given up after ten seconds", async () => {
      const hangs: Answer = ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      const { again } = await open([hangs]);
      let outcome: string | undefined;
      void again().then((it) => (outcome = it));
      await vi.advanceTimersByTimeAsync(9999);
      expect(outcome).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      await settle();
      expect(outcome).toBe("unknown");
    });
  });

  test("in a runtime whose clock has no origin works as well, and pauses", async () => {
    vi.stubGlobal("performance", { now: () => 1000 });
    const { again, asked } = await open([answer(503), fresh]);
    expect([await again(), await again(), asked.length]).toEqual(["unknown", "unknown", 1]);
    vi.stubGlobal("performance", { now: () => 5000 });
    expect(await again()).toBe("valid");
  });

  test("in a worker without events of a window works as well", async () => {
    vi.stubGlobal("addEventListener", undefined);
    expect(await (await open([fresh])).again()).toBe("valid");
  });
});
