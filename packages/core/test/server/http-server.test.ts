import { once } from "node:events";
import { connect } from "node:net";
import { EngineError } from "@pawl/engine";
import { StorageError } from "@pawl/storage";
import { createTelemetry } from "@pawl/engine/telemetry";
import { pino } from "pino";
import { Client } from "undici";
import { afterEach, expect, test, vi } from "vitest";
import { createPathTable } from "../../src/dialects/path-table.js";
import { createAccessControl } from "../../src/server/access-control.js";
import type { CoreReply, Dialect, Operation, StreamSink } from "../../src/server/dialect.js";
import { createHttpServer } from "../../src/server/http-server.js";
import { defaultLimits, type Limits } from "../../src/server/limits.js";
import { withoutHead } from "../../src/server/request-target.js";
import { textRefusal } from "../../src/dialects/cdi-reply.js";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** Serves operations that go wrong, under a dialect of text. */
const serve = async (handlers: Readonly<Record<string, Operation["handle"]>>, limits: Partial<Limits> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const table = createPathTable(
    Object.entries(handlers).map(([path, handle]) => ["GET", path, { name: `test ${path}`, access: "open", handle }]),
  );
  const dialect: Dialect = {
    find: (method, path) => table.find(withoutHead(method), path),
    owns: () => false,
    refuse: textRefusal,
  };
  const server = createHttpServer({
    dialects: [dialect],
    access: createAccessControl({ host: "localhost", apiKeys: [], verifierApiKeys: [], ipAllow: [] }),
    limits: { ...defaultLimits, ...limits },
    log,
    telemetry: createTelemetry(),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const client = new Client(`http://127.0.0.1:${port}`);
  undo.push(
    () => server.close(),
    () => client.destroy(),
  );
  return {
    lines,
    port,
    close: () => server.close(),
    get: async (path: string, sent: Omit<Partial<Parameters<typeof client.request>[0]>, "path"> = {}) => {
      const { statusCode, headers, body } = await client.request({ method: "GET", path, ...sent });
      return { status: statusCode, headers, text: await body.text() };
    },
  };
};

const ok: CoreReply = { status: 200, contentType: "text/plain", body: "ok" };

test("an answer has the headers of its kind, its length in bytes, and is not stored unless it says so", async () => {
  let streams = 0;
  const run = ({ write }: StreamSink) => (streams++, write("é"));
  const { get } = await serve({
    "/text": () => ({ ...ok, body: "é", headers: ["X-Own", "1"] }),
    "/cached": () => ({ ...ok, cacheControl: "max-age=1" }),
    "/empty": () => ({ status: 204, body: "" }),
    "/stream": () => ({ status: 200, contentType: "text/plain", run }),
  });
  const plain = { "content-type": "text/plain", "cache-control": "no-store" };
  const answers: Record<string, object> = {
    "/text": { ...plain, "content-length": "2", "x-own": "1" },
    "/cached": { ...plain, "content-length": "2", "cache-control": "max-age=1" },
    "/empty": { "cache-control": "no-store" },
    "/stream": plain,
  };
  for (const [path, headers] of Object.entries(answers))
    for (const method of [undefined, "HEAD"] as const) {
      const answer = await get(path, method && { method });
      const { date: _, connection, "keep-alive": __, "transfer-encoding": ___, ...own } = answer.headers;
      if (method === undefined) expect(connection).toBe("keep-alive");
      expect([path, own]).toEqual([path, headers]);
      if (method === "HEAD") expect(answer.text).toBe("");
    }
  expect([streams, (await get("/stream")).text]).toEqual([1, "é"]);
});

test("what is larger than its limit, or no UTF-8, is refused", async () => {
  const { get } = await serve({ "/ok": ({ body }) => ({ ...ok, body }) }, { body: 4, head: 1000 });
  const statusOf = async (path: string, sent: Parameters<typeof get>[1]) => (await get(path, sent)).status;
  expect(await get("/ok?%C3%A9", { body: "1234" })).toMatchObject({ status: 200, text: "1234" });
  expect(await statusOf("/ok?%ff", {})).toBe(400);
  expect(await statusOf("/ok", { body: "12345" })).toBe(413);
  expect(await statusOf("/ok", { body: Buffer.from([0xff]) })).toBe(400);
  expect(await statusOf("/ok", { headers: { long: "x".repeat(2000) } })).toBe(431);
});

test("a stop waits for what is being answered, and says what it cuts after the grace period", async () => {
  for (const isAnswered of [true, false]) {
    let answerNow: (() => void) | undefined;
    const handlers = { "/slow": () => new Promise<CoreReply>((resolve) => (answerNow = () => resolve(ok))) };
    const { get, close, lines } = await serve(handlers, { grace: isAnswered ? 60_000 : 20 });
    const answer = get("/slow");
    const told = isAnswered
      ? expect(answer).resolves.toMatchObject({ status: 200, headers: { connection: "close" } })
      : expect(answer).rejects.toThrow();
    await vi.waitUntil(() => answerNow !== undefined, 20_000);
    const closing = close();
    if (isAnswered) answerNow!();
    await Promise.all([told, closing]);
    const cut = lines.filter(({ level }) => level === 40);
    expect(cut).toEqual(isAnswered ? [] : [expect.objectContaining({ requests: 1 })]);
  }
});

test("what is refused is told why, with the methods there are, and who was refused is in the log", async () => {
  const { get, lines } = await serve({ "/ok": () => ok });
  const put = await get("/ok", { method: "PUT" });
  expect([put.status, put.headers.allow, put.headers["retry-after"]]).toEqual([405, "GET", undefined]);
  expect((await get("/none")).headers.allow).toBeUndefined();
  expect((await get("/ok", { headers: { origin: "https://evil.example" } })).status).toBe(403);
  const refused = { level: 30, operation: "test /ok", problem: "browser_refused", address: "127.0.0.1" };
  expect(lines.filter(({ msg }) => msg === "refused")).toEqual([expect.objectContaining(refused)]);
});

test("a stream that fails ends, and the log says why", async () => {
  const { get, lines } = await serve({
    "/stream": () => ({
      status: 200,
      contentType: "text/plain",
      async run({ write }) {
        await write("one");
        throw new Error("the inside of the core");
      },
    }),
  });
  expect(await get("/stream")).toMatchObject({ status: 200, text: "one" });
  expect(lines).toContainEqual(expect.objectContaining({ level: 50, operation: "test /stream" }));
});

test("a stop ends every stream, read or not, and warns of nothing however many there are", async () => {
  const warned = vi.fn();
  process.on("warning", warned);
  undo.push(async () => process.off("warning", warned));
  let open = 0;
  const { port, close } = await serve(
    {
      "/stream": () => ({
        status: 200,
        contentType: "text/plain",
        async run({ closed, write }) {
          open++;
          while (!closed.aborted) await write("x".repeat(1024 * 1024));
        },
      }),
    },
    { grace: 60_000, unreadTimeout: 60_000 },
  );
  for (let reader = 0; reader < 12; reader++) {
    const socket = connect(port, "127.0.0.1").pause();
    undo.push(async () => socket.destroy());
    socket.write("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  await vi.waitUntil(() => open === 12, 20_000);
  await close();
  expect(warned).not.toHaveBeenCalled();
});

test("an address that is taken rejects", async () => {
  const { port } = await serve({});
  const server = createHttpServer({
    dialects: [{ find: () => undefined, owns: () => false, refuse: textRefusal }],
    access: () => undefined,
    limits: defaultLimits,
    log: pino({ level: "silent" }),
    telemetry: createTelemetry(),
  });
  await expect(server.listen({ host: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await server.close();
});

test("an unexpected exception is 500 without detail, told in the log under an id, and the server goes on", async () => {
  const { get, lines } = await serve({
    "/throws": () => {
      throw new TypeError("the inside of the core");
    },
    "/rejects": () => Promise.reject(new Error("the inside of the core")),
    "/odd": () => Promise.reject("not even an error"),
    "/ok": () => ok,
  });
  for (const path of ["/throws", "/rejects", "/odd"]) {
    expect(await get(path)).toMatchObject({ status: 500, text: "Internal Error\n" });
    const line = lines.find(({ level, operation }) => level === 50 && operation === `test ${path}`);
    expect(line).toMatchObject({ errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
  }
  expect(await get("/ok")).toMatchObject({ status: 200, text: "ok" });
});

test.each([
  [new StorageError("unavailable", "locked"), 503],
  [new EngineError("invalid_input", "the payload is no object"), 400],
])("%s is %i", async (error, status) => {
  const { get } = await serve({ "/fails": () => Promise.reject(error) });
  const answer = await get("/fails");
  expect([answer.status, answer.headers["retry-after"]]).toEqual([status, status === 503 ? "1" : undefined]);
  expect(answer.text.includes(error.message)).toBe(status === 400);
});

test("a request that is not answered in time is 503, and its late answer goes nowhere", async () => {
  let answerLate: (() => void) | undefined;
  const { get, lines } = await serve(
    {
      "/late": () => new Promise((resolve) => (answerLate = () => resolve(ok))),
      "/ok": () => ok,
    },
    { answerTimeout: 30 },
  );
  expect(await get("/late")).toMatchObject({ status: 503 });
  expect(lines).toContainEqual(expect.objectContaining({ level: 40, operation: "test /late" }));
  answerLate!();
  expect(await get("/ok")).toMatchObject({ status: 200, text: "ok" });
});

test("pipelined requests whose client has gone are forgotten: they neither pile up nor hold up a stop", async () => {
  let answerFirst: (() => void) | undefined;
  const { port, close } = await serve(
    {
      "/slow": () => new Promise((resolve) => (answerFirst = () => resolve(ok))),
      "/ok": () => ok,
    },
    { grace: 60_000, answerTimeout: 60_000 },
  );
  const socket = connect(port, "127.0.0.1");
  socket.write(["/slow", "/ok", "/ok"].map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(""));
  await vi.waitUntil(() => answerFirst !== undefined);
  socket.destroy();
  await once(socket, "close");
  await close();
});

test("every request has one line at debug: what was asked, the status, the time; nothing that was sent", async () => {
  const { get, lines } = await serve({ "/ok": () => ok });
  await get("/ok?secret=1");
  await get("/secret");
  for (const { ms } of lines) expect([ms, (ms as number) >= 0 && (ms as number) < 30_000]).toEqual([ms, true]);
  expect(lines.map(({ operation, status }) => [operation, status])).toEqual([
    ["test /ok", 200],
    ["none", 404],
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});
