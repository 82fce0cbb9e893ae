import { afterEach, describe, expect, test } from "vitest";
import { listen, sharedCore } from "../listening-core.js";
import { exchangeRaw, rawRequest, statusesIn } from "./raw-exchange.js";

const CLOSE = "Connection: close\r\n";
const head = (lines: string): string => `POST /handshake HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`;
const MEBIBYTE = 1024 * 1024;

afterEach(async () => {
  const core = await sharedCore();
  expect((await core.send("GET", "/healthz")).status).toBe(200);
});

describe("CVE-2024-27982, CVE-2024-22019: what is no HTTP is refused and cut, never answered 5xx", () => {
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ["a length that is no number", head("Content-Length: abc\r\n")],
    ["a negative length", head("Content-Length: -1\r\n")],
    ["a length in another notation", head("Content-Length: 0x10\r\n")],
    ["a length beyond all bounds", head("Content-Length: 99999999999999999999\r\n")],
    ["two lengths", head("Content-Length: 2\r\nContent-Length: 3\r\n") + "{}"],
    ["length and chunks", head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n"],
    ["a blank before the colon", head("Content-Length : 2\r\n") + "{}"],
    ["a folded header", head("X-A: 1\r\n  Content-Length: 2\r\n") + "{}"],
    ["an unknown transfer coding", head("Transfer-Encoding: chunked, gzip\r\n") + "0\r\n\r\n"],
    ["a chunk size that is none", head("Transfer-Encoding: chunked\r\n") + "zz\r\n{}\r\n0\r\n\r\n"],
    ["a chunk larger than it says", head("Transfer-Encoding: chunked\r\n") + "1\r\n{}\r\n0\r\n\r\n"],
    ["a chunk extension without end", head("Transfer-Encoding: chunked\r\n") + `2;${"a".repeat(100_000)}\r\n{}\r\n`],
    ["trailers without end", head("Transfer-Encoding: chunked\r\n") + `2\r\n{}\r\n0\r\nX: ${"a".repeat(100_000)}\r\n`],
    ["a header of 100 kB", head(`X-A: ${"a".repeat(100_000)}\r\n`)],
    ["CVE-2025-58186: 50,000 cookies", head(`Cookie: ${"a=1; ".repeat(50_000)}\r\n`)],
    ["10,000 headers", head("A: b\r\n".repeat(10_000))],
    ["a target of 100 kB", `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ["NUL in a header", head("X-A: a\0b\r\n")],
    ["NUL in the target", `GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ["a blank in the target", `GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ["no Host", `GET /hello HTTP/1.1\r\n${CLOSE}\r\n`],
    ["a method that is none", `EAT /hello HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ["HTTP/3.0", "GET /hello HTTP/3.0\r\nHost: localhost\r\n\r\n"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["a TLS hello", Buffer.from("16030100a5010000a10303", "hex")],
    ["bytes", Buffer.alloc(4096, 0xff)],
    ["an expectation that is none", head(`Expect: 42\r\n${CLOSE}`)],
    ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ];
  test.each(cases)("%s", async (_, bytes) => {
    const core = await sharedCore();
    const statuses = statusesIn(await exchangeRaw(core, bytes));
    expect(statuses.length).toBeLessThanOrEqual(1);
    for (const status of statuses) expect([400, 408, 413, 417, 431]).toContain(status);
  });
});

describe("what is HTTP and odd is answered like everything else", () => {
  test.each([
    ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n", 404],
    ["the absolute form", "GET http://localhost:3567/hello HTTP/1.1\r\nHost: localhost\r\n", 200],
    ["the absolute form without a path", "GET http://localhost HTTP/1.1\r\nHost: localhost\r\n", 404],
    ["another scheme", "GET ftp://localhost/hello HTTP/1.1\r\nHost: localhost\r\n", 404],
    [
      "an upgrade",
      "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n",
      200,
    ],
    ["HTTP/0.9", "GET /hello\r\n", 200],
    ["HTTP/1.0 without a Host", "GET /hello HTTP/1.0\r\n", 200],
    ["a method of WebDAV", "PROPFIND /session HTTP/1.1\r\nHost: localhost\r\n", 405],
    ["dots", "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n", 404],
    ["a broken escape", "GET /v1/sessions/%zz HTTP/1.1\r\nHost: localhost\r\n", 400],
    ["a query of odd escapes", "GET /session/user?userId=%zz&%&=&? HTTP/1.1\r\nHost: localhost\r\n", 400],
  ])("%s", async (_, lines, status) => {
    const core = await sharedCore();
    const close = /close|hello\r\n$/.test(lines) ? "" : CLOSE;
    expect(statusesIn(await exchangeRaw(core, `${lines}${close}\r\n`))).toEqual([status]);
  });

  test("requests in one packet are answered in their order", async () => {
    const core = await sharedCore();
    const text = await exchangeRaw(
      core,
      rawRequest("POST", "/v1/sessions", { body: '{"userId":"pipelined"}' }) +
        rawRequest("GET", "/hello") +
        rawRequest("GET", "/none") +
        rawRequest("POST", "/session/verify", { body: "{}" }) +
        rawRequest("GET", "/healthz", { headers: ["Connection: close"] }),
    );
    expect(statusesIn(text)).toEqual([201, 200, 404, 400, 200]);
  });

  test("a body in many small chunks, cut within characters", async () => {
    const core = await sharedCore();
    const userId = "é€😀".repeat(50);
    // More of them than are kept apart.
    const chunks = [...Buffer.from(JSON.stringify({ userId, data: { long: "é€😀".repeat(500) } }))].map((byte) =>
      Buffer.from([0x31, 13, 10, byte, 13, 10]),
    );
    const text = await exchangeRaw(
      core,
      Buffer.concat([
        Buffer.from(`POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`),
        Buffer.from(`Transfer-Encoding: chunked\r\n${CLOSE}\r\n`),
        ...chunks,
        Buffer.from("0\r\n\r\n"),
      ]),
    );
    expect(statusesIn(text)).toEqual([201]);
    const users = await core.send("GET", `/v1/sessions/handles?userId=${encodeURIComponent(userId)}`);
    expect(users.json.handles).toHaveLength(1);
    const [handle] = users.json.handles as string[];
    expect((await core.send("GET", `/v1/sessions/${handle}`)).json).toMatchObject({
      data: { long: "é€😀".repeat(500) },
    });
  });

  test("a client that leaves in the middle of its body leaves nothing behind", async () => {
    const core = await listen({}, { limits: { grace: 60_000 } });
    const socket = core.connect();
    socket.write("POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{");
    expect((await core.send("GET", "/healthz")).status).toBe(200);
    socket.destroy();
    await new Promise((resolve) => socket.once("close", resolve));
    // Would wait for the grace period if the request still counted as in flight.
    await core.close();
  });
});

test("HEAD is answered as GET without a body: on every address but those of CDI 1.0, which refused it", async () => {
  const core = await sharedCore();
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

describe("bodies", () => {
  const body = (bytes: number): string => {
    const frame = JSON.stringify({ refreshToken: "" }).length;
    return JSON.stringify({ refreshToken: "x".repeat(bytes - frame) });
  };

  test("of 1 MiB are read, and a token of 1 MB is no token", async () => {
    const core = await sharedCore();
    const headers = { "content-type": "application/json" };
    for (const [path, status] of [
      ["/session/refresh", 200],
      ["/v1/sessions/refresh", 401],
    ] as const)
      expect((await core.send("POST", path, { body: body(MEBIBYTE), headers })).status).toBe(status);
    const dots = JSON.stringify({ accessToken: ".".repeat(1_000_000), doAntiCsrfCheck: true });
    expect((await core.send("POST", "/session/verify", { body: dots })).json.status).toBe("TRY_REFRESH_TOKEN");
    expect((await core.send("POST", "/v1/sessions/verify", { body: dots, headers })).status).toBe(401);
  });

  test("of more are 413, with and without a stated length, and the connection goes on", async () => {
    const core = await sharedCore();
    const large = body(MEBIBYTE + 1);
    for (const [path, type] of [
      ["/session/refresh", "text/html; charset=UTF-8"],
      ["/v1/sessions/refresh", "application/problem+json; charset=utf-8"],
    ] as const) {
      const chunked = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const text = await exchangeRaw(
        core,
        rawRequest("POST", path, { body: large }) +
          `${chunked}${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n` +
          rawRequest("GET", "/healthz", { headers: ["Connection: close"] }),
      );
      expect(statusesIn(text)).toEqual([413, 413, 200]);
      expect(text).toContain(`Content-Type: ${type}`);
    }
  });

  test("of refused requests are not read: 401 comes before the body", async () => {
    const core = await listen({ apiKeys: ["a-key-of-twenty-characters"] });
    const socket = core.connect();
    socket.write("POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n{");
    const [status] = statusesIn(
      await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data)))),
    );
    expect(status).toBe(401);
  });
});

describe("time", () => {
  test("a head or a body that does not come is cut", async () => {
    const core = await listen({}, { limits: { headTimeout: 100, requestTimeout: 200 } });
    const [slowHead, slowBody] = await Promise.all([
      exchangeRaw(core, "GET /hello HTTP/1.1\r\nHost: loc"),
      exchangeRaw(core, "POST /handshake HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"),
    ]);
    expect(statusesIn(slowHead)).toEqual([408]);
    expect(statusesIn(slowBody)).toEqual([408]);
  });
});
