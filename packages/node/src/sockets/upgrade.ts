import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { warnOf } from "../application-hook.js";
import { type Exchange, NodeExchange, type NodeRequest, readOnly } from "../http/exchange.js";
import { fetchExchange } from "../http/fetch-exchange.js";
import { errorAnswer, SessionError } from "../session-error.js";

/** A request for an upgrade, of `node:http` or what is built on it, or of a fetch runtime. */
export type UpgradeRequest = NodeRequest | Request;

/** An upgrade has no answer that cookies could be written to. */
const NO_ANSWER = { headersSent: true, getHeader: () => undefined, setHeader: () => undefined };

const isFetch = (request: UpgradeRequest): request is Request => typeof request.headers["get"] === "function";

/**
 * The exchange of an upgrade: nothing can be written. Over HTTP/2 an upgrade is a `CONNECT` (RFC 8441), which is no safe
 * method; nor is the `GET` of HTTP/1.1 one here, for a page of any origin may open a WebSocket, cookies included, and no CORS
 * keeps it from reading (RFC 6455 section 10.2).
 */
export const upgradeExchange = (request: UpgradeRequest): Exchange => {
  const exchange = isFetch(request) ? fetchExchange(request) : new NodeExchange(request, NO_ANSWER);
  return { ...readOnly(exchange), method: "CONNECT" };
};

/**
 * A connection that breaks while somebody asks who is there is no error of the process: Node.js listens to none any more, and
 * a WebSocket server not yet.
 */
export const guardConnection = (request: UpgradeRequest): void => {
  if (isFetch(request)) return;
  const socket = request.socket as Partial<Duplex> | null | undefined;
  socket?.on?.("error", () => undefined);
};

/** Answers an upgrade that is refused. */
export const refuse = (connection: Duplex, error: unknown): void => {
  const isOurs = error instanceof SessionError;
  if (!isOurs) warnOf(error);
  const { status, headers, body } = isOurs ? errorAnswer(error) : { status: 500, headers: {}, body: undefined };
  const text = body === undefined ? "" : JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    Connection: "close",
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  }).map(([name, value]) => `${name}: ${value}`);
  connection.on("error", () => undefined);
  connection.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", text].join("\r\n"));
};
