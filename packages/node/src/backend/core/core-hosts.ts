import { performance } from "node:perf_hooks";
import { failSpan, SpanKind, type Telemetry } from "@pawl/engine/telemetry";
import { CoreConnections } from "./core-connections.js";
import { type CoreHost, coreUrl } from "./core-url.js";
import { RETRY_AFTER, SessionError } from "../../session-error.js";

/** One call of the core's API. */
export interface CoreCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** JSON text, unless `contentType` says otherwise. */
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** What it is called in metrics and traces. */
  readonly operation: string;
  /** Whether another host may be asked after one that perhaps did the work already. */
  readonly idempotent: boolean;
  /** Asks this one of `urlsInTurn` and no other. */
  readonly only?: string | undefined;
}

export interface CoreAnswer {
  readonly status: number;
  /** Undefined when there is none, or it is not JSON. */
  readonly body: unknown;
  /** Seconds, as the core asks for. */
  readonly retryAfter?: number | undefined;
}

export interface CoreHostsOptions {
  readonly hosts: readonly (CoreHost | string)[];
  readonly apiKey?: string | undefined;
  /** ms */
  readonly tryTimeout: number;
  /** ms */
  readonly callTimeout: number;
  readonly telemetry: Telemetry;
}

interface Host {
  readonly origin: string;
  /** Stands before every path; empty or `/…` without a trailing slash. */
  readonly basePath: string;
  readonly connections: CoreConnections;
  /** Asked last until then (monotonic ms): it failed a moment ago. */
  restsUntil: number;
}

const baseUrl = ({ origin, basePath }: Host): string => origin + basePath;

/** What came of asking one host. */
type Attempt =
  | { readonly kind: "answer"; readonly answer: CoreAnswer }
  /** `unreached`: nothing was sent. `dropped`: the connection ended before the answer. */
  | { readonly kind: "unreached" | "dropped" | "failed"; readonly cause: unknown };

/** A host that failed is asked last for so long, ms. */
const REST = 1000;
const LONGEST_REST = 30_000;

const unreached = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);
const dropped = new Set(["ECONNRESET", "EPIPE"]);

const failedAttempt = (cause: unknown): Attempt => {
  const code = String((cause as { code?: unknown }).code);
  return { kind: unreached.has(code) ? "unreached" : dropped.has(code) ? "dropped" : "failed", cause };
};

/**
 * The nodes of a core. Calls go round-robin. After a connection that was never made the next host is asked; after a
 * time-out, a dropped connection or a 5xx too when the call is idempotent; all within one deadline.
 */
export class CoreHosts {
  readonly #hosts: readonly Host[];
  readonly #options: CoreHostsOptions;
  readonly #headers: Readonly<Record<string, string>>;
  #turn = 0;
  #closed = false;

