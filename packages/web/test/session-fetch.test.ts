import { describe, expect, test, vi } from "vitest";
import { headerTokens } from "../src/header.js";
import type { WebOptions } from "../src/options.js";
import type { WebSessionStatus } from "../src/refresh.js";
import { createSessionFetch } from "../src/session-fetch.js";
import { openState } from "../src/session-state.js";
import { nextGeneration, type SharedSession } from "../src/shared-session.js";
import { monotonicTime } from "../src/timing.js";
import { answer, type Answer, freshPages, frontToken, scripted, settle } from "./globals.js";

const page = freshPages();
const API = "https://api.example";
const ok = answer(200);
const refused = answer(401);

/** A page whose refreshes come to what a test says, and change the record where the session lives or has ended. */
const open = async ({
  answers = [],
  refreshes = [],
  record,
  mode = "cors",
  ...options
}: WebOptions & {
  readonly answers?: readonly Answer[];
  readonly refreshes?: readonly WebSessionStatus[];
  /** What is known of the session; of a live one unless given. */
  readonly record?: Partial<SharedSession>;
  readonly mode?: RequestMode;
}) => {
  const state = openState("key", { persist: false, signal: page.signal });
  const change = (more: Partial<SharedSession>) =>
    state.update((newest) => ({ ...newest, generation: nextGeneration(newest), ...more }));
  await change({ front: frontToken(), antiCsrf: "csrf", ...record });
  const { fetch: plain, asked } = scripted(...answers);
  const fetch = vi.fn(plain);
  const seen: SharedSession[] = [];
  const refresh = vi.fn(async (sent: SharedSession): Promise<WebSessionStatus> => {
    const status = refreshes[seen.push(sent) - 1] ?? "unknown";
    if (status === "valid") await change({ front: frontToken(), expiresAt: Infinity });
    if (status === "ended") await state.update((newest) => ({ generation: nextGeneration(newest), endedAt: 9 }));
    return status;
  });
  const isForApi = (url: string): boolean => url.startsWith(API);
  const session = createSessionFetch(refresh, { tokens: undefined, ...options, state, fetch, isForApi, mode });
  return {
    fetch,
    asked,
    refresh,
    state,
    change,
    call: (path = "/me", init?: RequestInit) => session(API + path, init),
    session,
  };
};

describe("what is not for the API", () => {
  test.each(["https://other.example/", new URL("https://other.example/"), new Request("https://other.example/")])(
    "is handed on untouched: %s",
    async (input) => {
      const { fetch, session } = await open({ answers: [ok] });
      const init = { method: "POST" };
      await session(input, init);
      expect(fetch.mock.calls[0]![0]).toBe(input);
      expect(fetch.mock.calls[0]![1]).toBe(init);
    },
  );

  test("carries nothing, whatever the input said of itself", async () => {
    const { asked, session } = await open({ answers: [ok] });
    await session({ url: API, toString: () => "https://other.example/" } as never);
    expect([asked[0]!.url, [...asked[0]!.headers]]).toEqual(["https://other.example/", []]);
  });
});

describe("a request to the API", () => {
  test.each([`${API}/me`, new URL(`${API}/me`), new Request(`${API}/me`)])("carries the session: %s", async (input) => {
    const { asked, session } = await open({ answers: [ok], mode: "same-origin" });
    await session(input, { headers: { own: "1" } });
    expect(Object.fromEntries(asked[0]!.headers)).toEqual({ own: "1", "st-auth-mode": "cookie", "anti-csrf": "csrf" });
    expect(asked[0]!.mode).toBe("same-origin");
  });

  test.each([
    [undefined, "include"],
    ["same-origin", "include"],
    ["include", "include"],
    ["omit", "omit"],
  ] as const)("with credentials %s is sent with %s", async (credentials, sent) => {
    const { asked, call } = await open({ answers: [ok] });
    await call("/me", credentials === undefined ? {} : { credentials });
    expect(asked[0]!.credentials).toBe(sent);
  });

  test("carries the access token of header mode, and brings what the answer holds", async () => {
    const fresh = { "front-token": frontToken(), "st-access-token": "a2", "st-refresh-token": "r2" };
    const record = { tokens: { access: "a", refresh: "r" } };
    const { asked, call, state } = await open({ answers: [answer(200, fresh)], record, tokens: headerTokens() });
    await call();
    expect(Object.fromEntries(asked[0]!.headers)).toMatchObject({
      authorization: "Bearer a",
      "st-auth-mode": "header",
    });
    expect(state.record.tokens).toEqual({ access: "a2", refresh: "r2" });
  });

  test("waits until what was kept has been read", async () => {
    const { asked, session, state } = await open({ answers: [ok] });
    let read = (): void => undefined;
    vi.spyOn(state, "ready", "get").mockReturnValue(new Promise((resolve) => (read = resolve)));
    const calling = session(`${API}/me`);
    await settle();
    expect(asked).toEqual([]);
    read();
    await calling;
    expect(asked).toHaveLength(1);
  });

  test.each([
    [`${API}/elsewhere`, true, true],
    ["https://other.example/", true, false],
    ["https://other.example/", false, true],
  ])("that %s answers (redirected: %s) may speak of the session: %s", async (url, redirected, heard) => {
    const response = new Response(null, { headers: { "front-token": "remove" } });
    Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } });
    const { call, state } = await open({ answers: [() => response] });
    await call();
    expect(state.record.front === undefined).toBe(heard);
  });
});

