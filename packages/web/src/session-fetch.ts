import type { WebOptions } from "./options.js";
import type { WebSessionStatus } from "./refresh.js";
import type { SharedSession } from "./shared-session.js";
import { stepUpOf } from "./step-up.js";
import { monotonicTime, REFUSED_PAUSE } from "./timing.js";
import { type Api, type Fetch, send } from "./transport.js";

/** A `fetch` whose requests to the API carry the session, and are sent once more after a refresh or a step-up, where it had to be. */
export const createSessionFetch = (
  refresh: (seen: SharedSession) => Promise<WebSessionStatus>,
  api: Api & Pick<WebOptions, "sessionExpiredStatus" | "onStepUp">,
): Fetch => {
  const { state, fetch, isForApi, sessionExpiredStatus = 401, onStepUp } = api;
  let refusedGeneration = -1;
  let refusedUntil = 0;
  /** While the user is asked; the generation after they have proved it, 0 where they have not. */
  let asking: Promise<number> | undefined;
  let provedGeneration = 0;

  /** Rejects with the signal's reason as soon as the caller aborts (Fetch standard). */
  const orAborted = <Result>({ signal }: Request, work: Promise<Result>): Promise<Result> =>
    Promise.race([
      work,
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    ]);

  return async (input, init) => {
    // A Request of another realm or of a polyfill is no instance of our class.
    // oxlint-disable-next-line typescript/no-base-to-string -- what has no URL is a text or a URL
    if (!isForApi((input as Request).url ?? String(input))) return fetch(input, init);
    const request = new Request(input, init);
    // The URL that will be fetched decides, whatever the input claimed.
    if (!isForApi(request.url)) return fetch(request);
    await state.ready;
    // The callback may have sent it itself: to wait for the callback would be for ever.
    const isFromAsking = asking;
    let sent = state.record;
    // A body can be sent only once.
    const call = (): Promise<Response> => send(request.clone(), (sent = state.record), { ...api, use: "access" });
    if (sent.expiresAt! < monotonicTime()) await orAborted(request, refresh(sent));
    let response = await call();
    let wanted = stepUpOf(response);
    const { generation, endedAt, front } = state.record;
    // Whether new tokens may help.
    if (
      !wanted &&
      response.status === sessionExpiredStatus &&
      endedAt === sent.endedAt &&
      !response.headers.has("front-token") &&
      (generation !== refusedGeneration || monotonicTime() >= refusedUntil) &&
      (front || response.headers.has("session-status"))
    ) {
      const outcome = await orAborted(request, refresh(sent));
      sent = state.record;
      if (outcome === "valid") response = await call();
      wanted = stepUpOf(response);
      if (!wanted && response.status === sessionExpiredStatus && outcome !== "unknown") {
        refusedGeneration = sent.generation;
        refusedUntil = monotonicTime() + REFUSED_PAUSE;
      }
    }
    if (!wanted || !onStepUp || isFromAsking) return response;
    if (sent.generation >= provedGeneration) {
      asking ??= (async () => onStepUp(wanted))()
        .then(
          () => (provedGeneration = state.record.generation),
          () => 0,
        )
        .finally(() => (asking = undefined));
      if (!(await orAborted(request, asking))) return response;
    }
    return call();
  };
};
