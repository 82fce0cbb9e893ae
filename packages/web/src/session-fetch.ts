import type { WebOptions } from "./options.js";
import { carrying, type Fetch, type WebSessionStatus, receive } from "./refresh.js";
import { monotonicTime, type SharedSession } from "./shared-session.js";
import type { SessionState } from "./session-state.js";

/** After new tokens (or their absence) were refused, no refresh is tried for this long, in ms. */
const REFUSED_PAUSE = 60_000;

/** Waits for shared work; rejects with the signal's reason as soon as it aborts (Fetch standard). */
const unlessAborted = <Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  ]);

/** A `fetch` whose requests to the API carry the session, and are sent once more after a refresh where it had to be. */
export const createSessionFetch = ({
  state,
  fetch,
  refresh,
  isForApi,
  mode,
  options: { tokens, sessionExpiredStatus = 401 },
}: {
  readonly state: SessionState;
  readonly fetch: Fetch;
  readonly refresh: (seen: SharedSession) => Promise<WebSessionStatus>;
  readonly isForApi: (url: string) => boolean;
  /** How the API is asked: `same-origin` refuses redirects that lead elsewhere. */
  readonly mode: RequestMode;
  readonly options: WebOptions;
}): Fetch => {
  let refused = { generation: -1, until: 0 };

  const send = async (request: Request, sent: SharedSession): Promise<Response> => {
    const headers = carrying(new Headers(request.headers), sent, { tokens, use: "access" });
    const credentials = request.credentials === "same-origin" ? "include" : request.credentials;
    // No redirect may carry our headers to another origin, nor may what it leads to speak of the session.
    const response = await fetch(new Request(request, { headers, credentials, mode }));
    if (!response.redirected || isForApi(response.url)) await receive(response, sent, { state, tokens });
    return response;
  };

  /** Whether new tokens may help a request that was refused. */
  const mayRefresh = ({ headers }: Response, sent: SharedSession): boolean => {
    const { record } = state;
    if (headers.has("front-token") || record.endedAt !== sent.endedAt) return false;
    if (record.generation === refused.generation && monotonicTime() < refused.until) return false;
    return !!record.front || headers.has("session-status");
  };

  return async (input, init) => {
    // A Request of another realm or of a polyfill is no instance of our class.
    // oxlint-disable-next-line typescript/no-base-to-string -- what has no URL is a text or a URL
    if (!isForApi((input as Request).url ?? String(input))) return fetch(input, init);
    const request = new Request(input, init);
    // The URL that will be fetched decides, whatever the input claimed.
    if (!isForApi(request.url)) return fetch(request);
    await state.ready;
    let sent = state.record;
    if (sent.front && monotonicTime() > (sent.expiresAt ?? Infinity)) {
      await unlessAborted(request.signal, refresh(sent));
      sent = state.record;
    }
    // A body can be sent only once: the copy is for now, the original for later.
    const response = await send(request.clone(), sent);
    if (response.status !== sessionExpiredStatus || !mayRefresh(response, sent)) return response;
    const outcome = await unlessAborted(request.signal, refresh(sent));
    sent = state.record;
    const answer = outcome === "valid" ? await send(request, sent) : response;
    if (answer.status === sessionExpiredStatus && outcome !== "unknown")
      refused = { generation: sent.generation, until: monotonicTime() + REFUSED_PAUSE };
    return answer;
  };
};
