import type { WebSessionStatus } from "./refresh.js";
import type { SharedSession } from "./shared-session.js";
import { monotonicTime, REFUSED_PAUSE } from "./timing.js";
import { type Api, type Fetch, send } from "./transport.js";

/** A `fetch` whose requests to the API carry the session, and are sent once more after a refresh where it had to be. */
export const createSessionFetch = (
  refresh: (seen: SharedSession) => Promise<WebSessionStatus>,
  api: Api & { readonly sessionExpiredStatus?: number | undefined },
): Fetch => {
  const { state, fetch, isForApi, sessionExpiredStatus = 401 } = api;
  let refusedGeneration = -1;
  let refusedUntil = 0;

  const call = (request: Request, sent: SharedSession): Promise<Response> =>
    send(request, sent, { ...api, use: "access" });

  /** Refreshes; rejects with the signal's reason as soon as the caller aborts (Fetch standard). */
  const refreshFor = ({ signal }: Request, sent: SharedSession): Promise<WebSessionStatus> =>
    Promise.race([
      refresh(sent),
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    ]);

  /** Whether new tokens may help a request that was refused. */
  const mayRefresh = ({ headers, status }: Response, sent: SharedSession): boolean => {
    const { generation, endedAt, front } = state.record;
    return (
      status === sessionExpiredStatus &&
      endedAt === sent.endedAt &&
      !headers.has("front-token") &&
      (generation !== refusedGeneration || monotonicTime() >= refusedUntil) &&
      (!!front || headers.has("session-status"))
    );
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
    if (sent.front && sent.expiresAt! < monotonicTime()) {
      await refreshFor(request, sent);
      sent = state.record;
    }
    // A body can be sent only once: the copy is for now, the original for later.
    let response = await call(request.clone(), sent);
    if (!mayRefresh(response, sent)) return response;
    const outcome = await refreshFor(request, sent);
    sent = state.record;
    if (outcome === "valid") response = await call(request, sent);
    if (response.status === sessionExpiredStatus && outcome !== "unknown") {
      refusedGeneration = sent.generation;
      refusedUntil = monotonicTime() + REFUSED_PAUSE;
    }
    return response;
  };
};
