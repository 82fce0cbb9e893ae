import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SpanKind, type Telemetry } from "@pawl/engine/telemetry";
import { type ProblemCode, problems } from "@pawl/protocol";
import type { Logger } from "pino";
import type { AccessControl } from "./access-control.js";
import type { CoreReply, CoreRequest, Dialect, Operation, Refusal, StreamReply } from "./dialect.js";
import { explainFailure } from "./failure.js";
import { InFlight } from "./in-flight.js";
import type { Limits } from "./limits.js";
import { readBody } from "./request-body.js";
import { createRouter, isPercentEncoded, splitTarget, withoutHead } from "./request-target.js";
import { createStreamSink } from "./stream-sink.js";

interface HttpServerOptions {
  /** Asked in order; the first one refuses every path that no other owns. */
  readonly dialects: readonly [Dialect, ...Dialect[]];
  readonly access: AccessControl;
  readonly limits: Limits;
  readonly log: Logger;
  readonly telemetry: Telemetry;
}

interface HttpServer {
  /** @throws what node:net throws when the address cannot be listened on. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** Answers what is in flight, refuses what is new, ends streams; cuts what is left after `limits.grace`. */
  close(): Promise<void>;
}

/** One request between its head and the end of its answer. */
interface PendingRequest {
  readonly response: ServerResponse;
  readonly dialect: Dialect;
  readonly operation: string;
  readonly startedAt: number;
  /** When the request had come in whole; `undefined` before. */
  readAt: number | undefined;
  /** Among those in flight. */
  place: number | undefined;
  /** How long a stream lasts is its reader's to say. */
  isStream: boolean;
}

const HEALTHY_WHILE_STOPPING = "/healthz";

/** The span of a request. Neither path nor query, which may name a session or a user. */
const spanOf = ({ name }: Operation, { method, headers }: CoreRequest) => ({
  name,
  kind: SpanKind.SERVER,
  attributes: { "http.request.method": method },
  headers,
});

