import { describe, expect, test, vi } from "vitest";
import { headerTokens } from "../src/header.js";
import { carrying, createRefresher, markEnded, receive } from "../src/refresh.js";
import { openState } from "../src/session-state.js";
import { monotonicTime, type SharedSession } from "../src/shared-session.js";
import { answer, type Answer, freshPages, frontToken, scripted, settle } from "./globals.js";

const page = freshPages();
const LIVE: SharedSession = { generation: 5, endedAt: 2, front: frontToken(), antiCsrf: "old" };

const openLive = async (record: Partial<SharedSession> = {}) => {
  const state = openState("key", { shared: false, signal: page.signal });
  await state.ready;
  await state.update(() => ({ ...LIVE, ...record }));
  const events: unknown[] = [];
  state.listen((event) => events.push(event));
  return { state, events };
};

describe("a request", () => {
  const carried = (init: HeadersInit, record: SharedSession, tokens?: ReturnType<typeof headerTokens>) =>
    Object.fromEntries(carrying(new Headers(init), record, { tokens, use: "access" }));

  test("carries how tokens travel, and the anti-CSRF token unless it has one", () => {
    expect(carried({ a: "b" }, LIVE)).toEqual({ a: "b", "st-auth-mode": "cookie", "anti-csrf": "old" });
    expect(carried({ "anti-csrf": "own" }, LIVE)).toEqual({ "st-auth-mode": "cookie", "anti-csrf": "own" });
    expect(carried({}, { generation: 1, endedAt: 0 })).toEqual({ "st-auth-mode": "cookie" });
    expect(carried({}, { generation: 1, endedAt: 0, tokens: { access: "a", refresh: "r" } }, headerTokens())).toEqual({
      "st-auth-mode": "header",
      authorization: "Bearer a",
    });
  });
});

describe("an answer", () => {
  type Options = Partial<Parameters<typeof receive>[2]>;
  const received = async (
    headers: Readonly<Record<string, string>>,
    { status = 200, sent = {}, ...options }: Options & { status?: number; sent?: Partial<SharedSession> } = {},
  ) => {
    const { state, events } = await openLive();
    await receive(
      new Response(null, { status, headers }),
      { ...LIVE, ...sent },
      { state, tokens: undefined, ...options },
    );
    return { record: state.record, events };
  };

  test("that says nothing of the session changes nothing", async () => {
    expect((await received({})).record).toEqual(LIVE);
  });

  test("with a front token is a new generation, which keeps what it does not tell", async () => {
    const front = frontToken({ lifetime: 90_000, payload: { a: 1 } });
    const { record, events } = await received({ "front-token": front });
    const expiresAt = monotonicTime() + 90_000;
    expect(record).toEqual({
      generation: Date.now(),
      endedAt: 2,
      front,
      antiCsrf: "old",
      expiresAt,
      tokens: undefined,
    });
    expect(events).toEqual([{ type: "refreshed" }, { type: "payload_changed", payload: { a: 1 } }]);
    expect((await received({ "front-token": front, "anti-csrf": "new" })).record.antiCsrf).toBe("new");
  });

  test("brings the tokens of header mode, or leaves those that are there", async () => {
    const tokens = headerTokens();
    const given = { "front-token": frontToken(), "st-access-token": "a", "st-refresh-token": "r" };
    expect((await received(given, { tokens })).record.tokens).toEqual({ access: "a", refresh: "r" });
    const { state } = await openLive({ tokens: { access: "x", refresh: "y" } });
    await receive(new Response(null, { headers: { "front-token": frontToken() } }), LIVE, { state, tokens });
    expect(state.record.tokens).toEqual({ access: "x", refresh: "y" });
  });

  test("asked before a logout, it does not bring the session back", async () => {
    expect((await received({ "front-token": frontToken() }, { sent: { endedAt: 1 } })).record).toEqual(LIVE);
  });

  test.each([
    [200, undefined, "signed_out"],
    [401, undefined, "unauthorised"],
    [401, "token_theft", "token_theft"],
  ] as const)("with status %i that removes the session ends it: %s is %s", async (status, reason, told) => {
    const { record, events } = await received(
      { "front-token": "remove" },
      { status, ...(reason === undefined ? {} : { reason }) },
    );
    expect(record).toEqual({ generation: Date.now(), endedAt: Date.now(), reason: told });
    expect(events).toEqual([{ type: "ended", reason: told }]);
  });

  test("that removes older tokens ends nothing; without a session an end is none", async () => {
    expect((await received({ "front-token": "remove" }, { sent: { generation: 4 } })).record).toEqual(LIVE);
    const { state, events } = await openLive();
    await markEnded(state, state.record, "signed_out");
    const endedAt = state.record.endedAt;
    await vi.advanceTimersByTimeAsync(1000);
    await markEnded(state, state.record, "unauthorised");
    expect(state.record).toEqual({ generation: Date.now(), endedAt, reason: "unauthorised" });
    expect(events).toHaveLength(1);
  });
});

describe("a refresh", () => {
  const URL = "https://api.example/session/refresh";
  const open = async (
    answers: readonly Answer[],
    {
      record = {},
      tokens,
    }: { readonly record?: Partial<SharedSession>; readonly tokens?: ReturnType<typeof headerTokens> } = {},
  ) => {
    const { state, events } = await openLive(record);
    const { fetch, asked } = scripted(...answers);
    const closing = new AbortController();
    const refresh = createRefresher({ key: "key", url: URL, state, fetch, tokens, signal: closing.signal });
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
    [{ message: "token theft detected" }, "token_theft"],
    [{ message: "unauthorised" }, "unauthorised"],
    [{}, "unauthorised"],
    ["no JSON", "unauthorised"],
  ])("that is answered with an end, %j, tells why: %s", async (body, reason) => {
    const { again, events } = await open([removed(body)]);
    expect(await again()).toBe("ended");
    expect(events).toEqual([{ type: "ended", reason }]);
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

  test("in a worker without events of a window works as well", async () => {
    vi.stubGlobal("addEventListener", undefined);
    expect(await (await open([fresh])).again()).toBe("valid");
  });
});
