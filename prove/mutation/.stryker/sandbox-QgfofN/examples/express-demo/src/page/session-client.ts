import { type ApplicationAnswer, refreshPath, type SessionErrorCode } from "./answers.js";

/** One request as it went over the wire, for the log. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** `lost`: no answer arrived. */
  readonly status: number | "lost";
  readonly code?: SessionErrorCode;
  readonly body: ApplicationAnswer;
}

/** How an attempt to refresh went. */
export type RefreshResult =
  | { readonly kind: "refreshed" }
  | { readonly kind: "ended"; readonly code: SessionErrorCode }
  /** Nobody knows whether the session lives: the cookies are kept, and one tries later. */
  | { readonly kind: "unknown" };

/** What became of a call, after a refresh where one was needed. */
export type CallResult =
  | { readonly kind: "answered"; readonly exchange: Exchange; readonly refreshed: boolean }
  | Exclude<RefreshResult, { kind: "refreshed" }>;

/** What the client tells whoever listens. */
export interface SessionClientEvents {
  onExchange(exchange: Exchange): void;
  /** After each refresh whose answer arrived; the calls that wait go on when it has resolved. */
  onRefreshed(): Promise<void>;
  onRefreshLost(): void;
}

const resultOf = (exchange: Exchange, how: { readonly refreshed: boolean }): CallResult => {
  if (exchange.code === "unauthorised" || exchange.code === "token_theft_detected")
    return { kind: "ended", code: exchange.code };
  if (exchange.status === "lost" || exchange.status === 503 || exchange.code === "try_refresh_token")
    return { kind: "unknown" };
  return { kind: "answered", exchange, ...how };
};

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The part of a front end that deals with sessions: a call that is answered 401 `try_refresh_token` is repeated after a
 * refresh. There is at most one refresh at a time and one for each expired token, however many calls need it, and a
 * refresh whose answer was lost is simply asked again.
 */
export class SessionClient {
  readonly #events: SessionClientEvents;
  #generation = 0;
  #refreshing: Promise<RefreshResult> | undefined;
  #antiCsrf: string | null = sessionStorage.getItem("anti-csrf");
  #loseNext = false;

  constructor(events: SessionClientEvents) {
    this.#events = events;
  }

  /** Whether the answer of the next refresh will be dropped on its way. */
  get losesNext(): boolean {
    return this.#loseNext;
  }

  /** Asks the demo server to commit the next refresh and to drop its answer. */
  loseNextRefreshAnswer(): void {
    this.#loseNext = true;
  }

  /** Sends a request; refreshes and repeats it when the access token is no longer accepted. */
  async call(method: "GET" | "POST", path: string, body?: Readonly<Record<string, unknown>>): Promise<CallResult> {
    const generation = this.#generation;
    const first = await this.#send(method, path, { body });
    if (first.code !== "try_refresh_token") return resultOf(first, { refreshed: false });
    // A call that started before a refresh was done needs no second one.
    if (generation === this.#generation) {
      const result = await this.#refresh();
      if (result.kind !== "refreshed") return result;
    }
    return resultOf(await this.#send(method, path, { body }), { refreshed: true });
  }

  #refresh(): Promise<RefreshResult> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<RefreshResult> {
    for (const delay of [0, 700, 2_000, 4_000]) {
      await pause(delay);
      const lose = this.#loseNext;
      this.#loseNext = false;
      const answer = await this.#send("POST", refreshPath, lose ? { headers: { "demo-lose-answer": "yes" } } : {});
      if (answer.status === 200) {
        this.#generation += 1;
        await this.#events.onRefreshed();
        return { kind: "refreshed" };
      }
      if (answer.status === 401) return { kind: "ended", code: answer.code ?? "unauthorised" };
      if (answer.status === "lost") this.#events.onRefreshLost();
    }
    return { kind: "unknown" };
  }

  async #send(
    method: string,
    path: string,
    options: {
      readonly body?: Readonly<Record<string, unknown>> | undefined;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Exchange> {
    const headers = new Headers(options.headers);
    if (options.body !== undefined) headers.set("content-type", "application/json");
    if (this.#antiCsrf !== null) headers.set("anti-csrf", this.#antiCsrf);
    let exchange: Exchange;
    try {
      const response = await fetch(path, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      this.#keepAntiCsrf(response.headers.get("anti-csrf"));
      const body = (await response.json()) as ApplicationAnswer;
      const code = response.ok ? undefined : body.code;
      exchange = { method, path, status: response.status, body, ...(code === undefined ? {} : { code }) };
    } catch {
      exchange = { method, path, status: "lost", body: {} };
    }
    this.#events.onExchange(exchange);
    return exchange;
  }

  #keepAntiCsrf(token: string | null): void {
    if (token === null) return;
    this.#antiCsrf = token;
    // Survives a reload of the page, and unlike a cookie no other site can make the browser send it.
    sessionStorage.setItem("anti-csrf", token);
  }
}
