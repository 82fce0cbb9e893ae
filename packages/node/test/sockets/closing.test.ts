import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { createAdaptorServer } from "@hono/node-server";
import { Server as SocketIo } from "socket.io";
import { io } from "socket.io-client";
import { expect, it, onTestFinished } from "vitest";
import { EndableStream } from "../../src/sockets/event-stream.js";
import { Endings } from "../../src/sockets/endings.js";
import { served } from "../adapters/served.js";
import { pawlOf, watchOf } from "./watching.js";

/** An application whose sockets have to be closed soon, and somebody who has logged in. */
const start = async () => {
  const pawl = pawlOf();
  const { watch } = await watchOf(pawl, { endings: new Endings(200) });
  const login = await pawl.tokens.create({ userId: "alice" });
  return { pawl, watch, login, end: () => pawl.sessions.end(login.handle, "logout") };
};

const servedAt = async (...given: Parameters<typeof served>): Promise<number> => {
  const { origin, close } = await served(...given);
  onTestFinished(close);
  return Number(new URL(origin).port);
};

/** A client that asks, and reads nothing until it is told to. */
const ask = async (port: number): Promise<{ readonly client: Socket; readonly text: () => Promise<string> }> => {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(client, "connect");
  const text = async (): Promise<string> => {
    let read = "";
    client.setEncoding("latin1").on("data", (part: string) => (read += part));
    if (!client.closed) await once(client, "close");
    return read;
  };
  return { client, text };
};

const connectionsOf = promisify((server: Server, callback: (error: Error | null, count: number) => void) =>
  server.getConnections(callback),
);

/** Whole messages, more than what fits between a server and a client that does not read. */
const MUCH = Buffer.alloc(": nothing\n\n".length * 3_000_000, ": nothing\n\n");

it("an answer that its client does not read is cut off, and what the application still writes there harms nobody", async () => {
  const { watch, login, end } = await start();
  let over = 0;
  const answer: RequestListener = (_req, res) => {
    res.setHeader("Content-Type", "text/event-stream");
    watch.bind(res, login);
    res.write(MUCH);
    const writing = setInterval(() => res.write("data: more\n\n"), 1);
    res.on("close", () => {
      clearInterval(writing);
      over += 1;
    });
  };
  const { client } = await ask(await servedAt(createServer(answer)));
  client.pause();
  await expect.poll(() => client.readableLength).toBeGreaterThan(0);
  await end();
  await expect.poll(() => over).toBe(1);
  client.destroy();
});

it("a stream that its client does not read is cut off", async () => {
  const { watch, login, end } = await start();
  let cancelled = 0;
  const fetch = (): Response => {
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(MUCH),
      cancel: () => void (cancelled += 1),
    });
    const endable = new EndableStream(source);
    watch.bind(endable, login);
    return new Response(endable.stream, { headers: { "content-type": "text/event-stream" } });
  };
  const server = createAdaptorServer({ fetch }) as Server;
  const { client, text } = await ask(await servedAt(server));
  client.pause();
  await expect.poll(() => client.readableLength).toBeGreaterThan(0);
  await end();
  await expect.poll(() => cancelled).toBe(1);
  // Not before it is cut off: who reads on in time is told the end.
  await expect.poll(() => connectionsOf(server), { timeout: 10_000 }).toBe(0);
  // The server has let go: else there would be no end to it.
  const read = text();
  client.resume();
  expect(await read).not.toContain("event: end");
});

it.each(["application/x-ndjson", "application/octet-stream", "text/plain; charset=utf-8"])(
  "an answer of type %s is cut off: merely ended, it would look whole",
  async (type) => {
    const { watch, login, end } = await start();
    const answer: RequestListener = (_req, res) => {
      res.setHeader("Content-Type", type);
      res.write("{}\n");
      watch.bind(res, login);
    };
    const port = await servedAt(createServer(answer));
    const response = await fetch(`http://127.0.0.1:${port}`);
    await end();
    await expect(response.text()).rejects.toThrow("terminated");
  },
);

it("an answer that has not begun is not begun by its end", async () => {
  const { watch, login, end } = await start();
  let bound = 0;
  const answer: RequestListener = (_req, res) => {
    watch.bind(res, login);
    bound += 1;
  };
  const port = await servedAt(createServer(answer));
  const read = (await ask(port)).text();
  await expect.poll(() => bound).toBe(1);
  await end();
  expect(await read).toBe("");
});

it("a socket of Socket.IO is closed also while a middleware still thinks about it, and does not get in afterwards", async () => {
  const pawl = pawlOf();
  // Nothing is to be cut off here.
  const { watch } = await watchOf(pawl, { endings: new Endings(86_400_000) });
  const login = await pawl.tokens.create({ userId: "alice" });
  const server = createServer();
  const sockets = new SocketIo(server);
  let letIn = (): void => undefined;
  let connected = 0;
  sockets.use((socket, next) => {
    watch.bind(socket, login);
    letIn = next;
  });
  sockets.on("connection", () => (connected += 1));
  const port = await servedAt(server);
  onTestFinished(() => sockets.close());
  const client = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], reconnection: false, forceNew: true });
  onTestFinished(() => void client.disconnect());
  const closed = new Promise((resolve) => client.io.on("close", resolve));
  await expect.poll(() => sockets.engine.clientsCount).toBe(1);
  await expect.poll(() => letIn.name).not.toBe("letIn");
  await pawl.sessions.end(login.handle, "logout");
  await closed;
  letIn();
  await new Promise((resolve) => setImmediate(resolve));
  expect([connected, sockets.engine.clientsCount, client.connected]).toEqual([0, 0, false]);
});
