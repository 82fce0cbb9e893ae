import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import { type KitPayload, testAdapter, TestClock, Visitor } from "@pawl/adapter-conformance";
import { describe, expect, onTestFinished, test } from "vitest";
import { createPawl } from "../../src/index.js";
import { certificate } from "./certificate.js";
import { nodeApplication } from "./node-application.js";
import { served } from "./served.js";

/** The same application: the requests and answers of HTTP/2 have all that it needs. */
const http2Application = (...given: Parameters<typeof nodeApplication>) => {
  const application = nodeApplication(...given);
  return (req: object, res: object): void => void application(req as IncomingMessage, res as ServerResponse);
};

testAdapter("node:http", async (pawl, hooks) => served(createServer(nodeApplication(pawl, hooks))));

testAdapter("node:http2", async (pawl, hooks) => {
  const { origin, close } = await served(createHttp2Server(http2Application(pawl, hooks)));
  return { origin: origin.replace("http:", "h2c:"), close };
});

testAdapter("node:http2 with TLS", async (pawl, hooks) => {
  const tls = { key: readFileSync(certificate().key), cert: readFileSync(certificate().cert) };
  const { origin, close } = await served(createSecureServer(tls, http2Application(pawl, hooks)));
  return { origin: origin.replace("http:", "h2:"), close };
});

describe("50,000 cookies in one header", () => {
  const cookie = Array.from({ length: 50_000 }, (_, at) => `c${at}=${at}`).join("; ");
  const start = async (options: { maxHeaderSize?: number }) => {
    const clock = new TestClock();
    const pawl = createPawl<KitPayload>({ storage: "memory:", clock });
    const listener = nodeApplication(pawl, { wait: async () => undefined });
    const { origin, close } = await served(
      createServer(options, (req: IncomingMessage, res: ServerResponse) => listener(req, res)),
    );
    onTestFinished(async () => {
      await close();
      await pawl.close();
    });
    const visitor = new Visitor(origin);
    await visitor.ask("/login", { method: "POST" });
    return { clock, visitor };
  };

  test("hide no session where the server takes them", async () => {
    const { clock, visitor } = await start({ maxHeaderSize: 2 ** 20 });
    for (const _ of [1, 2]) {
      expect((await visitor.ask("/me", { cookie })).json).toEqual({ userId: "alice", role: "user" });
      clock.advance(7_200_000);
    }
  });

  test("are refused by the server with 431 otherwise, and nobody is logged out", async () => {
    const { visitor } = await start({});
    // As many as it reads at once: it closes the connection over more.
    expect((await visitor.ask("/me", { cookie: cookie.slice(0, 20_000) })).status).toBe(431);
    expect((await visitor.ask("/me")).status).toBe(200);
  });
});