describe("a refresh before the request", () => {
  test.each([
    ["has expired", { expiresAt: -1 }, 1],
    ["expires now", { expiresAt: 0 }, 0],
    ["lives", { expiresAt: 1 }, 0],
    ["lives for as long as nobody knows", {}, 0],
  ])(
    "is made where the token %s",
    async (_, { expiresAt, ...more }: { expiresAt?: number; front?: undefined }, count) => {
      const at = expiresAt === undefined ? {} : { expiresAt: monotonicTime() + expiresAt };
      const { call, refresh, asked } = await open({
        answers: [ok],
        refreshes: ["ended"],
        record: { ...at, ...more } as never,
      });
      expect((await call()).status).toBe(200);
      expect([refresh.mock.calls.length, asked.length]).toEqual([count, 1]);
      // Sent with what is known afterwards.
      expect(asked[0]!.headers.has("anti-csrf")).toBe(count === 0);
    },
  );
});

describe("a request that is refused", () => {
  test("is sent once more with its body after a refresh", async () => {
    const { asked, call, refresh, state } = await open({ answers: [refused, ok], refreshes: ["valid"] });
    const sent = state.record;
    expect((await call("/me", { method: "POST", body: "text" })).status).toBe(200);
    expect(refresh.mock.calls).toEqual([[sent]]);
    expect(await Promise.all(asked.map((request) => request.text()))).toEqual(["text", "text"]);
  });

  test.each(["ended", "unknown"] as const)("is not repeated where the session is %s", async (status) => {
    const { asked, call } = await open({ answers: [refused, ok], refreshes: [status] });
    expect((await call()).status).toBe(401);
    expect(asked).toHaveLength(1);
  });

  test.each([
    ["with another status", answer(403), {}],
    ["and speaks of the session itself", answer(401, { "front-token": frontToken() }), {}],
    ["without any session", refused, { record: { front: undefined } }],
    ["with 401, which is not the status of the API", refused, { sessionExpiredStatus: 440 }],
  ] as const)("%s refreshes nothing", async (_, first, more) => {
    const { call, refresh } = await open({ answers: [first], ...(more as object) });
    await call();
    expect(refresh).not.toHaveBeenCalled();
  });

  test.each([
    [
      "without a session here, but of one in the cookies",
      answer(401, { "session-status": "expired" }),
      { record: { front: undefined } },
    ],
    ["with the status of the API", answer(440), { sessionExpiredStatus: 440 }],
  ] as const)("%s refreshes", async (_, first, more) => {
    const { call } = await open({ answers: [first, ok], refreshes: ["valid"], ...(more as object) });
    expect((await call()).status).toBe(200);
  });

  test("because the session has ended meanwhile refreshes nothing", async () => {
    const { call, refresh, change } = await open({
      answers: [async () => (await change({ endedAt: 7 }), new Response(null, { status: 401 }))],
    });
    await call();
    expect(refresh).not.toHaveBeenCalled();
  });

  test("although its tokens are new is not refreshed for a minute, unless there are newer ones", async () => {
    const answers = Array.from({ length: 20 }, () => refused);
    const { call, refresh, change } = await open({ answers, refreshes: ["valid", "valid", "valid", "valid"] });
    const counts: number[] = [];
    const count = async (after: number) => {
      await vi.advanceTimersByTimeAsync(after);
      await call();
      counts.push(refresh.mock.calls.length);
    };
    for (const after of [0, 0, 59_999, 1, 1]) await count(after);
    await change({});
    await count(0);
    expect(counts).toEqual([1, 1, 1, 2, 2, 3]);
  });

  test("and could not be refreshed is refreshed next time; where there is no session, after a minute", async () => {
    const expired = answer(401, { "session-status": "expired" });
    const { call, refresh } = await open({
      answers: Array.from({ length: 9 }, () => expired),
      refreshes: ["unknown", "ended"],
    });
    for (const _ of [1, 2, 3]) await call();
    expect(refresh).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(60_000);
    await call();
    expect(refresh).toHaveBeenCalledTimes(3);
  });

  test("once, and then answered, leaves no pause", async () => {
    const { call, refresh } = await open({ answers: [refused, ok, refused, ok], refreshes: ["valid", "valid"] });
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
    expect(refresh).toHaveBeenCalledTimes(2);
  });
});

test.each([{}, { expiresAt: 0 }])("a caller who aborts does not wait for a refresh: %j", async (record) => {
  const { call, refresh } = await open({ answers: [refused], record });
  refresh.mockReturnValue(new Promise(() => undefined));
  const controller = new AbortController();
  const calling = call("/me", { signal: controller.signal });
  const told = expect(calling).rejects.toThrow("enough");
  await settle();
  expect(refresh).toHaveBeenCalledTimes(1);
  controller.abort(new Error("enough"));
  await told;
});

