import { deadline } from "./deadline.js";
import { readFrontToken } from "./front-token.js";
import type { WebOptions } from "./options.js";
import { type WebEndReason, monotonicTime, nextGeneration, type SharedSession } from "./shared-session.js";
import type { SessionState } from "./session-state.js";
import { inTurn } from "./turn.js";

/**
 * What is known of the session: it is live, it has ended (or there is none), or the server did not say. Only `ended` clears anything.
 */
export type WebSessionStatus = "valid" | "ended" | "unknown";

/** How long a refresh may take, in ms: a third of the server's reuse window (30 s), as the protocol wants it. */
const DEADLINE = 10_000;
/** Pauses after unanswered refreshes: from half a second to a minute, in ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 60_000;

/** The fetch that is given the requests of a page once they carry their session. */
export type Fetch = typeof globalThis.fetch;

/** Adds to the headers of a request what belongs to the session. */
export const carrying = (
  headers: Headers,
  record: SharedSession,
  { tokens, use }: { readonly tokens: WebOptions["tokens"]; readonly use: "access" | "refresh" },
): Headers => {
  headers.set("st-auth-mode", tokens ? "header" : "cookie");
  if (record.antiCsrf && !headers.has("anti-csrf")) headers.set("anti-csrf", record.antiCsrf);
  tokens?.authorize(headers, record, use);
  return headers;
};

/** What an answer says of the session, if it says anything, goes into the state. `sent`: what was known when it was asked. */
export const receive = async (
  { headers, ok }: Response,
  sent: SharedSession,
  {
    state,
    tokens,
    reason = ok ? "signed_out" : "unauthorised",
  }: {
    readonly state: SessionState;
    readonly tokens: WebOptions["tokens"];
    readonly reason?: WebEndReason;
  },
): Promise<void> => {
  const front = headers.get("front-token");
  if (!front) return;
  if (front === "remove") await markEnded(state, sent, reason);
  else
    await state.update((newest) =>
      // Asked before a logout: it must not bring the session back.
      newest.endedAt !== sent.endedAt
        ? undefined
        : {
            generation: nextGeneration(newest),
            endedAt: newest.endedAt,
            front,
            antiCsrf: headers.get("anti-csrf") ?? newest.antiCsrf,
            expiresAt: monotonicTime() + readFrontToken(front).lifetime,
            tokens: tokens?.receive(headers) ?? newest.tokens,
          },
    );
};

export const markEnded = (state: SessionState, sent: SharedSession, reason: WebEndReason): Promise<SharedSession> =>
  state.update((newest) => {
    // Another session or newer tokens have arrived meanwhile: the server will say again if those have ended as well.
    if (newest.generation !== sent.generation) return undefined;
    const generation = nextGeneration(newest);
    return { generation, endedAt: newest.front ? generation : newest.endedAt, reason };
  });

/** Refreshes: never twice for the same tokens, never two at once, and only after a pause when there was no answer. */
export const createRefresher = ({
  key,
  url,
  state,
  fetch,
  tokens,
  signal: closed,
}: {
  readonly key: string;
  readonly url: string;
  readonly state: SessionState;
  readonly fetch: Fetch;
  readonly tokens: WebOptions["tokens"];
  /** Ends the listening. */
  readonly signal: AbortSignal;
}): ((seen: SharedSession) => Promise<WebSessionStatus>) => {
  let inFlight: Promise<WebSessionStatus> | undefined;
  let failures = 0;
  let notBefore = 0;
  globalThis.addEventListener?.("online", () => (notBefore = 0), { signal: closed });

  const outcomeOf = ({ front }: SharedSession): WebSessionStatus => (front ? "valid" : "ended");

  const pause = (response: Response | undefined): WebSessionStatus => {
    const header = response?.headers.get("retry-after") ?? "";
    const retryAfter = Number(header) * 1000 || Date.parse(header) - Date.now() || 0;
    const own = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures++);
    // Jitter: pages must not all come back at once after an outage.
    state.tell({ type: "unknown" });
    notBefore = monotonicTime() + Math.max(own, retryAfter) * (1 + Math.random() / 2);
    return "unknown";
  };

  const ask = async (before: SharedSession): Promise<WebSessionStatus> => {
    const headers = carrying(new Headers(), before, { tokens, use: "refresh" });
    try {
      const response = await fetch(url, {
        method: "POST",
        credentials: "include",
        headers,
        cache: "no-store",
        redirect: "error",
        signal: deadline(DEADLINE),
      });
      const front = response.headers.get("front-token");
      if (!front || (front !== "remove" && !response.ok)) return pause(response);
      const { message } = (await response.json().catch(() => ({}))) as { readonly message?: string };
      const reason = message === "token theft detected" ? "token_theft" : "unauthorised";
      await receive(response, before, { state, tokens, reason });
      failures = 0;
      return outcomeOf(state.record);
    } catch {
      return pause(undefined);
    }
  };

  return async (seen) => {
    if (state.record.generation !== seen.generation) return outcomeOf(state.record);
    if (monotonicTime() < notBefore) return "unknown";
    inFlight ??= inTurn(key, state, async () => {
      const newest = await state.read();
      return newest.generation === seen.generation ? ask(newest) : outcomeOf(newest);
    }).finally(() => (inFlight = undefined));
    return inFlight;
  };
};
