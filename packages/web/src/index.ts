import type { WebSessionEvent } from "./events.js";
import type { WebOptions } from "./options.js";
import type { RecordStore } from "./record-store.js";
import { createRefresher, type WebSessionStatus } from "./refresh.js";
import { createSessionFetch } from "./session-fetch.js";
import { openState } from "./session-state.js";
import { NOT_READ_YET, type WebSnapshot } from "./snapshot.js";
import { type Fetch, markEnded } from "./transport.js";

export type { WebSessionEvent } from "./events.js";
export type { TokenHeaders, WebOptions } from "./options.js";
export type { WebSessionStatus } from "./refresh.js";
export type { WebEndReason } from "./shared-session.js";
export type { WebSnapshot } from "./snapshot.js";
export type { WebStepUp } from "./step-up.js";

/** The session of this page or worker. Its functions may be destructured: `const { getUserId } = init()`. */
export interface WebSession<Payload extends object = Readonly<Record<string, unknown>>> {
  /** The `fetch` that carries the session to the API; it passes every other request on unchanged. */
  readonly fetch: Fetch;
  /** Whether a user is logged in, as far as this browser knows. Makes no request. */
  readonly doesSessionExist: () => Promise<boolean>;
  readonly getUserId: () => Promise<string | undefined>;
  /** What the application put into the session, as of the last answer. */
  readonly getPayload: () => Promise<Payload | undefined>;
  /** Asks for new tokens now. After unanswered refreshes it returns `unknown` until a pause is over. */
  readonly attemptRefresh: () => Promise<WebSessionStatus>;
  /** Logs out. `unknown`: there was no answer, and the session may still be live. */
  readonly signOut: () => Promise<Exclude<WebSessionStatus, "valid">>;
  /** Calls the listener for what happens to the session, here and in other tabs. Returns stop. */
  readonly onEvent: (listener: (event: WebSessionEvent<Payload>) => void) => () => void;
  /** What is known now: the same object as long as nothing in it changes. */
  readonly getSnapshot: () => WebSnapshot<Payload>;
  /** What a server renders, and a page until it has started: nothing is known. */
  readonly getServerSnapshot: () => WebSnapshot<Payload>;
  /**
   * Calls the listener when there may be another snapshot. Returns stop.
   * @example useSyncExternalStore(session.subscribe, session.getSnapshot, session.getServerSnapshot)
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** Stops everything and restores the global `fetch`. */
  readonly close: () => void;
}

const nothing = (): undefined => undefined;
const getServerSnapshot = () => NOT_READ_YET;

/** What `init` returns where there is no page, such as during server rendering: no user is logged in, nothing global changes. */
const outsideOfPages = (): WebSession<never> => {
  const none = async () => undefined;
  const fail = async () => {
    throw new Error("@pawl/web needs a page, or apiDomain and tokens");
  };
  return {
    fetch,
    doesSessionExist: async () => false,
    getUserId: none,
    getPayload: none,
    attemptRefresh: fail,
    signOut: fail,
    onEvent: () => nothing,
    getSnapshot: getServerSnapshot,
    getServerSnapshot,
    subscribe: () => nothing,
    close: nothing,
  };
};

/** Marks our wrapper, so that a second `init` takes the place of the first instead of wrapping it. */
const ORIGINAL = Symbol.for("pawl");
type WrappedFetch = Fetch & { [ORIGINAL]?: Fetch };

/**
 * Lets every `fetch` to the API carry the session, refresh once when it must, and tell what happens. Where there is no
 * `location`, as on a server, it touches nothing; only a token store given makes a session there.
 * @example
 * const session = init({ apiDomain: "https://api.example.com" });
 * session.onEvent((event) => event.type === "ended" && location.assign("/login"));
 */
export const init = <Payload extends object = Readonly<Record<string, unknown>>>(
  options: WebOptions = {},
): WebSession<Payload> => {
  const here = globalThis.location as Location | undefined;
  const {
    apiDomain = here?.origin,
    refreshPath = "/session/refresh",
    signOutPath = "/signout",
    wrapFetch = true,
    tokens,
  } = options;
  const persist = tokens?.persist ?? true;
  if (!apiDomain || (!here && !(persist as Partial<RecordStore>).update)) return outsideOfPages();
  const { origin } = new URL(apiDomain);
  const url = origin + refreshPath;
  const global = globalThis as { fetch: WrappedFetch };
  const original = global.fetch[ORIGINAL] ?? global.fetch;
  const closing = new AbortController();
  const { signal } = closing;
  const state = openState(url, { persist, signal });
  const api = {
    ...options,
    state,
    signal,
    fetch: ((input, init) => original(input, init)) as Fetch,
    isForApi(text: string): boolean | undefined {
      try {
        const target = new URL(new Request(text).url);
        return target.origin === origin && target.pathname !== refreshPath;
      } catch {
        return undefined;
      }
    },
    mode: origin === here?.origin ? "same-origin" : "cors",
  } as const;
  const refresh = createRefresher(url, api);
  const sessionFetch: WrappedFetch = createSessionFetch(refresh, api);
  sessionFetch[ORIGINAL] = original;
  if (here && wrapFetch) global.fetch = sessionFetch;

  const getSnapshot = () => state.snapshot as WebSnapshot<Payload>;
  const known = () => state.ready.then(getSnapshot);

  return {
    fetch: sessionFetch,
    doesSessionExist: async () => !!(await known()).payload,
    getUserId: async () => (await known()).userId,
    getPayload: async () => (await known()).payload,
    attemptRefresh: () => state.ready.then(() => refresh(state.record)),
    async signOut() {
      try {
        const { ok } = await sessionFetch(origin + signOutPath, { method: "POST" });
        // Also where the answer's headers may not be read.
        if (ok) await markEnded(state, state.record, "logout");
        if (ok || !state.record.front) return "ended";
      } catch {
        // Nobody answered.
      }
      return "unknown";
    },
    onEvent: (listener) => state.listen((event) => event && listener(event as WebSessionEvent<Payload>)),
    getSnapshot,
    getServerSnapshot,
    subscribe: state.listen,
    close() {
      if (global.fetch === sessionFetch) global.fetch = original;
      closing.abort();
    },
  };
};
