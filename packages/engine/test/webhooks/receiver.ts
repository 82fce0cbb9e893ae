import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Webhook } from "../../src/index.js";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** What a receiver got. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
  readonly event: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
}

/** A real HTTP server that takes webhooks, and answers as a test says. */
export const receiver = async (
  answer: (response: ServerResponse, received: Received) => void = (response) => response.writeHead(204).end(),
) => {
  const got: Received[] = [];
  let behave = answer;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { headers } = request;
      const received = { headers, body, id: String(headers["webhook-id"]), event: JSON.parse(body) as never };
      got.push(received);
      behave(response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const webhook: Webhook = { url: `http://127.0.0.1:${port}/hook?token=t`, secret: SECRET, allowPrivate: true };
  return {
    got,
    webhook,
    port,
    ids: () => got.map(({ id }) => id),
    answers: (next: typeof answer) => (behave = next),
  };
};

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end();
