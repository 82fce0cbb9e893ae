import type { SentRequest, ServedAnswer } from "./application.js";
import type { HttpCache } from "./http-cache.js";
import type { Jar, RefusedCookie } from "./jar.js";
import { AnswerLost, type Fate, type Network } from "./network.js";

/** What a request of a browser may say. An object as `body` is sent as JSON. */
export interface BrowserRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | object | undefined;
}

/** A tab of somebody's browser. Requests carry its cookies, and follow redirects; a lost answer rejects, as in `fetch`. */
export interface Browser {
  /** Whose it is: `alice` or `bob`. */
  readonly user: string;
  get(path: string): Promise<Response>;
  post(path: string, body?: BrowserRequest["body"]): Promise<Response>;
  fetch(path: string, request?: BrowserRequest): Promise<Response>;
}

export interface TabOptions {
  readonly user: string;
  /** How the story calls it. */
  readonly name: string;
  readonly jar: Jar;
  readonly network: Network;
  /** Of the application. */
  readonly origin: string;
  /** Of the page that sends. */
  readonly page?: string;
  readonly cache?: HttpCache;
  readonly nextFate: () => Fate;
  readonly tell: (what: string) => void;
  /** Told of an answer that has come, before the page sees it. */
  readonly came: (answer: ServedAnswer, refused: readonly RefusedCookie[]) => void;
}

const MOST_REDIRECTS = 20;
const REDIRECTS = [301, 302, 303, 307, 308];
const EMPTY = [204, 205, 304];

const written = (body: BrowserRequest["body"]): { readonly type?: string; readonly bytes: Buffer } => {
  if (body === undefined) return { bytes: Buffer.alloc(0) };
  if (typeof body === "string") return { type: "text/plain;charset=UTF-8", bytes: Buffer.from(body) };
  if (body instanceof URLSearchParams)
    return { type: "application/x-www-form-urlencoded", bytes: Buffer.from(body.toString()) };
  return { type: "application/json", bytes: Buffer.from(JSON.stringify(body)) };
};

export class Tab implements Browser {
  readonly user: string;
  readonly #options: TabOptions;
  /** Whether an answer got lost. */
  hasLost = false;

  constructor(options: TabOptions) {
    this.user = options.user;
    this.#options = options;
  }

  get(path: string): Promise<Response> {
    return this.fetch(path);
  }

  post(path: string, body?: BrowserRequest["body"]): Promise<Response> {
    return this.fetch(path, { method: "POST", body });
  }

  async fetch(path: string, { method = "GET", headers = {}, body }: BrowserRequest = {}): Promise<Response> {
    const { origin } = this.#options;
    const { type, bytes } = written(body);
    const given = Object.entries({ ...(type !== undefined && { "content-type": type }), ...headers });
    let asked = {
      method: method.toUpperCase(),
      url: new URL(path, origin),
      given: Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
      body: bytes,
    };
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
      const answer = await this.#ask(asked);
      const location = answer.headers.get("location");
      if (!REDIRECTS.includes(answer.status) || location === null) return this.#page(asked.url, answer);
      const url = new URL(location, asked.url);
      if (url.origin !== origin) return this.#page(asked.url, answer);
      const isKept = answer.status === 307 || answer.status === 308 || asked.method === "GET";
      asked = isKept ? { ...asked, url } : { method: "GET", url, given: {}, body: Buffer.alloc(0) };
    }
    throw new TypeError(`fetch failed: more than ${MOST_REDIRECTS} redirects from ${path}`);
  }

  async #ask({
    method,
    url,
    given,
    body,
  }: Omit<SentRequest, "headers"> & { readonly given: Readonly<Record<string, string>> }): Promise<ServedAnswer> {
    const { jar, cache, network, origin, page = origin, name, tell, came, nextFate } = this.#options;
    const what = `${name}: ${method} ${url.pathname}${url.search}`;
    const cached = method === "GET" ? cache?.find(url) : undefined;
    if (cached !== undefined) {
      tell(`${what} comes from the browser's cache`);
      return cached;
    }
    const isOwn = page === origin;
    const cookies = jar.sentTo(url);
    const headers = {
      host: url.host,
      "sec-fetch-site": isOwn ? "same-origin" : "same-site",
      accept: "*/*",
      "user-agent": `Mozilla/5.0 (${this.user})`,
      ...(method !== "GET" && { origin: page, "content-length": String(body.length) }),
      ...(cookies.length > 0 && { cookie: cookies.map((cookie) => cookie.cookieString()).join("; ") }),
      ...given,
    };
    const fate = nextFate();
    const repeated = fate.isRepeated ? ", sent twice" : "";
    try {
      const answer = await network.send({ method, url, headers, body }, fate);
      const lines = answer.headers.getSetCookie();
      const refused = jar.take(lines, url);
      const names = lines.map((line) => line.replace(/=(?:(?=;)|$)/, " (cleared)").split(/[=;]/, 1)[0]);
      tell(`${what}${repeated} → ${answer.status}${names.length > 0 ? `, sets ${names.join(", ")}` : ""}`);
      came(answer, refused);
      if (method === "GET") cache?.keep(url, answer);
      return answer;
    } catch (error) {
      if (error instanceof AnswerLost) {
        this.hasLost = true;
        tell(`${what}${repeated}: the answer is lost`);
      }
      throw error;
    }
  }

  #page(url: URL, { status, headers, body }: ServedAnswer): Response {
    const seen = new Headers(headers);
    seen.delete("set-cookie");
    const page = new Response(EMPTY.includes(status) ? null : new Uint8Array(body), { status, headers: seen });
    return Object.defineProperty(page, "url", { value: url.href });
  }
}
