import { expect, it } from "vitest";
import { EndableStream } from "../../src/sockets/event-stream.js";

const END = { code: 4401, reason: "logout" } as const;
const TOLD = 'event: end\ndata: {"code":4401,"reason":"logout"}\n\n';

/** A stream whose source a test writes to. */
const streamOf = () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const cancelled: unknown[] = [];
  const source = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  const endable = new EndableStream(source);
  let closed = 0;
  endable.onClose(() => (closed += 1));
  const write = (text: string): void => controller!.enqueue(new TextEncoder().encode(text));
  return {
    endable,
    controller: controller!,
    write,
    cancelled,
    read: () => new Response(endable.stream).text(),
    closed: () => closed,
  };
};

it("passes on what its source says, and ends with it", async () => {
  const { endable, controller, write, closed } = streamOf();
  const reader = endable.stream.getReader();
  const first = reader.read();
  write("data: one\n\n");
  expect(new TextDecoder().decode((await first).value)).toBe("data: one\n\n");
  expect(closed()).toBe(0);
  controller.close();
  expect((await reader.read()).done).toBe(true);
  expect(closed()).toBe(1);
  endable.end(END);
  endable.abort();
  expect(closed()).toBe(1);
});

it("asks its source for no more than it is asked for itself", async () => {
  let pulls = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    pulls += 1;
    controller.enqueue(new Uint8Array([pulls]));
  };
  const { stream } = new EndableStream(new ReadableStream({ pull }, { highWaterMark: 0 }));
  const reader = stream.getReader();
  await new Promise((resolve) => setImmediate(resolve));
  expect(pulls).toBe(0);
  for (const byte of [1, 2]) expect((await reader.read()).value).toEqual(new Uint8Array([byte]));
  await new Promise((resolve) => setImmediate(resolve));
  expect(pulls).toBe(2);
});

it.each(["", "data: one\n\n", "data: one\r\n\r\n", "data: one\r\rdata: two\r\r", ": comment\n\n"])(
  "that stands behind %j says why it ends, and lets go of its source",
  async (before) => {
    const { endable, write, read, cancelled, closed } = streamOf();
    const text = read();
    for (const byte of before) write(byte);
    await new Promise((resolve) => setImmediate(resolve));
    endable.end(END);
    expect(await text).toBe(before + TOLD);
    expect(cancelled).toEqual(["logout"]);
    expect(closed()).toBe(1);
  },
);

it.each(["data: on", "data: one\n", "data: one\n\ndata: t", "data: one\r\n"])(
  "that stands within a message, as behind %j, is cut off: the client drops what is not whole",
  async (before) => {
    const { endable, write, read, cancelled } = streamOf();
    const text = read();
    write(before);
    await new Promise((resolve) => setImmediate(resolve));
    endable.end(END);
    await expect(text).rejects.toThrow("the session of this stream has ended");
    expect(cancelled).toEqual(["logout"]);
  },
);

it("fails with its source, and is over when its reader leaves", async () => {
  const failing = streamOf();
  const text = failing.read();
  failing.controller.error(new RangeError("a fault of the source"));
  await expect(text).rejects.toThrow("a fault of the source");
  expect(failing.closed()).toBe(1);
  const left = streamOf();
  await left.endable.stream.cancel("gone");
  expect([left.cancelled, left.closed()]).toEqual([["gone"], 1]);
  left.endable.end(END);
  left.endable.abort();
});

it("whose last message nobody reads is cut off", async () => {
  const { endable } = streamOf();
  endable.end(END);
  endable.abort();
  await expect(endable.stream.getReader().read()).rejects.toThrow("the session of this stream has ended");
});
