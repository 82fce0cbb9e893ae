import { type ClientRequest, get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { performance } from "node:perf_hooks";
import type { Revoked, SessionHandle } from "@pawl/engine";
import { createParser } from "eventsource-parser";

export interface RevocationStreamOptions {
  /** The feed's address at each host, the next one to try first. */
  readonly urls: () => readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly onRevoked: (revoked: Revoked) => void;
}

/** The core sends a comment every 15 s; after so long a silence (ms) the connection is taken for dead. */
const SILENCE = 45_000;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

/**
 * Follows the core's feed of revocations (server-sent events, WHATWG HTML section 9.2) for as long as the process lives:
 * after a cut it goes on where it stood, at the next host, with pauses that grow to ten seconds. It keeps no process alive.
 */
export class RevocationStream {
  readonly #options: RevocationStreamOptions;
  #cursor: string | undefined;
  #cutSince: number | undefined = performance.now();
  #failures = 0;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RevocationStreamOptions) {
    this.#options = options;
    this.#connect();
  }

  /** For how long (ms) the feed has been cut; 0 while it stands. */
  get cutFor(): number {
    return this.#cutSince === undefined ? 0 : performance.now() - this.#cutSince;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  #connect(): void {
    const url = this.#options.urls()[0];
    if (url === undefined || this.#closed) return;
    const get = url.startsWith("https:") ? getHttps : getHttp;
    const request = get(url, {
      agent: false,
      headers: {
        ...this.#options.headers,
        accept: "text/event-stream",
        ...(this.#cursor === undefined ? {} : { "last-event-id": this.#cursor }),
      },
    });
    this.#request = request;
    request.on("socket", (socket) => socket.unref());
    request.setTimeout(SILENCE, () => request.destroy());
    request.on("error", () => undefined);
    request.on("close", () => this.#reconnect());
    request.on("response", (response) => {
      if (response.statusCode !== 200) {
        // The cursor may be what is refused; without one the feed starts an access token's life ago.
        if (response.statusCode === 400) this.#cursor = undefined;
        request.destroy();
        return;
      }
      this.#failures = 0;
      this.#cutSince = undefined;
      const parser = createParser({ onEvent: (event) => this.#receive(event) });
      response.setEncoding("utf8");
      response.on("data", (text: string) => parser.feed(text));
      response.on("error", () => undefined);
    });
  }

  #receive({
    event,
    id,
    data,
  }: {
    readonly event?: string | undefined;
    readonly id?: string | undefined;
    readonly data: string;
  }): void {
    if (id !== undefined) this.#cursor = id;
    if (event !== "revoked") return;
    try {
      const { handle, at } = JSON.parse(data) as { readonly handle?: unknown; readonly at?: unknown };
      if (typeof handle !== "string" || typeof at !== "number") return;
      this.#options.onRevoked({ handle: handle as SessionHandle, at });
    } catch {
      // A message of another release says nothing to this one.
    }
  }

  #reconnect(): void {
    if (this.#closed) return;
    this.#cutSince ??= performance.now();
    const pause = Math.min(SHORTEST_PAUSE * 2 ** this.#failures++, LONGEST_PAUSE);
    this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2)).unref();
  }
}
