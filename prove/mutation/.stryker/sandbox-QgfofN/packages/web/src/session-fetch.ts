import type { WebOptions } from "./options.js";
import { type Fetch, type Outcome, receive } from "./refresh.js";
import { monotonicTime, type SessionRecord } from "./session-record.js";
import type { SessionState } from "./session-state.js";

/** What was refused although it was new (tokens, or that there are none) is not asked anew for so long, in ms. */
const REFUSED_PAUSE = 60_000;

/** A `fetch` whose requests to the API carry the session, and are sent once more after a refresh where it had to be. */
export const createSessionFetch = ({
  state,
  fetch,
  refresh,
  isForApi,
  options: { tokens, sessionExpiredStatus = 401 },
}: {
  readonly state: SessionState;
  readonly fetch: Fetch;
  readonly refresh: (seen: SessionRecord) => Promise<Outcome>;
  readonly isForApi: (url: string) => boolean;
  readonly options: WebOptions;
}): Fetch => {
  let refused = { generation: -1, until: 0 };

  const send = async (request: Request, sent: SessionRecord): Promise<Response> => {
    const headers = new Headers(request.headers);
    headers.set("st-auth-mode", tokens === undefined ? "cookie" : "header");
    if (sent.antiCsrf !== undefined && !headers.has("anti-csrf")) headers.set("anti-csrf", sent.antiCsrf);
    tokens?.authorize(headers, sent, "access");
    const credentials = request.credentials === "same-origin" ? "include" : request.credentials;
    const response = await fetch(new Request(request, { headers, credentials }));
    await receive(response, sent, { state, tokens });
    return response;
  };

  /** Whether new tokens may help a request that was refused. */
  const mayRefresh = ({ headers }: Response, sent: SessionRecord): boolean => {
    const { record } = state;
    if (headers.get("front-token") !== null || record.endedAt !== sent.endedAt) return false;
    if (record.generation === refused.generation && monotonicTime() < refused.until) return false;
    return record.front !== undefined || headers.get("session-status") === "refresh";
  };

  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!isForApi(url)) return fetch(input, init);
    const request = new Request(input, init);
    await state.ready;
    let sent = state.record;
    if (sent.front !== undefined && monotonicTime() > (sent.expiresAt ?? Infinity)) {
      await refresh(sent);
      sent = state.record;
    }
    // A body can be sent but once: the copy is for now, the original for later.
    const response = await send(request.clone(), sent);
    if (response.status !== sessionExpiredStatus || !mayRefresh(response, sent)) return response;
    const outcome = await refresh(sent);
    sent = state.record;
    const answer = outcome === "valid" ? await send(request, sent) : response;
    if (answer.status === sessionExpiredStatus && outcome !== "unknown")
      refused = { generation: sent.generation, until: monotonicTime() + REFUSED_PAUSE };
    return answer;
  };
};
