import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { OpenBackend } from "@pawl/adapter-conformance";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { served } from "../adapters/served.js";
import { benchOf } from "../backends.js";
import { openEmbedded } from "@pawl/adapter-conformance";
import type { Conditions, PawlOptions, JsonObject } from "../../src/index.js";
import { forSockets } from "../../src/sockets/index.js";
import type { Headers } from "./clients.js";

const HOUR = 3_600_000;

interface Setup {
  readonly options?: Partial<PawlOptions>;
  readonly conditions?: Conditions<JsonObject, JsonObject>;
  readonly rules?: Parameters<OpenBackend>[0];
}

const start = async ({ options = {}, conditions, rules = {} }: Setup = {}) => {
  const { pawl, clock, backend } = await benchOf(openEmbedded, options, rules);
  const { authenticateUpgrade, refuseUpgrade } = forSockets(pawl);
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  let fault: unknown;
  const upgraded = async (req: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> => {
    try {
      const { userId } = await authenticateUpgrade(req, conditions);
      if (fault !== undefined) throw fault;
      sockets.handleUpgrade(req, connection, head, (socket) => socket.close(1000, userId));
    } catch (error) {
      refuseUpgrade(connection, error);
    }
  };
  server.on("upgrade", (...given) => void upgraded(...given));
  const { origin, close } = await served(server);
  onTestFinished(close);
  const { port, host } = new URL(origin);

  /** Who was let in; else status, headers and body of the refusal. */
  const upgrade = (headers: Headers) =>
    new Promise<unknown>((resolve, reject) => {
      const socket = new WebSocket(`ws://${host}/`, { headers });
      socket.on("close", (_code, reason) => resolve(reason.toString()));
      socket.on("error", reject);
      socket.on("unexpected-response", (_request, response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () =>
          resolve({
            status: response.statusCode,
            body: text === "" ? undefined : (JSON.parse(text) as unknown),
            "cache-control": response.headers["cache-control"],
            "retry-after": response.headers["retry-after"],
          }),
        );
      });
    });
  const login = async (userId = "alice") => {
    const { accessToken, ...tokens } = await pawl.tokens.create({ userId });
    // The one of development, and the other, which counts whenever it is not certain that this is development.
    const cookie = `pawl-access=${accessToken}; __Host-pawl-access=${accessToken}`;
    return { ...tokens, accessToken, cookie };
  };
  const failWith = (error: unknown) => void (fault = error);
  return { pawl, clock, backend, server, port: Number(port), host, upgrade, login, failWith };
};

const refusal = (status: number, code: string, message: string) => ({
  status,
  body: { code, message },
  "cache-control": "no-store",
  "retry-after": status === 503 ? "1" : undefined,
});
const unauthorised = refusal(401, "UNAUTHORISED", "unauthorised");
const foreign = refusal(403, "CSRF", "this request came from another site");

it("lets in who has a session, from an own page, from a page of origins, or without a browser", async () => {
  const { upgrade, login, host } = await start({ options: { origins: ["https://app.example.com"] } });
  const { cookie } = await login();
  for (const origin of [`http://${host}`, "https://app.example.com"])
    expect(await upgrade({ cookie, origin })).toBe("alice");
  expect(await upgrade({ cookie, origin: `http://${host}`, "sec-fetch-site": "same-origin" })).toBe("alice");
  expect(await upgrade({ cookie })).toBe("alice");
  expect(await upgrade({})).toEqual(unauthorised);
  expect(await upgrade({ cookie: "pawl-access=nonsense" })).toEqual(unauthorised);
});

it("refuses pages of other origins, though cookies come along, and proxies that hide the host", async () => {
  const { upgrade, login, host, port } = await start({ options: { origins: ["https://app.example.com"] } });
  const { cookie } = await login();
  const others = [
    "https://evil.example.com",
    "https://app.example.com.evil.example.com",
    "https://app.example.com:8443",
    "http://app.example.com",
    `https://${host}`,
    `http://127.0.0.1:${port + 1}`,
    "http://localhost",
    "null",
    "",
  ];
  for (const origin of others) expect([origin, await upgrade({ cookie, origin })]).toEqual([origin, foreign]);
  for (const site of ["cross-site", "same-site"])
    expect(await upgrade({ cookie, origin: `http://${host}`, "sec-fetch-site": site })).toEqual(foreign);
});

