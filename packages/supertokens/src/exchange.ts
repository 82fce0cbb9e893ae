import type { IncomingHttpHeaders } from "node:http";
import { cookieValues } from "./cookie-header.js";

/** One request and its answer, as far as sessions have to do with them. Adapters of frameworks implement only this. */
export interface Exchange {
  /** A request header; `name` in lower case. */
  header(name: string): string | undefined;
  /** In upper case; undefined where the request is not known. */
  method(): string | undefined;
  /** The host, and the port where it was given, that the request was sent to. */
  authority(): string | undefined;
  /** The path of the request, without its query; `/` where it is not known. */
  path(): string;
  /** All values the request carries for a cookie, in their order. */
  cookies(name: string): readonly string[];
  /** Replaces a header of the answer. */
  setHeader(name: string, value: string): void;
  /** Adds to a header of the answer, behind a comma when there is one already. */
  appendHeader(name: string, value: string): void;
  /** Adds a `Set-Cookie` line to the answer, once. */
  appendCookie(line: string): void;
  /** The `Set-Cookie` lines that the answer has so far. */
  cookieLines(): readonly string[];
  /** The user agent, where the request is known. */
  device(): string | undefined;
  /** The address of the client, where the request is known; what the framework says, so its proxy settings count. */
  address(): string | undefined;
}

/** What is needed of a request: that of `node:http` or Express. */
export interface NodeRequest {
  readonly headers: IncomingHttpHeaders;
  /** As a cookie parser leaves it: a plain object of texts. Looked at only where there is no `Cookie` header. */
  readonly cookies?: unknown;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** As Express keeps it where routers are mounted; takes precedence over `url`. */
  readonly originalUrl?: string | undefined;
  readonly ip?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

/** What is needed of a response: that of `node:http` or Express. */
export interface NodeResponse {
  readonly req?: NodeRequest | undefined;
  getHeader(name: string): number | string | readonly string[] | undefined;
  setHeader(name: string, value: string | readonly string[]): unknown;
}

/** Other parsers keep a `Map` there, or an object with methods: their members are no cookies. */
const isPlainRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

/** The exchange of `node:http` and Express. Without a request it finds no header and no cookie. */
export class NodeExchange implements Exchange {
  readonly #request: NodeRequest | undefined;
  readonly #response: NodeResponse;

  constructor(request: NodeRequest | undefined, response: NodeResponse) {
    this.#request = request;
    this.#response = response;
  }

  header(name: string): string | undefined {
    const value = this.#request?.headers[name];
    return typeof value === "object" ? value[0] : value;
  }

  method(): string | undefined {
    return this.#request?.method;
  }

  /** `:authority` (RFC 9113 section 8.3.1), else `Host`, else what the request's target names. */
  authority(): string | undefined {
    const named = this.header(":authority") || this.header("host");
    if (named !== undefined && named !== "") return named;
    const target = this.#request?.url ?? "";
    return /^https?:/i.test(target) && URL.canParse(target) ? new URL(target).host : undefined;
  }

  path(): string {
    const [path = ""] = (this.#request?.originalUrl ?? this.#request?.url ?? "").split("?", 1);
    return path.startsWith("/") ? path : "/";
  }

  cookies(name: string): readonly string[] {
    const header = this.#request?.headers.cookie;
    if (header !== undefined) return cookieValues(header, name);
    const parsed = this.#request?.cookies;
    const own = isPlainRecord(parsed) && Object.hasOwn(parsed, name) ? parsed[name] : undefined;
    return typeof own === "string" ? [own] : [];
  }

  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  appendHeader(name: string, value: string): void {
    const present = this.#response.getHeader(name);
    this.#response.setHeader(name, present === undefined ? value : `${String(present)}, ${value}`);
  }

  appendCookie(line: string): void {
    const lines = this.cookieLines();
    if (!lines.includes(line)) this.#response.setHeader("Set-Cookie", [...lines, line]);
  }

  cookieLines(): readonly string[] {
    const present = this.#response.getHeader("Set-Cookie");
    return present === undefined ? [] : typeof present === "object" ? present : [String(present)];
  }

  device(): string | undefined {
    return this.header("user-agent");
  }

  address(): string | undefined {
    return this.#request?.ip ?? this.#request?.socket?.remoteAddress;
  }
}
