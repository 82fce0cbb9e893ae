import { EndableStream, endMessage } from "./event-stream.js";
import { type SocketEnd, toldEnd } from "./socket-end.js";

/** What listens for the closing of a socket, as `this`: one for all, for there are many. */
type Listener = (this: object) => void;

/** What is needed of a `WebSocket` of the package `ws`. */
export interface WsSocket {
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "close", listener: Listener): unknown;
  readonly readyState: number;
  removeAllListeners(event: "message"): unknown;
}

/** Hono's, over `ws`. */
export interface HonoSocket {
  close(code?: number, reason?: string): void;
  readonly raw?: unknown;
}

/** What is needed of a `Socket` of Socket.IO 4. */
export interface SocketIoSocket {
  emit(event: "end", end: object): unknown;
  disconnect(close: boolean): unknown;
  on(event: "disconnect", listener: Listener): unknown;
  readonly conn: {
    readonly readyState: string;
    close(discard: boolean): void;
    on(event: "close", listener: Listener): unknown;
  };
}

/** What is needed of a response of `node:http` or HTTP/2 that sends server-sent events. */
export interface EventResponse {
  readonly headersSent: boolean;
  readonly closed?: boolean | undefined;
  /** Of HTTP/2. */
  readonly stream?: { readonly destroyed?: boolean | undefined } | null | undefined;
  getHeader(name: string): number | string | readonly string[] | undefined;
  on(event: "close" | "error", listener: Listener): unknown;
  end(chunk: string): unknown;
  destroy(): unknown;
}

/** How sockets of one kind are closed. */
export interface SocketKind<Socket> {
  /** Whether `onClose` comes too late. */
  isClosed(socket: Socket): boolean;
  onClose(socket: Socket, listener: Listener): unknown;
  /** Begins to close. Nothing that the client still sends is heard. */
  end(socket: Socket, end: SocketEnd): void;
  /** Closes without the client, which has not done its part in time. */
  abort(socket: Socket): void;
}

/** `WebSocket.CLOSED` (WHATWG WebSockets section 3.1). */
const CLOSED = 3;

const ws: SocketKind<WsSocket> = {
  isClosed: ({ readyState }) => readyState === CLOSED,
  onClose: (socket, listener) => socket.on("close", listener),
  end(socket, { code, reason }) {
    // While a `ws` waits for the client's close frame it goes on telling what the client sends.
    socket.removeAllListeners("message");
    socket.close(code, reason);
  },
  abort: (socket) => socket.terminate(),
};

const socketIo: SocketKind<SocketIoSocket> = {
  isClosed: ({ conn }) => conn.readyState === "closed",
  onClose(socket, listener) {
    socket.on("disconnect", listener);
    // One that a middleware has not let in yet is not told of that.
    socket.conn.on("close", () => listener.call(socket));
  },
  end(socket, end) {
    socket.emit("end", toldEnd(end));
    socket.disconnect(true);
    // Nor does that do anything then.
    socket.conn.close(false);
  },
  abort: ({ conn }) => conn.close(true),
};

/** Whether an answer is one of events; of what was given to `writeHead` alone the response knows nothing. */
const sendsEvents = (response: EventResponse): boolean => {
  const type = response.getHeader("content-type");
  return response.headersSent && (type === undefined || String(type).startsWith("text/event-stream"));
};

const eventResponse: SocketKind<EventResponse> = {
  isClosed: ({ closed, stream }) => closed === true || stream?.destroyed === true,
  onClose: (response, listener) => response.on("close", listener),
  end(response, end) {
    // The application may write on until it hears of the end, which would be an error that nobody listens to.
    response.on("error", () => undefined);
    // Another answer that was merely ended would look as if it were whole.
    if (sendsEvents(response)) response.end(endMessage(end));
    else response.destroy();
  },
  abort: (response) => void response.destroy(),
};

const stream: SocketKind<EndableStream> = {
  isClosed: () => false,
  onClose: (endable, listener) => endable.onClose(listener),
  end: (socket, end) => socket.end(end),
  abort: (socket) => socket.abort(),
};

const has = (value: object, ...methods: readonly string[]): boolean =>
  methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === "function");

const known = (socket: object): unknown => {
  if (socket instanceof EndableStream) return stream;
  if (has(socket, "close", "terminate", "on", "removeAllListeners")) return ws;
  if (has(socket, "emit", "disconnect", "on") && "conn" in socket) return socketIo;
  return has(socket, "getHeader", "end", "destroy", "on") ? eventResponse : undefined;
};

/** How a socket is closed. @throws TypeError for what is none that can be bound. */
export const kindOf = (socket: object): SocketKind<object> => {
  const kind = known(socket) as SocketKind<object> | undefined;
  if (kind !== undefined) return kind;
  throw new TypeError("bindSocket takes a socket of ws or Socket.IO, a response of node:http, or a ReadableStream");
};

/** What is inside of what frameworks hand out. */
export const innermost = (socket: object): object => {
  const { raw } = socket as HonoSocket;
  return known(socket) === undefined && typeof raw === "object" && raw !== null ? innermost(raw) : socket;
};
