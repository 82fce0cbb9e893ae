import { once } from "node:events";
import type { ListeningCore } from "../listening-core.js";

/** Sends bytes as they are and reads until the other side closes. */
export const exchangeRaw = async (core: ListeningCore, bytes: string | Buffer): Promise<string> => {
  const socket = core.connect();
  socket.write(bytes);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
};

/** A login of which all but the last byte has come in. */
export const beginRequest = async (core: ListeningCore) => {
  const socket = core.connect();
  const request = rawRequest("POST", "/v1/sessions", { body: JSON.stringify({ userId: "late" }) });
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(request.slice(0, -1));
  const closed = once(socket, "close");
  // Whatever another connection is told now, the core has seen the head.
  await core.send("GET", "/healthz");
  return {
    async finish(): Promise<string> {
      socket.write(request.slice(-1));
      await closed;
      return text;
    },
    async cut(): Promise<string> {
      await closed;
      return text;
    },
  };
};

/** The statuses of the answers in a text, in order. */
export const statusesIn = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** A request with a body, as text. */
export const rawRequest = (
  method: string,
  path: string,
  { body = "", headers = [] }: { readonly body?: string; readonly headers?: readonly string[] } = {},
): string =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n");
