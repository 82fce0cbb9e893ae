import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ProblemCode, problems } from "@pawl/protocol";
import type { Logger } from "pino";
import type { AccessControl } from "./access-control.js";
import type { CoreReply, CoreRequest, Dialect, Operation, Refusal, StreamReply } from "./exchange.js";
import { explainFailure } from "./failure.js";
import { InFlight } from "./in-flight.js";
import type { Limits } from "./limits.js";
import { readBody } from "./request-body.js";
import { createRouter, splitTarget, withoutHead } from "./request-target.js";
import { createStreamSink } from "./stream-sink.js";

export interface HttpServerOptions {
  /** Asked in order; the first one refuses every path that no other owns. */
  readonly dialects: readonly [Dialect, ...Dialect[]];
  readonly access: AccessControl;
  readonly limits: Limits;
  readonly log: Logger;
}

export interface HttpServer {
  /** @throws what node:net throws when the address cannot be listened on. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** Answers what is in flight, refuses what is new, ends streams; cuts what is left after `limits.grace`. */
  close(): Promise<void>;
}

/** One request between its head and the end of its answer. */
interface Exchange {
  readonly response: ServerResponse;
  readonly dialect: Dialect;
  readonly operation: string;
  readonly startedAt: number;
  /** When the request had come in whole; `undefined` before. */
  readAt: number | undefined;
  /** Among those in flight. */
  place: number | undefined;
}

const HEALTHY_WHILE_STOPPING = "/healthz";

/** Serves dialects over HTTP/1.1. Knows neither the engine nor what the dialects say. */
export const createHttpServer = ({ dialects, access, limits, log }: HttpServerOptions): HttpServer => {
  const inFlight = new InFlight<Exchange>();
  const streams = new AbortController();
  // Each stream listens.
  setMaxListeners(0, streams.signal);
  let stopping = false;
  let whenIdle: (() => void) | undefined;
  const route = createRouter(dialects);

  const write = (exchange: Exchange, reply: CoreReply): void => {
    const { response } = exchange;
    if (response.headersSent) return;
    const headers: string[] = ["Cache-Control", reply.cacheControl ?? "no-store"];
    if (reply.contentType !== undefined)
      headers.push("Content-Type", reply.contentType, "Content-Length", String(Buffer.byteLength(reply.body)));
    if (reply.headers !== undefined) headers.push(...reply.headers);
    if (stopping) headers.push("Connection", "close");
    response.writeHead(reply.status, headers).end(reply.body);
  };

  const refuse = (exchange: Exchange, problem: ProblemCode, refusal: Refusal = {}): void => {
    const reply = exchange.dialect.refuse(problem, refusal);
    const headers = [...(reply.headers ?? [])];
    if (refusal.allow !== undefined) headers.push("Allow", refusal.allow.join(", "));
    if (problems[problem].status === 503) headers.push("Retry-After", "1");
    write(exchange, { ...reply, headers });
  };

  const stream = async ({ response, operation }: Exchange, reply: StreamReply): Promise<void> => {
    response.writeHead(reply.status, ["Content-Type", reply.contentType, "Cache-Control", "no-store"]);
    if (response.req.method === "HEAD") return void response.end();
    response.flushHeaders();
    try {
      await reply.run(createStreamSink(response, { stop: streams.signal, unreadTimeout: limits.unreadTimeout }));
    } catch (error) {
      explainFailure(error, { log, operation });
    }
    response.end();
    // Whoever has not read so far shall not keep the core from stopping.
    if (response.writableNeedDrain) response.destroy();
  };

  const answer = async (exchange: Exchange, operation: Operation, request: CoreRequest): Promise<void> => {
    let reply: CoreReply | StreamReply;
    try {
      reply = await operation.handle(request);
    } catch (error) {
      refuse(exchange, ...explainFailure(error, { log, operation: operation.name }));
      return;
    }
    if (!("run" in reply)) return write(exchange, reply);
    await stream(exchange, reply);
  };

  const finish = (exchange: Exchange): void => {
    if (!inFlight.delete(exchange)) return;
    log.debug(
      {
        operation: exchange.operation,
        status: exchange.response.statusCode,
        ms: Math.round(performance.now() - exchange.startedAt),
      },
      "answered",
    );
    if (inFlight.size === 0) whenIdle?.();
  };

  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    const { headers, socket } = message;
    const method = message.method as string;
    const { path, query } = splitTarget(message.url as string);
    const { dialect, operation, allow, open } = route(method, path);
    const exchange: Exchange = {
      response,
      dialect,
      operation: operation?.name ?? "none",
      startedAt: performance.now(),
      readAt: undefined,
      place: undefined,
    };
    inFlight.add(exchange);
    response.on("close", () => finish(exchange));

    const refused = access({ socket, headers, open });
    if (refused !== undefined) {
      log.info({ operation: exchange.operation, problem: refused, address: socket.remoteAddress }, "refused");
      return refuse(exchange, refused);
    }
    if (stopping && path !== HEALTHY_WHILE_STOPPING) return refuse(exchange, "shutting_down");
    if (allow !== undefined) return refuse(exchange, "method_not_allowed", { allow });
    if (operation === undefined) return refuse(exchange, "not_found");
    readBody(message, limits.body, (body) => {
      if (body === "too_large") return refuse(exchange, "body_too_large");
      if (body === "not_text") return refuse(exchange, "invalid_json", { detail: "the body is not UTF-8" });
      exchange.readAt = performance.now();
      void answer(exchange, operation, { method: withoutHead(method), path, query, headers, body: body.text });
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
   * Refuses what is late, and forgets what nobody waits for: an answer that is queued behind another one of its
   * connection is never told that the connection has gone.
   */
  const sweep = (): void => {
    const oldest = performance.now() - limits.answerTimeout;
    for (const exchange of inFlight) {
      if (exchange.response.req.socket.destroyed) finish(exchange);
      else if (!exchange.response.headersSent && (exchange.readAt ?? Infinity) <= oldest) {
        log.warn({ operation: exchange.operation }, "no answer in time");
        refuse(exchange, "storage_unavailable");
      }
    }
  };
  // One look at all requests now and then costs less than a timer for each.
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
