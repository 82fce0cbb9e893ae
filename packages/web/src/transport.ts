import { readFrontToken } from "./front-token.js";
import type { WebOptions } from "./options.js";
import type { SessionState } from "./session-state.js";
import { nextGeneration, type SharedSession, type WebEndReason } from "./shared-session.js";
import { monotonicTime } from "./timing.js";

/** The fetch that is given the requests of a page once they carry their session. */
export type Fetch = typeof globalThis.fetch;

/** The API whose requests carry a session. */
export interface Api {
  readonly state: SessionState;
  /** As the page has it without us. */
  readonly fetch: Fetch;
  readonly tokens?: WebOptions["tokens"];
  /** Whether a URL is the API's, but not that of a refresh. */
  readonly isForApi: (url: string) => boolean | undefined;
  /** How it is asked: `same-origin` refuses redirects that lead elsewhere. */
  readonly mode: RequestMode;
}

/** Why the session ended that a refusal removes, as far as it says. Its body may be anybody's. */
const endReasonOf = (refusal: Response): Promise<WebEndReason | undefined> =>
  refusal
    .clone()
    .json()
    .then(({ reason, message }: { readonly reason?: WebEndReason; readonly message?: string }) =>
      // The documented API gives its errors no reason.
      /theft/.test(message!) ? "token_reuse" : reason,
    )
    .catch(() => undefined);

export const markEnded = (
  state: SessionState,
  sent: SharedSession,
  reason: WebEndReason = "unauthorised",
): Promise<SharedSession> =>
  state.update((newest) => {
    // Another session or newer tokens have arrived meanwhile: the server will say again if those have ended as well.
    if (newest.generation !== sent.generation) return undefined;
    const generation = nextGeneration(newest);
    return newest.front ? { generation, endedAt: generation, reason } : { ...newest, generation };
  });

/**
 * Sends a request with what belongs to the session; what the answer says of it, if anything, goes into the state.
 * `sent`: what is known when it is asked. Tokens for an access come too late after the end of a session, those of a
 * refresh after any change.
 */
export const send = async (
  request: Request,
  sent: SharedSession,
  { state, fetch, tokens, isForApi, mode, use }: Api & { readonly use: "access" | "refresh" },
): Promise<Response> => {
  const credentials = request.credentials === "omit" ? "omit" : "include";
  // No redirect may carry our headers to another origin, nor may what it leads to speak of the session.
  const carrying = new Request(request, { credentials, mode });
  carrying.headers.set("st-auth-mode", tokens ? "header" : "cookie");
  if (sent.antiCsrf && !carrying.headers.has("anti-csrf")) carrying.headers.set("anti-csrf", sent.antiCsrf);
  tokens?.authorize(carrying.headers, sent, use);
  const response = await fetch(carrying);
  const { headers } = response;
  const front = headers.get("front-token");
  const since = use === "refresh" ? "generation" : "endedAt";
  if (!front || (response.redirected && !isForApi(response.url))) return response;
  if (front === "remove") await markEnded(state, sent, response.ok ? "logout" : await endReasonOf(response));
  else if (response.ok || use === "access")
    await state.update((newest) =>
      newest[since] !== sent[since]
        ? undefined
        : {
            generation: nextGeneration(newest),
            endedAt: newest.endedAt,
            front,
            antiCsrf: headers.get("anti-csrf") ?? newest.antiCsrf,
            expiresAt: monotonicTime() + readFrontToken(front).lifetime,
            tokens: tokens?.receive(headers, newest.tokens),
          },
    );
  return response;
};
