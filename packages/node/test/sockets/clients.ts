import { get as getHttp } from "node:http";
import { connect } from "node:http2";
import { get as getHttps } from "node:https";
import { createParser } from "eventsource-parser";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

/** How a connection came to its end, as its client sees it. */
export interface Seen {
  readonly code: number;
  readonly reason: string;
}

/** A client that has been let in. */
export interface Client {
  /** What the server has sent, up to now. */
  readonly received: readonly string[];
  readonly ended: Promise<Seen>;
  send(text: string): void;
  close(): void;
}

export type Headers = Readonly<Record<string, string>>;

/** @throws the status of a refusal. */
export type Connect = (origin: string, headers: Headers) => Promise<Client>;

const refused = (status: unknown): Error => new Error(`refused: ${String(status)}`);

export const webSocket: Connect = (origin, headers) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${origin.replace("http", "ws")}/socket`, { headers, rejectUnauthorized: false });
    const received: string[] = [];
    socket.on("message", (data: Buffer) => received.push(data.toString()));
    const ended = new Promise<Seen>((end) => {
      socket.on("close", (code, reason) => end({ code, reason: reason.toString() }));
    });
    socket.on("unexpected-response", (_request, { statusCode }) => reject(refused(statusCode)));
    socket.on("error", reject);
    socket.on("open", () =>
      resolve({ received, ended, send: (text) => socket.send(text), close: () => socket.close() }),
    );
  });

const socketIoBy =
  (transport: "websocket" | "polling"): Connect =>
  (origin, extraHeaders) =>
    new Promise((resolve, reject) => {
      const socket = io(origin, { transports: [transport], extraHeaders, reconnection: false, forceNew: true });
      const received: string[] = [];
      let end: Seen = { code: 1006, reason: "" };
      socket.on("text", (text: string) => received.push(text));
      socket.on("end", (told: Seen) => (end = told));
      const ended = new Promise<Seen>((resolveEnd) => void socket.on("disconnect", () => resolveEnd(end)));
      socket.on("connect_error", ({ description, message }: Error & { description?: { context?: unknown } | number }) =>
        reject(refused(typeof description === "number" ? description : message)),
      );
      socket.on("connect", () =>
        resolve({ received, ended, send: (text) => socket.emit("text", text), close: () => socket.disconnect() }),
      );
    });

export const socketIoByWebSocket = socketIoBy("websocket");
export const socketIoByPolling = socketIoBy("polling");

/** Reads messages from an answer's body. */
const eventsOf = (body: NodeJS.ReadableStream, close: () => void): Client => {
  const received: string[] = [];
  let end: Seen = { code: 1006, reason: "" };
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === "end") end = JSON.parse(data) as Seen;
      else received.push(data);
    },
  });
  body.setEncoding("utf8");
  body.on("data", (text: string) => parser.feed(text));
  const ended = new Promise<Seen>((resolve) => {
    body.on("error", () => undefined);
    body.on("close", () => resolve(end));
  });
  return { received, ended, send: () => undefined, close };
};

export const events: Connect = (origin, headers) =>
  new Promise((resolve, reject) => {
    const get = origin.startsWith("https:") ? getHttps : getHttp;
    const request = get(`${origin}/events`, { headers, agent: false, rejectUnauthorized: false });
    request.on("error", reject);
    request.on("response", (response) => {
      if (response.statusCode === 200) resolve(eventsOf(response, () => request.destroy()));
      else reject(refused(response.statusCode));
    });
  });

export const eventsOverHttp2: Connect = (origin, headers) =>
  new Promise((resolve, reject) => {
    const session = connect(origin);
    session.on("error", reject);
    const request = session.request({ ":path": "/events", ...headers });
    request.on("close", () => session.close());
    request.on("error", reject);
    request.on("response", ({ ":status": status }) => {
      if (status === 200) return resolve(eventsOf(request, () => request.close()));
      request.close();
      reject(refused(status));
    });
  });
