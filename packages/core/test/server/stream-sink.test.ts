import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { createStreamSink } from "../../src/server/stream-sink.js";

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((step) => step()));

/** A real response, and the raw connection of whoever asked for it. */
const openResponse = async (): Promise<{ readonly response: ServerResponse; readonly reader: Socket }> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  undo.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1");
  reader.on("error", () => undefined);
  reader.pause();
  reader.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const response = await new Promise<ServerResponse>((resolve) => server.on("request", (_, given) => resolve(given)));
  response.writeHead(200);
  return { response, reader };
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MEGABYTE = "x".repeat(1024 * 1024);

test("a reader that leaves what was sent unread is cut, and little was kept for it", async () => {
  const { response } = await openResponse();
  const sink = createStreamSink(response, { stop: new AbortController().signal, unreadTimeout: 50 });
  let writes = 0;
  while (!sink.closed.aborted) {
    await sink.write(MEGABYTE);
    writes++;
  }
  expect(response.destroyed).toBe(true);
  // What the kernel took, and one more.
  expect(writes).toBeLessThan(64);
});

test("a reader that reads gets everything, however long", async () => {
  const { response, reader } = await openResponse();
  const sink = createStreamSink(response, { stop: new AbortController().signal, unreadTimeout: 10_000 });
  let received = 0;
  reader.on("data", (chunk: Buffer) => (received += chunk.length)).resume();
  for (let index = 0; index < 32; index++) await sink.write(MEGABYTE);
  const ended = new Promise((resolve) => reader.once("close", resolve));
  response.end(() => reader.end());
  await ended;
  expect(sink.closed.aborted).toBe(true);
  expect(received).toBeGreaterThan(32 * MEGABYTE.length);
});

test("a write that waits is let go when the core stops, or the reader leaves", async () => {
  for (const leave of ["stop", "reader"] as const) {
    const { response, reader } = await openResponse();
    const stop = new AbortController();
    const sink = createStreamSink(response, { stop: stop.signal, unreadTimeout: 60_000 });
    const writing = (async () => {
      while (!sink.closed.aborted) await sink.write(MEGABYTE);
    })();
    if (leave === "stop") stop.abort();
    else reader.destroy();
    await writing;
    await sink.write(MEGABYTE);
    expect(sink.closed.aborted).toBe(true);
  }
});

test("of a core that has stopped a sink is closed from the start", async () => {
  const { response } = await openResponse();
  expect(createStreamSink(response, { stop: AbortSignal.abort(), unreadTimeout: 1 }).closed.aborted).toBe(true);
});

test("a reader that has left leaves nothing behind on the signal that outlives it", async () => {
  const stop = new AbortController();
  const leave = async (): Promise<WeakRef<AbortSignal>> => {
    const { response, reader } = await openResponse();
    const { closed } = createStreamSink(response, { stop: stop.signal, unreadTimeout: 10_000 });
    const left = new Promise((resolve) => closed.addEventListener("abort", resolve));
    reader.destroy();
    await left;
    return new WeakRef(closed);
  };
  const readers: WeakRef<AbortSignal>[] = [];
  for (let index = 0; index < 20; index++) readers.push(await leave());
  undo.splice(0).forEach((step) => step());
  await expect
    .poll(() => {
      collectGarbage();
      return readers.filter((reader) => reader.deref() !== undefined).length;
    })
    .toBeLessThan(5);
  stop.abort();
});
