import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";
import { type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { connect as connectTls } from "node:tls";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether more of the body is to come, which never does. */
  readonly isUnfinished?: boolean;
}

/** The head of an answer, and its body as it comes. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A request under way. */
export interface Call {
  readonly answer: Promise<Answer>;
  /** Goes away without waiting for the answer: closes the connection, in HTTP/2 the stream alone (RST_STREAM). */
  abort(): void;
}

/** A connection to a server; in HTTP/2 several requests go over it at once, in HTTP/1.1 one after the other. */
export interface Connection {
  call(path: string, asked?: Asked): Call;
  close(): void;
}

/** Tests make their certificates themselves. */
const ANY_CERTIFICATE = { rejectUnauthorized: false } as const;

const isTls = (origin: string): boolean => /^(?:https|h2):/.test(origin);

const send = (asked: ClientRequest | ClientHttp2Stream, { body, isUnfinished = false }: Asked): void => {
  if (!isUnfinished) asked.end(body);
  else asked.write(body ?? "");
};

const callHttp1 = (url: string, asked: Asked, agent: Agent | false): Call => {
  const { method = "GET", headers = {} } = asked;
  const options = { method, headers, agent, ...ANY_CERTIFICATE };
  const sent = isTls(url) ? requestTls(url, options) : request(url, options);
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on("response", (answered) => {
      // Who reads the body hears of it too.
      answered.on("error", () => undefined);
      resolve({ status: answered.statusCode ?? 0, headers: answered.headers, body: answered });
    });
    sent.on("error", reject);
  });
  send(sent, asked);
  return { answer, abort: () => void sent.destroy() };
};

const connectionHttp1 = (origin: string): Connection => {
  const options = { keepAlive: true, maxSockets: 1, ...ANY_CERTIFICATE };
  const agent = isTls(origin) ? new TlsAgent(options) : new Agent(options);
  return { call: (path, asked = {}) => callHttp1(origin + path, asked, agent), close: () => agent.destroy() };
};

const connectionHttp2 = (origin: string, { isForOne = false } = {}): Connection => {
  const [, address = ""] = origin.split("//");
  const connection = connectHttp2(`${isTls(origin) ? "https" : "http"}://${address}`, ANY_CERTIFICATE);
  // Every request listens for the connection's errors.
  connection.setMaxListeners(0);
  return {
    call(path, asked = {}) {
      const { method = "GET", headers: { host, ...headers } = {} } = asked;
      const pseudo = { ":method": method, ":path": path, ":authority": host ?? address };
      const sent = connection.request({ ...pseudo, ...headers });
      const answer = new Promise<Answer>((resolve, reject) => {
        sent.on("response", (head) => resolve({ status: head[":status"] ?? 0, headers: head, body: sent }));
        for (const source of [sent, connection]) source.on("error", reject);
        sent.on("close", () => reject(new Error("the stream was closed without an answer")));
      });
      if (isForOne) sent.on("close", () => connection.close());
      send(sent, asked);
      return {
        answer,
        abort() {
          sent.close(constants.NGHTTP2_CANCEL);
          // It is closed when what has come of the answer has been read.
          sent.resume();
        },
      };
    },
    close: () => connection.close(),
  };
};

/**
 * Opens a connection.
 * @param origin `http:` and `https:` stand for HTTP/1.1, `h2:` for HTTP/2 and `h2c:` for HTTP/2 without TLS, by prior knowledge (RFC 9113
 * section 3.3).
 */
export const openConnection = (origin: string): Connection =>
  origin.startsWith("h2") ? connectionHttp2(origin) : connectionHttp1(origin);

/** Sends one request over a connection of its own. */
export const call = (url: string, asked: Asked = {}): Call => {
  if (!url.startsWith("h2")) return callHttp1(url, asked, false);
  const [, origin = "", path = ""] = /^([^/]*\/\/[^/]*)(.*)$/s.exec(url) ?? [];
  return connectionHttp2(origin, { isForOne: true }).call(path, asked);
};

/** Sends bytes as they are and reads whatever comes back until the server closes the connection, both in Latin-1. */
export const sendBytes = (origin: string, text: string): Promise<string> => {
  const { hostname: host, port } = new URL(origin);
  const address = { host, port: Number(port), ...ANY_CERTIFICATE };
  const socket = isTls(origin) ? connectTls(address) : connect(address);
  socket.setEncoding("latin1").write(text, "latin1");
  let answer = "";
  return new Promise((resolve) => {
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
};
