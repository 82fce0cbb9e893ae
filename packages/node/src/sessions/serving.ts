import { type createTheftReports, EngineError } from "@pawl/engine";
import { StorageError } from "@pawl/storage";
import type { WarnOnce } from "../application-hook.js";
import type { RefreshAnswer, SessionBackend } from "../backend/session-backend.js";
import type { UseReports } from "../backend/use-reports.js";
import type { SessionCookies } from "../http/cookies.js";
import type { Exchange } from "../http/exchange.js";
import type { BackendOptions } from "../options/options.js";
import type { Shape } from "./schema.js";
import type { RequestSession, SessionActions } from "../session.js";
import { type AnswerRules, SessionAnswer } from "../http/session-answer.js";
import { RETRY_AFTER, SessionError } from "../session-error.js";

/** What stands once a backend has been opened; everything that serves requests is made from it. */
export interface Serving {
  readonly backend: SessionBackend;
  readonly cookies: SessionCookies;
  readonly uses: UseReports;
  readonly theftReports: ReturnType<typeof createTheftReports>;
  readonly options: BackendOptions;
  readonly payloads: Shape<object>;
  readonly data: Shape<object>;
  readonly actions: SessionActions;
  /** A clock that only goes forward, in ms. */
  readonly monotonic: () => number;
  readonly warnOnce: WarnOnce;
  readonly requests: RequestStates;
  /** For requests without the session's cookies. */
  readonly warnOfKeptBackCookies: (exchange: Exchange) => void;
  /** Refreshes on their way, by refresh token: requests at once share one. */
  readonly refreshes: Map<string, RunningRefresh>;
}

export interface SessionFound {
  readonly kind: "session";
  readonly session: RequestSession;
}

/** A refresh on its way. */
export interface RunningRefresh {
  /** When it began, by the monotonic clock. */
  readonly since: number;
  readonly outcome: Promise<RefreshAnswer>;
}

/** What became of the session of a request. */
export type Found =
  | SessionFound
  /** Nobody is logged in; `error` is what a caller that requires a session gets. */
  | { readonly kind: "none"; readonly error: SessionError }
  | { readonly kind: "try_refresh"; readonly error: SessionError };

/** What a request has done so far; only for requests that changed something. */
export interface RequestState {
  readonly answer: SessionAnswer;
  /** What counts from now on, whatever the request carried. */
  found?: Found | Promise<Found> | undefined;
  /** Whether it has logged somebody in. */
  isLogin?: boolean;
}

/** The states of requests, each as long as its exchange. */
export class RequestStates {
  readonly #states = new WeakMap<Exchange, RequestState>();
  readonly #rules: AnswerRules;

  constructor(rules: AnswerRules) {
    this.#rules = rules;
  }

  known(exchange: Exchange): RequestState | undefined {
    return this.#states.get(exchange);
  }

  /**
   * Whether a request has been here for so long that its tokens may have been replaced and the new ones used: a refresh
   * would look like a theft.
   */
  isLate(exchange: Exchange): boolean {
    const now = this.#rules.now();
    return this.#rules.isLate(exchange.seenAt(now), now);
  }

  of(exchange: Exchange): RequestState {
    const known = this.#states.get(exchange);
    if (known !== undefined) return known;
    const state = { answer: new SessionAnswer(exchange, this.#rules) };
    this.#states.set(exchange, state);
    return state;
  }
}

/** What a caller sees of a failure: misuse as a `TypeError`, what may pass as `UNKNOWN`, both with their cause. */
export const asSessionError = (error: unknown): Error => {
  if (error instanceof SessionError || error instanceof TypeError) return error;
  if (error instanceof EngineError || isMisuse(error)) return new TypeError(error.message, { cause: error });
  const message = error instanceof Error ? error.message : "something unexpected was thrown";
  const isPassing = error instanceof StorageError && error.code === "unavailable";
  return new SessionError("UNKNOWN", message, { cause: error, retryAfter: isPassing ? RETRY_AFTER : undefined });
};

/** What only another URL, or another package beside this one, can change. */
const isMisuse = (error: unknown): error is StorageError =>
  error instanceof StorageError && (error.code === "invalid_url" || error.code === "adapter_missing");
