import { cookieValues } from "@pawl/protocol";
import type { Exchange } from "./exchange.js";
import { type FetchedBody, fetchedForm, isForm } from "./posted-form.js";

/** Headers of which an answer may hold several values, so that ours join the application's own. */
const JOINED = ["vary", "access-control-expose-headers"];

export interface FetchExchangeOptions {
  /** The client's address, as the runtime or the framework tells it. */
  readonly address?: (() => string | undefined) | undefined;
  /** Where the body is, if the request does not hold it. */
  readonly posted?: FetchedBody | undefined;
}

/** The exchange of a `fetch` handler: it keeps the headers of the answer until there is one. */
export class FetchExchange implements Exchange {
  readonly #request: Request;
  readonly #address: (() => string | undefined) | undefined;
  readonly #posted: FetchedBody;
  readonly #listeners: (() => void)[] = [];
  /** None until one is set: few answers get any. */
  #headers: Headers | undefined;
  #isApplied = false;
  #seenAt: number | undefined;

  constructor(request: Request, { address, posted = request }: FetchExchangeOptions = {}) {
    this.#request = request;
    this.#posted = posted;
    this.#address = address;
  }

  get #answerHeaders(): Headers {
    return (this.#headers ??= new Headers());
  }

  get method(): string {
    return this.#request.method.toUpperCase();
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  /** Runtimes whose requests have no `Host` know it from the URL alone. */
  authority(): string | undefined {
    const { url } = this.#request;
    return this.header("host") ?? (URL.canParse(url) ? new URL(url).host : undefined);
  }

  isEncrypted(): boolean {
    return this.#request.url.startsWith("https:");
  }

  path(): string {
    const [, path] = this.#target();
    return path === undefined || path === "" ? "/" : path;
  }

  query(): string {
    const [, , query = ""] = this.#target();
    return query;
  }

  /** Path and query. No parser of URLs: those of Bun and Deno may have no host, or one that is none, if the client sent such. */
  #target(): readonly (string | undefined)[] {
    return /^(?:https?:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?/i.exec(this.#request.url) ?? [];
  }

  cookies(name: string): readonly string[] {
    const header = this.#request.headers.get("cookie");
    return header === null ? [] : cookieValues(header, name);
  }

  async form(most: number): Promise<URLSearchParams | undefined> {
    return isForm(this.header("content-type")) ? fetchedForm(this.#posted, most) : undefined;
  }

  canWrite(): boolean {
    return !this.#isApplied;
  }

  setHeader(name: string, value: string): void {
    this.#answerHeaders.set(name, value);
  }

  appendHeader(name: string, value: string): void {
    this.#answerHeaders.append(name, value);
  }

  appendCookie(line: string): void {
    if (!this.cookieLines().includes(line)) this.#answerHeaders.append("Set-Cookie", line);
  }

  cookieLines(): readonly string[] {
    return this.#headers?.getSetCookie() ?? [];
  }

  beforeHead(listener: () => void): void {
    this.#listeners.push(listener);
  }

  device(): string | undefined {
    return this.header("user-agent");
  }

  address(): string | undefined {
    return this.#address?.();
  }

  seenAt(now: number): number {
    return (this.#seenAt ??= now);
  }

  /** The answer with the session's cookies and headers. Give the result to the runtime at once: later changes are lost. */
  applyTo(response: Response): Response {
    for (const listener of this.#listeners.splice(0)) listener();
    this.#isApplied = true;
    // An upgrade (101) and a network error (0) carry no headers of ours, and cannot be copied.
    if (this.#headers === undefined || response.status < 200) return response;
    // A copy: the headers of what `fetch` or `Response.redirect` made cannot be changed.
    const applied = new Response(response.body, response);
    for (const [name, value] of this.#headers)
      if (name === "set-cookie" || JOINED.includes(name)) applied.headers.append(name, value);
      else applied.headers.set(name, value);
    return applied;
  }
}

/** Where a request keeps its exchange, as responses of `node:http` do. */
const EXCHANGE = Symbol("@pawl/node exchange");

/**
 * The exchange of a request; the same one for all who ask during a request.
 * @example
 * const exchange = fetchExchange(request);
 * const session = await pawl.requireSession(exchange);
 * return exchange.applyTo(Response.json({ userId: session.userId }));
 */
export const fetchExchange = (request: Request, options?: FetchExchangeOptions): FetchExchange => {
  const keeper = request as { [EXCHANGE]?: FetchExchange };
  return (keeper[EXCHANGE] ??= new FetchExchange(request, options));
};