  constructor(options: CoreHostsOptions) {
    this.#options = options;
    this.#headers = {
      accept: "application/json, application/problem+json",
      ...(options.apiKey === undefined ? {} : { "api-key": options.apiKey }),
    };
    this.#hosts = options.hosts.map((host) => {
      const url = coreUrl(host);
      return {
        origin: url.origin,
        basePath: url.pathname.replace(/\/+$/, ""),
        connections: new CoreConnections(url, { connectTimeout: options.tryTimeout / 2 }),
        restsUntil: 0,
      };
    });
  }

  /** The headers of every call. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  /** Base URLs, the next one in turn first. */
  urlsInTurn(): readonly string[] {
    return this.#inTurn().map(baseUrl);
  }

  /** @throws SessionError `UNKNOWN` when no host gave an answer about the matter in time. */
  async call(call: CoreCall): Promise<CoreAnswer> {
    const deadline = performance.now() + this.#options.callTimeout;
    const { only } = call;
    const hosts = only === undefined ? this.#inTurn() : this.#hosts.filter((host) => baseUrl(host) === only);
    let attempt: Attempt | undefined;
    for (let tries = 0; ; tries++) {
      // The last host is asked once more when it dropped the connection: that is what a restart looks like.
      const host = hosts[tries] ?? (tries === hosts.length && attempt?.kind === "dropped" ? hosts.at(-1) : undefined);
      const left = deadline - performance.now();
      if (host === undefined || left <= 0 || this.#closed) break;
      attempt = await this.#ask(host, call, Math.min(left, this.#options.tryTimeout));
      if (attempt.kind === "answer" && attempt.answer.status < 500) return attempt.answer;
      const seconds = attempt.kind === "answer" ? attempt.answer.retryAfter : undefined;
      host.restsUntil = performance.now() + Math.min(seconds === undefined ? REST : seconds * 1000, LONGEST_REST);
      if (!call.idempotent && attempt.kind !== "unreached") break;
    }
    if (attempt?.kind === "answer") throw refusal(call, attempt.answer);
    const cause = attempt?.cause;
    const { code, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: string };
    const why = typeof code === "string" ? `: ${code}` : name === undefined ? "" : `: ${name}`;
    throw new SessionError("UNKNOWN", `No Pawl core available to query${why}`, { cause, retryAfter: RETRY_AFTER });
  }

  close(): void {
    this.#closed = true;
    for (const { connections } of this.#hosts) connections.close();
  }

  #inTurn(): readonly Host[] {
    const start = this.#turn++ % this.#hosts.length;
    const now = performance.now();
    const rotated = [...this.#hosts.slice(start), ...this.#hosts.slice(0, start)];
    return [...rotated.filter((host) => host.restsUntil <= now), ...rotated.filter((host) => host.restsUntil > now)];
  }

  /** As `#send`, timed, and a span. */
  async #ask(host: Host, call: CoreCall, timeout: number): Promise<Attempt> {
    const { telemetry } = this.#options;
    const { operation } = call;
    const startedAt = performance.now();
    const start = {
      name: `core ${operation}`,
      kind: SpanKind.CLIENT,
      attributes: { "http.request.method": call.method },
    };
    return telemetry.within(start, async (span) => {
      const attempt = await this.#send(host, call, timeout);
      if (attempt.kind === "answer") span.setAttribute("http.response.status_code", attempt.answer.status);
      else failSpan(span, attempt.cause);
      const status = attempt.kind === "answer" ? String(attempt.answer.status) : attempt.kind;
      telemetry.record("pawl.core.call.duration", (performance.now() - startedAt) / 1000, operation, status);
      return attempt;
    });
  }

  async #send({ connections, basePath }: Host, call: CoreCall, timeout: number): Promise<Attempt> {
    const { method, path, body, contentType = "application/json" } = call;
    try {
      const type = body === undefined ? {} : { "content-type": contentType };
      const headers = { ...this.#headers, ...type, ...this.#options.telemetry.headers() };
      const answer = await connections.send({ method, path: basePath + path, headers, body, timeout });
      const after = Number(answer.headers["retry-after"] ?? Number.NaN);
      const retryAfter = Number.isFinite(after) && after >= 0 ? after : undefined;
      return { kind: "answer", answer: { status: answer.status, body: parseJson(answer.text), retryAfter } };
    } catch (cause) {
      return failedAttempt(cause);
    }
  }
}

/** What a core says that is no answer about the matter. Problem details hold no secret; a query might name a user. */
export const refusal = ({ method, path }: Pick<CoreCall, "method" | "path">, answer: CoreAnswer): SessionError => {
  const { body, retryAfter } = answer;
  const { code, title, detail } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const message = [code, detail ?? title].filter((part) => typeof part === "string").join(": ");
  return new SessionError(
    "UNKNOWN",
    `Pawl core threw an error for a ${method} request to path: '${path.split("?", 1)[0]}' with status code: ${answer.status} and message: ${message}`,
    { retryAfter },
  );
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
