import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { init, type WebOptions } from "../src/index.js";
import { answer, type Answer, freshPages, frontToken, scripted, settle } from "./globals.js";

freshPages();
let sessions: { close(): void }[] = [];
beforeEach(() => {
  sessions = [];
});
afterEach(() => sessions.forEach((session) => session.close()));

/** A page that uses the SDK. */
const open = (options: WebOptions = {}, ...answers: readonly Answer[]) => {
  const { fetch, asked } = scripted(...answers);
  vi.stubGlobal("fetch", fetch);
  const session = init(options);
  sessions.push(session);
  const events: unknown[] = [];
  const stop = session.onEvent((event) => events.push(event));
  return { session, asked, events, stop, original: fetch };
};
const login = answer(200, { "front-token": frontToken({ payload: { role: "reader" } }) });
const ME = "https://app.example/me";

describe("the session of a page", () => {
  test("is nobody's before a login, then of who logged in", async () => {
    const { session, events } = open({}, login);
    const known = () => Promise.all([session.doesSessionExist(), session.getUserId(), session.getPayload()]);
    expect(await known()).toEqual([false, undefined, undefined]);
    await session.fetch(ME);
    expect(await known()).toEqual([true, "u1", { role: "reader" }]);
    expect(events).toEqual([{ type: "created", userId: "u1", payload: { role: "reader" } }]);
  });

  test("is known to a page that is opened later, and told until the listener stops or the page closes", async () => {
    const first = open({}, login, login, login);
    await first.session.fetch(ME);
    const second = open();
    expect(await second.session.getUserId()).toBe("u1");
    const third = open();
    await third.session.doesSessionExist();
    second.stop();
    third.session.close();
    await first.session.fetch(ME);
    await settle();
    expect([first.events.length, second.events, third.events]).toEqual([2, [], []]);
  });

  test("is refreshed on request", async () => {
    const { session, asked } = open({ refreshPath: "/again" }, login, login);
    await session.fetch(ME);
    expect(await session.attemptRefresh()).toBe("valid");
    expect(asked[1]!.url).toBe("https://app.example/again");
  });

  test.each<readonly [string, Answer | undefined, string, boolean]>([
    ["204", answer(200, { "front-token": "remove" }), "ended", false],
    ["200 without readable headers", answer(200), "ended", false],
    ["500", answer(500), "unknown", true],
    ["401 of a session that is over", answer(401, { "front-token": "remove" }), "ended", false],
    ["no answer", undefined, "unknown", true],
  ])("a sign-out answered %s", async (_, signOut, outcome, exists) => {
    const { session, asked, events } = open(
      { signOutPath: "/bye" },
      login,
      ...(signOut === undefined ? [] : [signOut]),
    );
    await session.fetch(ME);
    expect(await session.signOut()).toBe(outcome);
    expect(asked[1]).toMatchObject({ url: "https://app.example/bye", method: "POST" });
    expect(await session.doesSessionExist()).toBe(exists);
    const reason =
      signOut === undefined || exists ? undefined : (await signOut(asked[1]!)).ok ? "logout" : "unauthorised";
    expect(events.slice(1)).toEqual(reason === undefined ? [] : [{ type: "ended", reason }]);
  });
});

describe("what a page shows", () => {
  test("is not known at first, then follows the session; the functions work on their own", async () => {
    const { session } = open({}, login, answer(401, { "front-token": "remove" }, { reason: "idle" }));
    const { subscribe, getSnapshot, getServerSnapshot } = session;
    const seen = [getSnapshot()];
    const stop = subscribe(() => seen.push(getSnapshot()));
    expect([seen[0], getServerSnapshot()]).toEqual([{ status: "unknown" }, { status: "unknown" }]);
    await session.doesSessionExist();
    await session.fetch(ME);
    await settle();
    const valid = { status: "valid", userId: "u1", handle: "h1", payload: { role: "reader" } };
    expect(seen).toEqual([{ status: "unknown" }, { status: "ended" }, valid]);
    expect(getSnapshot()).toBe(seen[2]);
    stop();
    await session.fetch(ME);
    await settle();
    expect(seen).toHaveLength(3);
    expect([getSnapshot(), getServerSnapshot()]).toEqual([{ status: "ended", reason: "idle" }, { status: "unknown" }]);
  });
});

describe("what is for the API", () => {
  const isCarried = async (input: string, options: WebOptions = {}): Promise<boolean> => {
    vi.stubGlobal(
      "Request",
      class extends Request {
        // Node's has no document whose address a relative one is resolved by.
        constructor(input: RequestInfo, init?: RequestInit) {
          super(typeof input === "string" ? new URL(input, "https://app.example/base/") : input, init);
        }
      },
    );
    const plain = vi.fn(async () => new Response());
    vi.stubGlobal("fetch", plain);
    const session = init({ wrapFetch: false, ...options });
    sessions.push(session);
    await session.fetch(input);
    const [sent] = plain.mock.calls[0] as unknown as [unknown];
    return sent instanceof Request && sent.headers.has("st-auth-mode");
  };

  test.each<readonly [string, WebOptions, boolean]>([
    [ME, {}, true],
    ["/me", {}, true],
    ["me?x#y", {}, true],
    ["https://app.example/session/refresh", {}, false],
    ["https://app.example/session/refresh/more", {}, true],
    ["https://app.example/again", { refreshPath: "/again" }, false],
    ["https://other.example/me", {}, false],
    ["http://app.example/me", {}, false],
    ["https://", {}, false],
    ["https://api.example/me", { apiDomain: "https://api.example/path" }, true],
    [ME, { apiDomain: "https://api.example" }, false],
  ])("%s with %j: %s", async (input, options, carried) => expect(await isCarried(input, options)).toBe(carried));

  test("is asked by the address that the document says it has", async () => {
    vi.stubGlobal("document", { baseURI: "https://api.example/" });
    expect(await isCarried("/me", { apiDomain: "https://api.example" })).toBe(false);
  });

  test.each([
    [{}, ME, "same-origin"],
    [{ apiDomain: "https://api.example" }, "https://api.example/me", "cors"],
  ])("with %j is asked in the mode that keeps redirects here", async (options, url, mode) => {
    const { session, asked } = open(options, answer(200));
    await session.fetch(url);
    expect(asked[0]!.mode).toBe(mode);
  });
});

describe("the global fetch", () => {
  test("is replaced until it is closed, and wrapped once however often", async () => {
    const { session, original, asked } = open({}, answer(200), answer(200));
    expect(globalThis.fetch).not.toBe(original);
    const second = init();
    sessions.push(second);
    await fetch(ME);
    expect(asked).toHaveLength(1);
    // It is the second's by now.
    session.close();
    expect(globalThis.fetch).not.toBe(original);
    second.close();
    expect(globalThis.fetch).toBe(original);
  });

  test("is left alone on request", async () => {
    const { session, original } = open({ wrapFetch: false });
    expect([globalThis.fetch === original, session.fetch === original]).toEqual([true, false]);
    session.close();
    expect(globalThis.fetch).toBe(original);
  });
});

test("tokens in headers are this page's alone, or shared on request", async () => {
  const tokens = (persist: boolean) => ({ persist, authorize: () => undefined, receive: () => undefined });
  for (const persist of [false, true]) {
    const first = open({ tokens: tokens(persist) }, login);
    await first.session.fetch(ME);
    expect(await open({ tokens: tokens(persist) }).session.doesSessionExist()).toBe(persist);
  }
});