describe("an answer that wants the user to step up", () => {
  const challenge =
    'Bearer error="insufficient_user_authentication", acr_values="aal3 aal2", max_age="600", amr_values="otp"';
  const wanted = answer(401, { "www-authenticate": challenge });
  const asking = (work: () => unknown) => vi.fn<(wanted: object) => unknown>(work);

  test("is read before anything is refreshed, and the request is sent once more, with its body, when the user has", async () => {
    const { asked, call, refresh, change } = await open({ answers: [wanted, ok], onStepUp: (how) => onStepUp(how) });
    const onStepUp = asking(() => change({ antiCsrf: "new" }));
    expect((await call("/me", { method: "POST", body: "text" })).status).toBe(200);
    expect(onStepUp.mock.calls).toMatchObject([[{ max_age: "600", acr_values: "aal3 aal2", amr_values: "otp" }]]);
    expect(refresh).not.toHaveBeenCalled();
    expect(await Promise.all(asked.map((request) => request.text()))).toEqual(["text", "text"]);
    expect(asked.map(({ headers }) => headers.get("anti-csrf"))).toEqual(["csrf", "new"]);
  });

  test.each([
    ["", {}],
    [', max_age="0"', { max_age: "0" }],
    [', error_description="a, b", acr_values=""', { error_description: "a, b", acr_values: "" }],
  ])("says what is wanted: %s", async (more, told) => {
    const text = `Bearer realm="a", error="insufficient_user_authentication"${more}`;
    const onStepUp = asking(() => undefined);
    const { call } = await open({ answers: [answer(403, { "www-authenticate": text }), ok], onStepUp });
    expect((await call()).status).toBe(200);
    const own = { realm: "a", error: "insufficient_user_authentication" };
    expect(onStepUp.mock.calls).toEqual([[{ ...own, ...told }]]);
  });

  test("asks the user once for five requests, and sends each once more", async () => {
    const { asked, call, change } = await open({
      answers: [...Array.from({ length: 5 }, () => wanted), ...Array.from({ length: 5 }, () => ok)],
      onStepUp: (how) => onStepUp(how),
    });
    const onStepUp = asking(async () => {
      await settle();
      await change({});
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => call()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect([onStepUp.mock.calls.length, asked.length]).toEqual([1, 10]);
  });

  test("that comes late, of a request from before the user was asked, is not asked for again", async () => {
    let late = (): void => undefined;
    const slow = new Promise<void>((resolve) => (late = resolve));
    const { call, change } = await open({
      answers: [wanted, async (request) => (await slow, wanted(request)), ok, ok],
      onStepUp: (how) => onStepUp(how),
    });
    const onStepUp = asking(() => change({}));
    const [first, second] = [call(), call()];
    await first;
    late();
    expect((await second).status).toBe(200);
    expect(onStepUp).toHaveBeenCalledTimes(1);
  });

  test("is handed on where the user has not, nobody is asked, or it was not enough", async () => {
    for (const onStepUp of [
      undefined,
      () => Promise.reject(new Error("closed")),
      () => {
        throw new Error("closed");
      },
    ]) {
      const { asked, call, refresh } = await open({ answers: [wanted, ok], onStepUp });
      expect([(await call()).status, asked.length, refresh.mock.calls.length]).toEqual([401, 1, 0]);
    }
    const onStepUp = asking(() => undefined);
    const { asked, call } = await open({ answers: [wanted, wanted, ok], onStepUp });
    expect([(await call()).status, asked.length, onStepUp.mock.calls.length]).toEqual([401, 2, 1]);
  });

  test("asks anew once the user has refused, and for what comes after", async () => {
    const onStepUp = vi.fn<() => unknown>().mockRejectedValueOnce(new Error("closed"));
    const { call, change } = await open({ answers: [wanted, wanted, ok, wanted, ok], onStepUp });
    expect((await call()).status).toBe(401);
    expect((await call()).status).toBe(200);
    await change({});
    expect((await call()).status).toBe(200);
    expect(onStepUp).toHaveBeenCalledTimes(3);
  });

  test("to a request that the asking itself sends is handed on, for it would wait for itself", async () => {
    const statuses: number[] = [];
    const { call } = await open({
      answers: [wanted, wanted, ok],
      onStepUp: async () => void statuses.push((await call("/confirm")).status),
    });
    expect((await call()).status).toBe(200);
    expect(statuses).toEqual([401]);
  });

  test("may come after a refresh, and ends the wait of a caller who aborts", async () => {
    const onStepUp = asking(() => new Promise(() => undefined));
    const { call, asked } = await open({ answers: [refused, wanted], refreshes: ["valid"], onStepUp });
    const controller = new AbortController();
    const calling = call("/me", { signal: controller.signal });
    const told = expect(calling).rejects.toThrow("enough");
    await settle();
    expect([onStepUp.mock.calls.length, asked.length]).toEqual([1, 2]);
    controller.abort(new Error("enough"));
    await told;
  });
});