/** Serves dialects over HTTP/1.1. Knows neither the engine nor what the dialects say. */
export const createHttpServer = ({ dialects, access, limits, log, telemetry }: HttpServerOptions): HttpServer => {
  const inFlight = new InFlight<PendingRequest>();
  const streams = new AbortController();
  // Each stream listens.
  setMaxListeners(0, streams.signal);
  let stopping = false;
  let whenIdle: (() => void) | undefined;
  const route = createRouter(dialects);

  const write = (pending: PendingRequest, reply: CoreReply): void => {
    const { response } = pending;
    if (response.headersSent) return;
    const headers: string[] = ["Cache-Control", reply.cacheControl ?? "no-store"];
    if (reply.contentType !== undefined)
      headers.push("Content-Type", reply.contentType, "Content-Length", String(Buffer.byteLength(reply.body)));
    if (reply.headers !== undefined) headers.push(...reply.headers);
    if (stopping) headers.push("Connection", "close");
    response.writeHead(reply.status, headers).end(reply.body);
  };

  const refuse = (pending: PendingRequest, problem: ProblemCode, refusal: Refusal = {}): void => {
    telemetry.count("pawl.refusals", problem);
    const reply = pending.dialect.refuse(problem, refusal);
    const headers: string[] = [...(reply.headers ?? [])];
    if (refusal.allow !== undefined) headers.push("Allow", refusal.allow.join(", "));
    if (problems[problem].status === 503) headers.push("Retry-After", "1");
    write(pending, { ...reply, headers });
  };

  const stream = async ({ response, operation }: PendingRequest, reply: StreamReply): Promise<void> => {
    response.writeHead(reply.status, ["Content-Type", reply.contentType, "Cache-Control", "no-store"]);
    if (response.req.method === "HEAD") return void response.end();
    response.flushHeaders();
    try {
      await reply.run(createStreamSink(response, { stop: streams.signal, unreadTimeout: limits.unreadTimeout }));
    } catch (error) {
      explainFailure(error, { log, operation });
    }
    // A reader that has fallen behind must not keep the core from stopping.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  };

  const answer = async (pending: PendingRequest, operation: Operation, request: CoreRequest): Promise<void> => {
    let reply: CoreReply | StreamReply;
    try {
      reply = await telemetry.within(spanOf(operation, request), async (span) => {
        const made = await operation.handle(request);
        span.setAttribute("http.response.status_code", made.status);
        return made;
      });
    } catch (error) {
      refuse(pending, ...explainFailure(error, { log, operation: operation.name }));
      return;
    }
    if (!("run" in reply)) return write(pending, reply);
    pending.isStream = true;
    await stream(pending, reply);
  };

  const finish = (pending: PendingRequest): void => {
    if (!inFlight.delete(pending)) return;
    const { operation, response, startedAt, isStream } = pending;
    const ms = performance.now() - startedAt;
    if (!isStream) telemetry.record("pawl.request.duration", ms / 1000, operation, String(response.statusCode));
    log.debug({ operation, status: response.statusCode, ms: Math.round(ms) }, "answered");
    if (inFlight.size === 0) whenIdle?.();
  };

  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    const { headers, socket } = message;
    const method = message.method as string;
    const url = message.url as string;
    const { path, query } = splitTarget(url);
    const { dialect, operation, allow, ...needs } = route(method, path);
    const pending: PendingRequest = {
      response,
      dialect,
      operation: operation?.name ?? "none",
      startedAt: performance.now(),
      readAt: undefined,
      place: undefined,
      isStream: false,
    };
    inFlight.add(pending);
    response.on("close", () => finish(pending));

    const refused = access({ socket, headers, ...needs });
    if (refused !== undefined) {
      log.info({ operation: pending.operation, problem: refused, address: socket.remoteAddress }, "refused");
      return refuse(pending, refused);
    }
    if (stopping && path !== HEALTHY_WHILE_STOPPING) return refuse(pending, "shutting_down");
    if (allow !== undefined) return refuse(pending, "method_not_allowed", { allow });
    if (operation === undefined) return refuse(pending, "not_found");
    if (!isPercentEncoded(url))
      return refuse(pending, "invalid_input", { detail: "path and query must be percent-encoded UTF-8" });
    readBody(message, limits.body, (body) => {
      if (body === "too_large") return refuse(pending, "body_too_large");
      if (body === "not_text") return refuse(pending, "invalid_json", { detail: "the body is not UTF-8" });
      pending.readAt = performance.now();
      void answer(pending, operation, {
        method: withoutHead(method),
        path,
        query,
        headers,
        body: body.text,
        address: socket.remoteAddress,
      });
    });
  };

  const server = createServer(
    {
      maxHeaderSize: limits.head,
      headersTimeout: limits.headTimeout,
      requestTimeout: limits.requestTimeout,
      keepAliveTimeout: limits.keepAliveTimeout,
      connectionsCheckingInterval: Math.min(limits.headTimeout, 1000),
    },
    onRequest,
  );

  /**
   * Refuses late requests, and forgets those whose client has gone: an answer queued behind another one on its connection
   * gets no event when the connection closes.
   */
  const sweep = (): void => {
    const oldest = performance.now() - limits.answerTimeout;
    for (const pending of inFlight) {
      if (pending.response.req.socket.destroyed) finish(pending);
      else if (!pending.response.headersSent && (pending.readAt ?? Infinity) <= oldest) {
        log.warn({ operation: pending.operation }, "no answer in time");
        refuse(pending, "storage_unavailable");
      }
    }
  };
  // A periodic look at all requests costs less than a timer for each.
  let deadlines: NodeJS.Timeout | undefined;

  const close = async (): Promise<void> => {
    stopping = true;
    streams.abort();
    sweep();
    if (inFlight.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
        timer = setTimeout(resolve, limits.grace);
      });
      clearTimeout(timer);
      if (inFlight.size > 0) log.warn({ requests: inFlight.size }, "cut what was not done within the grace period");
    }
    clearInterval(deadlines);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };

  let closing: Promise<void> | undefined;
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          deadlines = setInterval(sweep, Math.min(limits.answerTimeout, 1000)).unref();
          server.on("error", (error) => log.error({ err: error }, "the listening socket failed"));
          resolve(server.address() as AddressInfo);
        });
      }),
    close: () => (closing ??= close()),
  };
};
