import { once } from "node:events";
import { connect } from "node:net";
import { EngineError } from "@pawl/engine";
import { StorageError } from "@pawl/storage";
import { pino } from "pino";
import { Client } from "undici";
import { afterEach, expect, test, vi } from "vitest";
import { createPathTable } from "../../src/dialects/path-table.js";
import { createAccessControl } from "../../src/server/access-control.js";
import type { CoreReply, Dialect, Operation } from "../../src/server/dialect.js";
import { createHttpServer } from "../../src/server/http-server.js";
import { defaultLimits, type Limits } from "../../src/server/limits.js";
import { textRefusal } from "../../src/dialects/cdi-reply.js";
import { listen } from "../listening-core.js";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** Serves operations that go wrong, under a dialect of text. */
const serve = async (handlers: Readonly<Record<string, Operation["handle"]>>, limits: Partial<Limits> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const table = createPathTable(
    Object.entries(handlers).map(([path, handle]) => ["GET", path, { name: `test ${path}`, open: true, handle }]),
  );
  const dialect: Dialect = { find: table.find, owns: () => false, refuse: textRefusal };
  const server = createHttpServer({
    dialects: [dialect],
    access: createAccessControl({ host: "localhost", apiKeys: [], ipAllow: [] }),
    limits: { ...defaultLimits, ...limits },
    log,
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
    get: async (path: string) => {
      const { statusCode, headers, body } = await client.request({ method: "GET", path });
      return { status: statusCode, headers, text: await body.text() };
    },
  };
};

const ok: CoreReply = { status: 200, contentType: "text/plain", body: "ok" };

test("HEAD is answered as GET without a body: on every address but those of CDI 1.0, which refused it", async () => {
  const core = await listen();
  const { paths } = (await core.send("GET", "/v1/openapi.json")).json as {
    readonly paths: Readonly<Record<string, object>>;
  };
  const asked = [
    "/",
    "/hello",
    "/healthz",
    "/readyz",
    "/.well-known/jwks.json",
    "/recipe/jwt/jwks",
    "/apiversion",
  ].concat(Object.keys(paths).filter((path) => "get" in paths[path]! && !path.includes("{")));
  expect(asked.length).toBeGreaterThan(10);
  for (const path of asked) {
    const head = await core.send("HEAD", path);
    // The feed's GET never ends; the others are answered alike.
    const status = path.endsWith("/revocations") ? 200 : (await core.send("GET", path)).status;
    expect([path, head.status, head.text]).toEqual([path, status, ""]);
  }
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
  expect(lines.map(({ operation, status }) => [operation, status])).toEqual([
    ["test /ok", 200],
    ["none", 404],
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});
