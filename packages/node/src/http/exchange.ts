import type { IncomingHttpHeaders } from "node:http";
import { beforeHead } from "./before-head.js";
import { cookieValues } from "@pawl/protocol";
import { isForm, postedForm } from "./posted-form.js";

/** One request and its answer, as far as sessions are concerned: all that an adapter of a framework implements. */
export interface Exchange {
  /** In upper case. */
  readonly method: string;
  /** A request header; `name` in lower case. */
  header(name: string): string | undefined;
  /** The host, with the port where one was given, that the request was sent to. */
  authority(): string | undefined;
  /** Whether the request reached this process over TLS. */
  isEncrypted(): boolean;
  /** The path of the request without its query, as the browser asked for it; `/` where it is not known. */
  path(): string;
  /** What stands behind the `?` of the request; empty where there is none. */
  query(): string;
  /** All values the request carries for a cookie, in their order. */
  cookies(name: string): readonly string[];
  /** The form that the request carries, of at most so many bytes; undefined where it carries none, or a longer one. */
  form(most: number): Promise<URLSearchParams | undefined>;
  /** Whether headers of the answer can still be set. */
  canWrite(): boolean;
  setHeader(name: string, value: string): void;
  /** Adds to a header of the answer, after a comma where there is one already. */
  appendHeader(name: string, value: string): void;
  /** Adds a `Set-Cookie` line to the answer, once. */
  appendCookie(line: string): void;
  /** The `Set-Cookie` lines that the answer has so far. */
  cookieLines(): readonly string[];
  /** Calls the listener when the head of the answer is about to be sent: the last moment for headers. */
  beforeHead(listener: () => void): void;
  /** The user agent. */
  device(): string | undefined;
  /** The address of the client, as the framework tells it, so its proxy settings count. */
  address(): string | undefined;
  /** When the request was first seen: `now`, unless that was asked before. */
  seenAt(now: number): number;
}

/** What is needed of a request of `node:http`, HTTP/2 or a framework over them. */
export interface NodeRequest {
  readonly headers: IncomingHttpHeaders;
  /** As a cookie parser leaves it: a plain object of strings. Read only where there is no `Cookie` header. */
  readonly cookies?: unknown;
  /** As a parser of forms leaves it. Where none has run, the request is the stream of `node:http`, or Fastify's around it. */
  readonly body?: unknown;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** As Express keeps it where routers are mounted; takes precedence over `url`. */
  readonly originalUrl?: string | undefined;
  readonly ip?: string | undefined;
  readonly socket?:
    | { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean | undefined }
    | null
    | undefined;
}

/** What is needed of a response of `node:http`, HTTP/2 or a framework over them. */
export interface NodeResponse {
  readonly headersSent?: boolean | undefined;
  getHeader(name: string): number | string | readonly string[] | undefined;
  setHeader(name: string, value: string | readonly string[]): unknown;
}

/** Other parsers keep a `Map` there, or an object with methods: their members are no cookies. */
const isPlainRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

/** The exchange of `node:http`, HTTP/2 and what is built on them. Without a request it finds no header and no cookie. */
export class NodeExchange implements Exchange {
  readonly #request: NodeRequest | undefined;
  readonly #response: NodeResponse;
  #seenAt: number | undefined;

  constructor(request: NodeRequest | undefined, response: NodeResponse) {
    this.#request = request;
    this.#response = response;
  }

  get method(): string {
    return this.#request?.method?.toUpperCase() ?? "GET";
  }

  header(name: string): string | undefined {
    const value = this.#request?.headers[name];
    return typeof value === "object" ? value[0] : value;
  }

  /** `:authority` (RFC 9113 section 8.3.1), else `Host`, else what the request's target names. */
  authority(): string | undefined {
    const named = this.header(":authority") || this.header("host");
    if (named !== undefined && named !== "") return named;
    const target = this.#request?.url ?? "";
    return /^https?:/i.test(target) && URL.canParse(target) ? new URL(target).host : undefined;
  }

  isEncrypted(): boolean {
    return this.#request?.socket?.encrypted === true;
  }

  path(): string {
    const [path = ""] = (this.#request?.originalUrl ?? this.#request?.url ?? "").split("?", 1);
    return path.startsWith("/") ? path : "/";
  }

  query(): string {
    const url = this.#request?.originalUrl ?? this.#request?.url ?? "";
    return url.includes("?") ? url.slice(url.indexOf("?") + 1) : "";
  }

  cookies(name: string): readonly string[] {
    const header = this.#request?.headers.cookie;
    if (header !== undefined) return cookieValues(header, name);
    const parsed = this.#request?.cookies;
    const own = isPlainRecord(parsed) && Object.hasOwn(parsed, name) ? parsed[name] : undefined;
    return typeof own === "string" ? [own] : [];
  }

  async form(most: number): Promise<URLSearchParams | undefined> {
    const request = this.#request;
    return request !== undefined && isForm(this.header("content-type")) ? postedForm(request, most) : undefined;
  }

  canWrite(): boolean {
    return this.#response.headersSent !== true;
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

  beforeHead(listener: () => void): void {
    beforeHead(this.#response, listener);
  }

  device(): string | undefined {
    return this.header("user-agent");
  }

  address(): string | undefined {
    return this.#request?.ip ?? this.#request?.socket?.remoteAddress;
  }

  seenAt(now: number): number {
    return (this.#seenAt ??= now);
  }
}

const EXCHANGE = Symbol("@pawl/node exchange");

interface Keeper {
  [EXCHANGE]?: Exchange;
}

/**
 * Where a response keeps its exchange: to put it into a `WeakMap` takes longer than all else here. Nor is it a property of
 * Express' responses, each of which has a shape of its own that every new property makes anew; their `locals` is a table.
 */
const keeperOf = (response: NodeResponse & { readonly locals?: unknown }): Keeper => {
  const { locals } = response;
  return typeof locals === "object" && locals !== null ? locals : (response as Keeper);
};

/** The exchange of a response, where somebody has asked for it. */
export const knownExchange = (response: NodeResponse | undefined): Exchange | undefined =>
  response && keeperOf(response)[EXCHANGE];

/**
 * The exchange of a request and its response; the same one for all who ask during a request.
 * @example
 * const read = await pawl.readSession(nodeExchange(req, res));
 */
export const nodeExchange = (request: NodeRequest, response: NodeResponse): Exchange =>
  (keeperOf(response)[EXCHANGE] ??= new NodeExchange(request, response));

/** The same request, with an answer that cannot be written. */
export const readOnly = (exchange: Exchange): Exchange => ({
  method: exchange.method,
  header: (name) => exchange.header(name),
  authority: () => exchange.authority(),
  isEncrypted: () => exchange.isEncrypted(),
  path: () => exchange.path(),
  query: () => exchange.query(),
  cookies: (name) => exchange.cookies(name),
  form: (most) => exchange.form(most),
  canWrite: () => false,
  setHeader: () => undefined,
  appendHeader: () => undefined,
  appendCookie: () => undefined,
  cookieLines: () => exchange.cookieLines(),
  beforeHead: () => undefined,
  device: () => exchange.device(),
  address: () => exchange.address(),
  seenAt: (now) => exchange.seenAt(now),
});
