import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { beforeHead } from "../../src/http/before-head.js";

type Handler = (res: ServerResponse) => void;

/** Ways in which the head of an answer comes to be sent, and the application's own headers in them. */
const ways: Readonly<Record<string, Handler>> = {
  "end alone": (res) => res.end(),
  write: (res) => {
    res.write("x");
    res.end();
  },
  flushHeaders: (res) => {
    res.flushHeaders();
    res.end();
  },
  "writeHead without headers": (res) => res.writeHead(201).end(),
  "an object": (res) => res.writeHead(201, { "set-cookie": "own=1", "x-own": "1" }).end(),
  "an object of lists": (res) => res.writeHead(201, "Made", { "Set-Cookie": ["own=1", "own2=2"] }).end(),
  "names and values in turn": (res) => res.writeHead(201, ["Set-Cookie", "own=1", "set-cookie", "own2=2"]).end(),
  "set before": (res) => {
    res.setHeader("Set-Cookie", "own=1");
    res.writeHead(201, { "x-own": "1" });
    res.end();
  },
};

const withCookie = (handler: Handler) => (_req: IncomingMessage, res: ServerResponse) => {
  let calls = 0;
  beforeHead(res, () => {
    calls += 1;
    const lines = [res.getHeader("set-cookie") ?? []].flat().map(String);
    res.setHeader("set-cookie", [...lines, `ours=${calls}`]);
  });
  handler(res);
};

const own = (name: string): readonly string[] =>
  ["an object of lists", "names and values in turn"].includes(name)
    ? ["own=1", "own2=2"]
    : ["an object", "set before"].includes(name)
      ? ["own=1"]
      : [];

test.each(Object.entries(ways))("the listener is called once, with %s", async (name, handler) => {
  const server = createServer(withCookie(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(answer.headers.getSetCookie()).toEqual([...own(name), "ours=1"]);
  expect(answer.status).toBe(name.startsWith("w") && name !== "write" ? 201 : answer.status);
  await answer.text();
  server.close();
});

test.each(Object.entries(ways).filter(([name]) => name !== "names and values in turn"))(
  "over HTTP/2, with %s",
  async (name, handler) => {
    const server = http2.createServer((req, res) => withCookie(handler)(req as never, res as never));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      const stream = client.request({ ":path": "/" });
      stream.on("response", resolve).on("error", reject).resume().end();
    });
    expect(headers["set-cookie"]).toEqual([...own(name), "ours=1"]);
    client.close();
    server.close();
  },
);
