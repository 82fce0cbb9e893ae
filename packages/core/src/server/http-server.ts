import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProblemCode } from "@pawl/protocol";
import type { Logger } from "pino";
import type { AccessControl } from "./access-control.js";
import type { CoreReply, CoreRequest, Dialect, Found, Operation, Refusal, StreamReply } from "./exchange.js";
import { explainFailure } from "./failure.js";
import type { Limits } from "./limits.js";
import { readBody } from "./request-body.js";
import { createStreamSink } from "./stream-sink.js";

export interface HttpServerOptions {
  /** Asked in order; the last one owns every path. */
  readonly dialects: readonly [...Dialect[], Dialect];
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
  /** When the request had come in whole; absent before. */
  readAt?: number;
}

const HEALTHY_WHILE_STOPPING = "/healthz";

/** Serves dialects over HTTP/1.1. Knows neither the engine nor what the dialects say. */
export const createHttpServer = ({ dialects, access, limits, log }: HttpServerOptions): HttpServer => {
  const inFlight = new Set<Exchange>();
  const streams = new AbortController();
  let stopping = false;
  let whenIdle: (() => void) | undefined;

  const ownerOf = (path: string): Dialect =>
    dialects.find((dialect) => dialect.owns(path)) ?? (dialects.at(-1) as Dialect);

  const find = (method: string, path: string): readonly [Dialect, Found | undefined] => {
    for (const dialect of dialects) {
      const found = dialect.find(method, path);
      if (found !== undefined) return [dialect, found];
    }
    return [ownerOf(path), undefined];
  };

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

  const refuse = (exchange: Exchange, problem: ProblemCode, refusal: Refusal = {}): void =>
    write(exchange, exchange.dialect.refuse(problem, refusal));

  const stream = async ({ response, operation }: Exchange, reply: StreamReply): Promise<void> => {
    response.writeHead(reply.status, ["Content-Type", reply.contentType, "Cache-Control", "no-store"]);
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
    const method = message.method as string;
    // The absolute form names the authority again (RFC 9112 section 3.2.2).
    const target = (message.url as string).replace(/^https?:\/\/[^/?]*/i, "");
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    const [dialect, found] = find(method, path);
    const operation = found !== undefined && "operation" in found ? found.operation : undefined;
    const exchange: Exchange = {
      response,
      dialect,
      operation: operation?.name ?? "none",
      startedAt: performance.now(),
    };
    inFlight.add(exchange);
    response.on("close", () => finish(exchange));

    const refused = access({
      socket: message.socket,
      headers: message.headers,
      open: operation?.open ?? (found !== undefined && "allow" in found && found.open),
    });
    if (refused !== undefined) return refuse(exchange, refused);
    if (stopping && path !== HEALTHY_WHILE_STOPPING) return refuse(exchange, "shutting_down");
    if (found === undefined) return refuse(exchange, "not_found");
    if (operation === undefined) {
      const reply = dialect.refuse("method_not_allowed", {});
      const { allow } = found as { readonly allow: readonly string[] };
      return write(exchange, { ...reply, headers: [...(reply.headers ?? []), "Allow", allow.join(", ")] });
    }
    readBody(message, limits.body, (body) => {
      if (body === "too_large") return refuse(exchange, "body_too_large");
      if (body === "not_text") return refuse(exchange, "invalid_json", { detail: "the body is not UTF-8" });
      exchange.readAt = performance.now();
      const query = mark === -1 ? "" : target.slice(mark + 1);
      void answer(exchange, operation, { method, path, query, headers: message.headers, body: body.text });
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

  const refuseLate = (): void => {
    const oldest = performance.now() - limits.answerTimeout;
    for (const exchange of inFlight) {
      if (exchange.response.headersSent || (exchange.readAt ?? Infinity) > oldest) continue;
      log.warn({ operation: exchange.operation }, "no answer in time");
      refuse(exchange, "storage_unavailable");
    }
  };
  // One look at all requests now and then costs less than a timer for each.
  let deadlines: NodeJS.Timeout | undefined;

  const close = async (): Promise<void> => {
    stopping = true;
    streams.abort();
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
          deadlines = setInterval(refuseLate, Math.min(limits.answerTimeout, 1000)).unref();
          server.on("error", (error) => log.error({ err: error }, "the listening socket failed"));
          resolve(server.address() as AddressInfo);
        });
      }),
    close: () => (closing ??= close()),
  };
};