it("takes a bearer token in header mode, wherever it comes from, and no other one", async () => {
  const { upgrade, login } = await start({ options: { headerMode: true } });
  const { accessToken, cookie } = await login();
  const origin = "https://elsewhere.example.com";
  expect(await upgrade({ origin, authorization: `Bearer ${accessToken}` })).toBe("alice");
  expect(await upgrade({ origin, cookie, authorization: "Bearer nonsense" })).toEqual(foreign);
});

it("refreshes nothing: the page is told to", async () => {
  const { clock, upgrade, login } = await start();
  const { cookie, refreshToken } = await login();
  clock.advance(HOUR);
  const both = { cookie: `${cookie}; pawl-refresh=${refreshToken}` };
  expect(await upgrade(both)).toEqual(refusal(401, "TRY_REFRESH", "try refresh token"));
  const refreshOnly = await upgrade({ cookie: `pawl-refresh=${refreshToken}` });
  expect(refreshOnly).toMatchObject({ body: { code: "TRY_REFRESH" } });
});

it("holds conditions", async () => {
  const conditions = { where: ({ userId }: { userId: string }) => userId === "root" };
  const { upgrade, login } = await start({ conditions });
  expect(await upgrade({ cookie: (await login("root")).cookie })).toBe("root");
  expect(await upgrade({ cookie: (await login()).cookie })).toEqual(refusal(403, "FORBIDDEN", "forbidden"));
  const { authenticateUpgrade } = forSockets((await benchOf(openEmbedded)).pawl);
  expect(() => authenticateUpgrade({ headers: {} }, { maxage: "5m" } as never)).toThrow(TypeError);
});

it("says that nothing is known where that is so, and 500 to what else fails", async () => {
  const { upgrade, login, backend, failWith } = await start({ rules: { checkDatabase: true } });
  const { cookie } = await login();
  expect(await upgrade({ cookie })).toBe("alice");
  const warned = once(process, "warning");
  failWith(new RangeError("a fault of the application's"));
  expect(await upgrade({ cookie })).toMatchObject({ status: 500, body: undefined });
  expect(await warned).toMatchObject([{ message: "a fault of the application's" }]);
  backend.isDown = true;
  expect(await upgrade({ cookie })).toEqual(refusal(503, "UNKNOWN", "try again"));
});

it("survives a client that breaks the connection while it is asked who it is", async () => {
  const { login, upgrade, backend, server, port } = await start({ rules: { checkDatabase: true } });
  const { cookie } = await login();
  let go = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    backend.delay = () => {
      resolve();
      return new Promise((answer) => (go = answer));
    };
  });
  const connected = once(server, "connection") as Promise<[Duplex]>;
  const client = connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  const lines = ["GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade", `Cookie: ${cookie}`];
  client.write([...lines, "", ""].join("\r\n"));
  await asked;
  const [connection] = await connected;
  client.resetAndDestroy();
  await expect.poll(() => connection.destroyed).toBe(true);
  backend.delay = undefined;
  go();
  expect(await upgrade({ cookie })).toBe("alice");
});

it("closes the connection of an upgrade that it refuses", async () => {
  const { port } = await start();
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  let text = "";
  client.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(client, "end");
  expect(text).toMatch(
    /^HTTP\/1\.1 401 Unauthorized\r\n[^]*\r\n\r\n\{"message":"unauthorised","code":"UNAUTHORISED"\}$/,
  );
});

it("takes requests of fetch runtimes", async () => {
  const { pawl, login } = await start();
  const { authenticateUpgrade } = forSockets(pawl);
  const { cookie } = await login();
  const request = (origin: string) => new Request("http://localhost:3000/socket", { headers: { cookie, origin } });
  expect((await authenticateUpgrade(request("http://localhost:3000"))).userId).toBe("alice");
  await expect(authenticateUpgrade(request("http://localhost:3001"))).rejects.toMatchObject({ code: "CSRF" });
});
