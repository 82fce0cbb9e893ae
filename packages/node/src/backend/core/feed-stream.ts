import { type ClientRequest, get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import type { Changed, Revoked } from "@pawl/engine";
import { createParser } from "eventsource-parser";

export interface FeedStreamOptions {
  /** The next host to follow. */
  readonly nextHost: () => string;
  /** Path of the feed at a host. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Called before each connection to a host; rejects when it cannot be followed.
   * @returns whether what was heard before has to be heard again.
   */
  readonly prepare: (host: string) => Promise<{ readonly again: boolean }>;
  readonly onRevoked: (revoked: Revoked) => void;
  readonly onChanged: (changed: Changed) => void;
  /** Monotonic time, ms; the process's own unless given. */
  readonly now?: () => number;
}

/** The core sends a comment every 15 s; after so long a silence (ms) the feed counts as cut. */
const DOUBTFUL_SILENCE = 20_000;
/** After so long a silence (ms) another connection is made. */
const SILENCE = 45_000;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

/** What may stand in a header again; a cursor of ours has no other form. */
const CURSOR = /^[\x21-\x7e]{1,4096}$/;

/**
 * Follows what the core tells of sessions, revoked or changed (server-sent events, WHATWG HTML section 9.2), for as long as
 * the process lives: after a cut it goes on where it stood, at the next host, with pauses that grow to ten seconds. It keeps
 * no process alive.
 */
export class FeedStream {
  readonly #options: FeedStreamOptions;
  #cursor: string | undefined;
  #stands = false;
  readonly #now: () => number;
  #heardAt: number;
  #failures = 0;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FeedStreamOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#heardAt = this.#now();
    void this.#connect();
  }

  /** For how long (ms) the feed has been cut, from the last that was heard of it; 0 while it stands. */
  get cutFor(): number {
    const silence = this.#now() - this.#heardAt;
    return this.#stands && silence < DOUBTFUL_SILENCE ? 0 : silence;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  async #connect(): Promise<void> {
    try {
      const host = this.#options.nextHost();
      const { again } = await this.#options.prepare(host);
      if (again) this.#cursor = undefined;
      if (!this.#closed) this.#follow(host + this.#options.path);
    } catch {
      this.#reconnect();
    }
  }

  #follow(url: string): void {
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
      const { statusCode, headers } = response;
      // A page with status 200 is no feed: whoever trusted it would never hear of a revocation.
      if (statusCode !== 200 || !/^text\/event-stream *(?:;|$)/i.test(headers["content-type"] ?? "")) {
        // The cursor may be what is refused; without one the feed starts an access token's life ago.
        if (statusCode === 400) this.#cursor = undefined;
        request.destroy();
        return;
      }
      this.#failures = 0;
      this.#stands = true;
      this.#heardAt = this.#now();
      const parser = createParser({ onEvent: (event) => this.#receive(event) });
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        this.#heardAt = this.#now();
        parser.feed(text);
      });
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
    if (id !== undefined && CURSOR.test(id)) this.#cursor = id;
    const told = readObject(data);
    if (event === "revoked" && isRevoked(told)) this.#options.onRevoked(told);
    if (event === "changed" && isChanged(told)) this.#options.onChanged(told);
  }

  #reconnect(): void {
    this.#stands = false;
    if (this.#closed) return;
    const pause = Math.min(SHORTEST_PAUSE * 2 ** this.#failures++, LONGEST_PAUSE);
    this.#timer = setTimeout(() => void this.#connect(), pause * (0.5 + Math.random() / 2)).unref();
  }
}

type Told = Readonly<Record<string, unknown>>;

const readObject = (data: string): Told => {
  try {
    return Object(JSON.parse(data)) as Told;
  } catch {
    return {};
  }
};

/** A message of another release may say something else, which tells this one nothing. */
const isRevoked = (told: Told): told is Told & Revoked =>
  typeof told["handle"] === "string" &&
  typeof told["at"] === "number" &&
  ["string", "undefined"].includes(typeof told["reason"]);

const isChanged = (told: Told): told is Told & Changed =>
  isRevoked(told) && Number.isSafeInteger(told["payloadVersion"]);
