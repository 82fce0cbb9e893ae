import { describe, expect, test, vi } from "vitest";
import { headerTokens } from "../src/header.js";
import type { SharedSession } from "../src/shared-session.js";
import { monotonicTime } from "../src/timing.js";
import { markEnded, send } from "../src/transport.js";
import { answer, freshPages, frontToken, LIVE, openLive, scripted } from "./globals.js";

const page = freshPages();
const ME = "https://api.example/me";
const isForApi = (): boolean => true;

describe("a request", () => {
  const carried = async (headers: HeadersInit, record: SharedSession, tokens?: ReturnType<typeof headerTokens>) => {
    const { state } = await openLive(page.signal);
    const { fetch, asked } = scripted(answer(200));
    await send(new Request(ME, { headers }), record, { state, fetch, tokens, isForApi, mode: "cors", use: "access" });
    return Object.fromEntries(asked[0]!.headers);
  };

  test("carries how tokens travel, and the anti-CSRF token unless it has one", async () => {
    expect(await carried({ a: "b" }, LIVE)).toEqual({ a: "b", "st-auth-mode": "cookie", "anti-csrf": "old" });
    expect(await carried({ "anti-csrf": "own" }, LIVE)).toEqual({ "st-auth-mode": "cookie", "anti-csrf": "own" });
    expect(await carried({}, { generation: 1, endedAt: 0 })).toEqual({ "st-auth-mode": "cookie" });
    const tokens = { access: "a", refresh: "r" };
    expect(await carried({}, { generation: 1, endedAt: 0, tokens }, headerTokens())).toEqual({
      "st-auth-mode": "header",
      authorization: "Bearer a",
    });
  });
});

describe("an answer", () => {
  const received = async (
    headers: Readonly<Record<string, string>>,
    {
      status = 200,
      sent = {},
      body = null,
      record = {},
      tokens,
      use = "access",
    }: {
      readonly status?: number;
      readonly sent?: Partial<SharedSession>;
      readonly body?: string | null;
      readonly record?: Partial<SharedSession>;
      readonly tokens?: ReturnType<typeof headerTokens>;
      readonly use?: "access" | "refresh";
    } = {},
  ) => {
    const { state, events } = await openLive(page.signal, record);
    const fetch = async () => new Response(body, { status, headers });
    const api = { state, fetch, tokens, isForApi, mode: "cors", use } as const;
    const response = await send(new Request(ME), { ...LIVE, ...sent }, api);
    return { record: state.record, events, response };
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
    const record = { tokens: { access: "x", refresh: "y" } };
    expect((await received({ "front-token": frontToken() }, { tokens, record })).record.tokens).toEqual(record.tokens);
  });

  test("asked before a logout, it does not bring the session back", async () => {
    expect((await received({ "front-token": frontToken() }, { sent: { endedAt: 1 } })).record).toEqual(LIVE);
  });

  test("to a refresh counts only as long as nothing has changed, another one also afterwards", async () => {
    const of = (use: "access" | "refresh") =>
      received({ "front-token": frontToken() }, { sent: { generation: 4 }, use });
    expect((await of("refresh")).record).toEqual(LIVE);
    expect((await of("access")).record).not.toEqual(LIVE);
  });

  test("that failed has no tokens for a refresh, but may have for another request", async () => {
    const of = (use: "access" | "refresh") => received({ "front-token": frontToken() }, { status: 500, use });
    expect((await of("refresh")).record).toEqual(LIVE);
    expect((await of("access")).record).not.toEqual(LIVE);
  });

  test.each([
    [200, '{"reason":"idle"}', "logout"],
    [401, '{"message":"unauthorised","code":"UNAUTHORISED","reason":"idle"}', "idle"],
    [401, '{"message":"token theft detected","code":"TOKEN_THEFT","reason":"token_reuse"}', "token_reuse"],
    [401, '{"message":"token theft detected"}', "token_reuse"],
    [401, '{"message":"unauthorised"}', "unauthorised"],
    [401, "null", "unauthorised"],
    [401, "no JSON", "unauthorised"],
    [401, null, "unauthorised"],
  ])("with status %i and body %s that removes the session ends it: %s", async (status, body, reason) => {
    const { record, events, response } = await received({ "front-token": "remove" }, { status, body });
    expect(record).toEqual({ generation: Date.now(), endedAt: Date.now(), reason });
    expect(events).toEqual([{ type: "ended", reason }]);
    // It is the caller's.
    expect(await response.text()).toBe(body ?? "");
  });

  test("that removes older tokens ends nothing; without a session an end is none", async () => {
    expect((await received({ "front-token": "remove" }, { sent: { generation: 4 } })).record).toEqual(LIVE);
    const { state, events } = await openLive(page.signal);
    await markEnded(state, state.record, "idle");
    const endedAt = state.record.endedAt;
    await vi.advanceTimersByTimeAsync(1000);
    await markEnded(state, state.record, "unauthorised");
    expect(state.record).toEqual({ generation: Date.now(), endedAt, reason: "idle" });
    expect(events).toHaveLength(1);
  });
});
