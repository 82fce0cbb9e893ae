import type { SharedSession } from "./shared-session.js";
import { FIRST_PAUSE, LONGEST_PAUSE, monotonicTime, refreshDeadline } from "./timing.js";
import { type Api, send } from "./transport.js";
import { inTurn } from "./turn.js";

/**
 * What is known of the session: it is live, it has ended (or there is none), or the server did not say. Only `ended` clears anything.
 */
export type WebSessionStatus = "valid" | "ended" | "unknown";

/** Refreshes: never twice for the same tokens, never two at once, and only after a pause when there was no answer. */
export const createRefresher = (
  url: string,
  api: Api & {
    /** Ends the listening. */
    readonly signal: AbortSignal;
  },
): ((seen: SharedSession) => Promise<WebSessionStatus>) => {
  const { state, signal } = api;
  let inFlight: Promise<void> | undefined;
  let asking: AbortController | undefined;
  let failures = 0;
  let notBefore = 0;
  globalThis.addEventListener?.("online", () => (notBefore = 0), { signal });
  // A login, a logout or newer tokens: an answer that arrives after it would put older cookies in the place of newer ones.
  state.listen(() => asking?.abort());

  const isNewerThan = ({ generation }: SharedSession): boolean => state.record.generation !== generation;

  const ask = async (before: SharedSession): Promise<void> => {
    asking = refreshDeadline();
    const request = { method: "POST", cache: "no-store", redirect: "error", signal: asking.signal } as const;
    // Where it fails nobody answered, or nobody who knows of sessions.
    const answer = send(new Request(url, request), before, { ...api, use: "refresh" }).catch(() => undefined);
    const retryAfter = (await answer)?.headers.get("retry-after");
    if (isNewerThan(before)) failures = 0;
    else {
      const own = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures++);
      const wanted = Number(retryAfter) * 1000 || Date.parse(retryAfter!) - Date.now() || 0;
      state.tell({ type: "unknown" });
      // Jitter: pages must not all come back at once after an outage.
      notBefore = monotonicTime() + Math.max(own, wanted) * (1 + Math.random() / 2);
    }
  };

  return async (seen) => {
    if (!isNewerThan(seen) && monotonicTime() >= notBefore)
      await (inFlight ??= inTurn(url, state, async () => {
        await state.read();
        if (!isNewerThan(seen)) await ask(seen);
      }).finally(() => (inFlight = undefined)));
    if (!isNewerThan(seen)) return "unknown";
    return state.record.front ? "valid" : "ended";
  };
};
