import {
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { sessionMiddleware } from "../src/express.js";
import { createPawl } from "../src/index.js";

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const it of close.splice(0).toReversed()) await it();
});

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader;

const listen = (server: Http2Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

/** An application over HTTP/2, and a client that sends one request. */
const begin = async () => {
  const pawl = createPawl({ storage: "memory:", cookies: { secure: false, sameSite: "lax" } });
  const routes = sessionMiddleware({ pawl });
  const server = createServer((req, res) => {
    void routes(req, res, () => {
      void pawl.createNewSession(res, "u1").then(() => res.end());
    });
  });
  const port = await listen(server);
  const client = connect(`http://127.0.0.1:${port}`);
  close.push(
    () => pawl.close(),
    () => new Promise((resolve) => server.close(() => resolve())),
    () => new Promise((resolve) => client.close(() => resolve())),
  );
  return (path: string, headers: Readonly<Record<string, string>>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const stream = client.request({ ":method": "POST", ":path": path, ":authority": "app.example.com", ...headers });
      stream.on("response", resolve).on("error", reject).resume().end();
    });
};

test("HTTP/2: a page of the own origin refreshes, one of another does not, and a cookie of an older domain is cleared", async () => {
  const send = await begin();
  const login = await send("/login", {});
  const cookie = [login["set-cookie"] ?? []].flat().map((line) => line.split(";", 1)[0]);
  const origin = "https://app.example.com";
  const foreign = await send("/session/refresh", { cookie: cookie.join("; "), origin: "https://evil.example" });
  expect([foreign[":status"], foreign["set-cookie"]]).toEqual([403, undefined]);
  const own = await send("/session/refresh", { cookie: [...cookie, "sIdRefreshToken=left"].join("; "), origin });
  expect(own[":status"]).toBe(200);
  expect(own["set-cookie"]?.filter((line) => line.includes("Domain=example.com"))).not.toEqual([]);
});
