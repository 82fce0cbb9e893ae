import { init, type WebEndReason, type WebSession } from "./pawl-web/index.js";
import { type ApplicationAnswer, refreshPath, type SessionErrorCode } from "./answers.js";

/** One request as it went over the wire, for the log. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** `lost`: no answer arrived. */
  readonly status: number | "lost";
  readonly code?: SessionErrorCode | undefined;
  readonly body: ApplicationAnswer;
  /** Whether the answer brought new tokens. */
  readonly turned: boolean;
}

/** What became of a call, after a refresh where one was needed. */
export type CallResult =
  | { readonly kind: "answered"; readonly body: ApplicationAnswer; readonly status: number }
  | { readonly kind: "ended" }
  /** Nobody knows whether the session lives: the cookies are kept, and one tries later. */
  | { readonly kind: "unknown" };

/** What the client tells whoever listens. */
interface SessionClientEvents {
  /** An answer wants the user to prove again who they are; rejects where they do not want to. */
  onStepUp(): Promise<void>;
  /** After each request; what waits for its answer goes on when it has resolved. */
  onRequest(answered: LoggedRequest): Promise<void>;
  onTokensLost(): void;
  onEnded(reason: WebEndReason): void;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The application's calls. The session is the work of `@pawl/web`; this class shows what goes over the wire, loses an
 * answer when it is told to, and asks again when nobody knew an answer.
 */
export class SessionClient {
  readonly #events: SessionClientEvents;
  readonly #session: WebSession;
  #loseNext = false;

  constructor(events: SessionClientEvents) {
    this.#events = events;
    // The SDK sends its requests with the `fetch` it finds, so the log sees them all.
    const plain = globalThis.fetch;
    globalThis.fetch = (input, options) => this.#send(plain, new Request(input, options));
    this.#session = init({ refreshPath, wrapFetch: false, onStepUp: () => this.#stepUp() });
    globalThis.fetch = plain;
    this.#session.onEvent((event) => event.type === "ended" && events.onEnded(event.reason));
  }

  /** Whether the next answer with new tokens will be dropped on its way. */
  get losesNext(): boolean {
    return this.#loseNext;
  }

  /** Asks the demo server to commit the next refresh and to drop its answer. */
  loseNextTokens(): void {
    this.#loseNext = true;
  }

  async #stepUp(): Promise<void> {
    await this.#events.onStepUp();
    const { ok } = await this.#session.fetch("/confirm", { method: "POST" });
    if (!ok) throw new Error("not confirmed");
  }

  /** Sends a request; it carries the session. While nobody can say what became of that, it is sent again. */
  async call(method: "GET" | "POST", path: string, body?: Readonly<Record<string, unknown>>): Promise<CallResult> {
    const request: RequestInit = {
      method,
      // Else the browser's cache would send calls of one address one after another.
      cache: "no-store",
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    };
    for (const delay of [800, 2000, 4000]) {
      const result = await this.#outcome(request, path);
      if (result.kind !== "unknown") return result;
      await pause(delay);
    }
    return { kind: "unknown" };
  }

  async #outcome(request: RequestInit, path: string): Promise<CallResult> {
    try {
      const response = await this.#session.fetch(path, request);
      const { status } = response;
      const body = (await response.json()) as ApplicationAnswer;
      const isDecided = body.code === undefined || body.code === "FORBIDDEN" || body.code === "STEP_UP";
      if (response.ok || isDecided) return { kind: "answered", body, status };
      return { kind: this.#session.getSnapshot().status === "ended" ? "ended" : "unknown" };
    } catch {
      return { kind: "unknown" };
    }
  }

  /** What the SDK sends goes through here. */
  async #send(plain: typeof fetch, request: Request): Promise<Response> {
    const { method } = request;
    const path = new URL(request.url).pathname;
    if (this.#loseNext) request.headers.set("demo-lose-tokens", "yes");
    let response: Response;
    try {
      response = await plain(request);
    } catch (error) {
      await this.#events.onRequest({ method, path, status: "lost", body: {}, turned: false });
      const wasAskedFor = this.#loseNext;
      this.#loseNext = false;
      if (wasAskedFor) this.#events.onTokensLost();
      throw error;
    }
    const { status, headers } = response;
    const body = (await response.clone().json()) as ApplicationAnswer;
    const turned = path !== "/login" && (headers.get("front-token") ?? "remove") !== "remove";
    await this.#events.onRequest({ method, path, status, body, turned, code: body.code });
    return response;
  }
}
