import { readFrontToken } from "./front-token.js";
import type { WebSessionEvent } from "./events.js";
import type { WebOptions } from "./options.js";
import { createRefresher, markEnded, type Fetch, type WebSessionStatus } from "./refresh.js";
import { createSessionFetch } from "./session-fetch.js";
import { openState } from "./session-state.js";

export type { WebSessionEvent } from "./events.js";
export type { TokenHeaders, WebOptions } from "./options.js";
export type { WebSessionStatus } from "./refresh.js";
export type { WebEndReason } from "./shared-session.js";

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
  /** Stops everything and restores the global `fetch`. */
  readonly close: () => void;
}

/** What `init` returns where there is no page, such as during server rendering: no user is logged in, nothing global changes. */
const outsideOfPages = (): WebSession<never> => {
  const nothing = async () => undefined;
  const fail = async () => {
    throw new Error("@pawl/web needs a page");
  };
  return {
    fetch,
    doesSessionExist: async () => false,
    getUserId: nothing,
    getPayload: nothing,
    attemptRefresh: fail,
    signOut: fail,
    onEvent: () => () => undefined,
    close: () => undefined,
  };
};

/** Marks our wrapper, so that a second `init` takes the place of the first instead of wrapping it. */
const ORIGINAL = Symbol.for("pawl.fetch");
type WrappedFetch = Fetch & { [ORIGINAL]?: Fetch };

/**
 * Lets every `fetch` to the API carry the session, refresh once when it must, and tell what happens. Where there is no
 * `location`, as on a server, it touches nothing.
 * @example
 * const session = init({ apiDomain: "https://api.example.com" });
 * session.onEvent((event) => event.type === "ended" && location.assign("/login"));
 */
export const init = <Payload extends object = Readonly<Record<string, unknown>>>(
  options: WebOptions = {},
): WebSession<Payload> => {
  if (!globalThis.location) return outsideOfPages();
  const { apiDomain = location.origin, refreshPath = "/session/refresh", signOutPath = "/signout", tokens } = options;
  const { origin } = new URL(apiDomain);
  const refreshUrl = origin + refreshPath;
  const global = globalThis as { fetch: WrappedFetch };
  const original = global.fetch[ORIGINAL] ?? global.fetch;
  const plainFetch: Fetch = (input, init) => original(input, init);

  const key = `pawl ${refreshUrl}`;
  const closing = new AbortController();
  const { signal } = closing;
  const state = openState(key, { shared: tokens?.persist ?? true, signal });
  const refresh = createRefresher({ key, url: refreshUrl, state, fetch: plainFetch, tokens, signal });
  const isForApi = (text: string): boolean => {
    const base = globalThis.document?.baseURI ?? location.href;
    const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
    return url?.origin === origin && url.pathname !== refreshPath;
  };
  const sessionFetch = createSessionFetch({
    state,
    fetch: plainFetch,
    refresh,
    isForApi,
    mode: origin === location.origin ? "same-origin" : "cors",
    options,
  });
  const wrapped =
    options.wrapFetch === false
      ? undefined
      : (global.fetch = Object.assign(sessionFetch.bind(undefined), { [ORIGINAL]: original }));

  const front = async () => {
    await state.ready;
    const { front } = state.record;
    return front ? readFrontToken(front) : undefined;
  };

  return {
    fetch: sessionFetch,
    doesSessionExist: async () => (await front()) !== undefined,
    getUserId: async () => (await front())?.userId,
    getPayload: async () => (await front())?.payload as Payload | undefined,
    attemptRefresh: () => state.ready.then(() => refresh(state.record)),
    async signOut() {
      try {
        const { ok } = await sessionFetch(origin + signOutPath, { method: "POST" });
        // Also where the answer's headers may not be read.
        if (ok) await markEnded(state, state.record, "signed_out");
        else if (state.record.front) return "unknown";
        return "ended";
      } catch {
        return "unknown";
      }
    },
    onEvent: (listener) => state.listen(listener as (event: WebSessionEvent) => void),
    close() {
      if (global.fetch === wrapped) global.fetch = original;
      closing.abort();
    },
  };
};
