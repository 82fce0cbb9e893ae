import { init, type WebSession } from "./pawl-web/index.js";
import { type ApplicationAnswer, refreshPath, type SessionErrorCode } from "./answers.js";

/** One request as it went over the wire, for the log. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** `lost`: no answer arrived. */
  readonly status: number | "lost";
  readonly code?: SessionErrorCode | undefined;
  readonly body: ApplicationAnswer;
}

/** What became of a call, after a refresh where one was needed. */
export type CallResult =
  | { readonly kind: "answered"; readonly answered: LoggedRequest; readonly refreshed: boolean }
  | { readonly kind: "ended"; readonly code: SessionErrorCode }
  /** Nobody knows whether the session lives: the cookies are kept, and one tries later. */
  | { readonly kind: "unknown" };

/** What the client tells whoever listens. */
interface SessionClientEvents {
  onRequest(answered: LoggedRequest): void;
  /** After each refresh whose answer arrived; the calls that wait go on when it has resolved. */
  onRefreshed(): Promise<void>;
  onRefreshLost(): void;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The application's calls. The session is the work of `@pawl/web`; this class shows what goes over the wire, loses an
 * answer when it is told to, and asks again when nobody knew an answer.
 */
export class SessionClient {
  readonly #events: SessionClientEvents;
  readonly #session: WebSession;
  #refreshes = 0;
  #endedBy: SessionErrorCode = "unauthorised";
  #loseNext = false;

  constructor(events: SessionClientEvents) {
    this.#events = events;
    // The SDK sends its requests with the `fetch` it finds, so the log sees them all.
    const plain = globalThis.fetch;
    globalThis.fetch = (input, options) => this.#send(plain, new Request(input, options));
    this.#session = init({ refreshPath, wrapFetch: false });
    globalThis.fetch = plain;
    this.#session.onEvent((event) => {
      if (event.type === "ended")
        this.#endedBy = event.reason === "token_reuse" ? "token_theft_detected" : "unauthorised";
    });
  }

  /** Whether the answer of the next refresh will be dropped on its way. */
  get losesNext(): boolean {
    return this.#loseNext;
  }

  /** Asks the demo server to commit the next refresh and to drop its answer. */
  loseNextRefreshAnswer(): void {
    this.#loseNext = true;
  }

  /** Sends a request; it carries the session. While nobody can say what became of that, it is sent again. */
  async call(method: "GET" | "POST", path: string, body?: Readonly<Record<string, unknown>>): Promise<CallResult> {
    const before = this.#refreshes;
    const request = {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    };
    for (const delay of [800, 2000, 4000]) {
      const result = await this.#outcome(request, path);
      if (result.kind === "ended") return result;
      if (result.kind === "answered") return { ...result, refreshed: this.#refreshes > before };
      await pause(delay);
    }
    return { kind: "unknown" };
  }

  async #outcome(request: RequestInit & { readonly method: string }, path: string) {
    try {
      const response = await this.#session.fetch(path, request);
      const answered = await loggedRequestOf({ method: request.method, path }, response);
      const { code } = answered;
      if (code === "unauthorised" || code === "token_theft_detected") return { kind: "ended", code } as const;
      if (code === "try_refresh_token" && !(await this.#session.doesSessionExist()))
        return { kind: "ended", code: this.#endedBy } as const;
      if (code !== undefined) return { kind: "unknown" } as const;
      return { kind: "answered", answered } as const;
    } catch {
      return { kind: "unknown" } as const;
    }
  }

  /** What the SDK sends goes through here. */
  async #send(plain: typeof fetch, request: Request): Promise<Response> {
    const { method } = request;
    const path = new URL(request.url).pathname;
    const isRefresh = path === refreshPath;
    if (isRefresh && this.#loseNext) request.headers.set("demo-lose-answer", "yes");
    if (isRefresh) this.#loseNext = false;
    let response: Response;
    try {
      response = await plain(request);
    } catch (error) {
      this.#events.onRequest({ method, path, status: "lost", body: {} });
      if (isRefresh) this.#events.onRefreshLost();
      throw error;
    }
    this.#events.onRequest(await loggedRequestOf({ method, path }, response.clone()));
    if (isRefresh && response.ok) {
      this.#refreshes += 1;
      await this.#events.onRefreshed();
    }
    return response;
  }
}

const loggedRequestOf = async (
  { method, path }: Pick<LoggedRequest, "method" | "path">,
  response: Response,
): Promise<LoggedRequest> => {
  const body = (await response.json()) as ApplicationAnswer;
  const code = response.ok ? undefined : body.code;
  return { method, path, status: response.status, body, code };
};
