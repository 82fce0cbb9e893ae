import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, vi } from "vitest";
import { openState, type SessionState } from "../src/session-state.js";
import type { SharedSession } from "../src/shared-session.js";
import type { Fetch } from "../src/transport.js";

/** A request to the API, and how it is answered. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** A page as long as a test lasts. */
export interface TestPage {
  /** Of its window. */
  readonly events: EventTarget;
  /** Aborted when the test ends. */
  readonly signal: AbortSignal;
}

/**
 * What a page has and Node has not, new for each test of a file: a location, IndexedDB, events of the window, and a clock
 * that stands until `vi.advanceTimersByTimeAsync`. The page is `https://app.example/dir/page`.
 */
export const freshPages = (): TestPage => {
  let closing = new AbortController();
  let events = new EventTarget();
  beforeEach(() => {
    closing = new AbortController();
    events = new EventTarget();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
    vi.stubGlobal("location", new URL("https://app.example/dir/page"));
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("indexedDB", new IDBFactory());
    vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  });
  afterEach(() => {
    closing.abort();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  return {
    get events() {
      return events;
    },
    get signal() {
      return closing.signal;
    },
  };
};

/** Lets everything happen that waits for no time to pass. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Answers in their order, then fails; notes what was asked. */
export const scripted = (...answers: readonly Answer[]): { readonly fetch: Fetch; readonly asked: Request[] } => {
  const asked: Request[] = [];
  const fetch: Fetch = async (input, init) => {
    const request = new Request(input as Request, init);
    const answer = answers[asked.push(request) - 1];
    if (answer === undefined) throw new TypeError("Failed to fetch");
    return answer(request);
  };
  return { fetch, asked };
};

export const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body: unknown = {}): Answer =>
  () =>
    new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });

/** The header `front-token` of a session. */
export const frontToken = ({
  userId = "u1",
  handle = "h1",
  lifetime = 3_600_000,
  payload = {},
}: {
  readonly userId?: string;
  readonly handle?: string;
  readonly lifetime?: number;
  readonly payload?: object;
} = {}): string => {
  const iat = 1_700_000_000;
  const up = { sub: userId, iat, exp: iat + lifetime / 1000, sessionHandle: handle, ...payload };
  const text = JSON.stringify({ uid: userId, ate: iat * 1000 + lifetime, up });
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
};

export const LIVE: SharedSession = { generation: 5, endedAt: 2, front: frontToken(), antiCsrf: "old" };

/** The state of a page whose session lives. */
export const openLive = async (
  signal: AbortSignal,
  record: Partial<SharedSession> = {},
): Promise<{ readonly state: SessionState; readonly events: readonly unknown[] }> => {
  const state = openState("key", { persist: false, signal });
  await state.ready;
  await state.update(() => ({ ...LIVE, ...record }));
  const events: unknown[] = [];
  state.listen((event) => event && events.push(event));
  return { state, events };
};
