import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type KitPayload, testAdapter, Visitor } from "@pawl/adapter-conformance";
import { startProxy } from "@pawl/test-servers";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { forNode } from "../../src/adapters/node.js";
import { createPawl } from "../../src/index.js";
import { certificate } from "./certificate.js";
import { application } from "./express-application.js";
import { nodeApplication } from "./node-application.js";
import { served } from "./served.js";

type ProxyOptions = Parameters<typeof startProxy>[1];

/** An nginx, and what the application behind it is in the running test. */
const startBehindProxy = async (options?: ProxyOptions) => {
  let application: RequestListener | undefined;
  const server = createServer((req, res) => application?.(req, res));
  const { origin, close } = await served(server);
  const { url, stop } = await startProxy(Number(new URL(origin).port), options);
  return {
    serve(listener: RequestListener) {
      application = listener;
      return { origin: url.replace("https:", "h2:"), close: async () => server.closeAllConnections() };
    },
    async stop() {
      await stop();
      await close();
    },
  };
};

/** One for all tests with the same settings. */
const proxies = new Map<string, ReturnType<typeof startBehindProxy>>();
afterAll(async () => {
  for (const proxy of proxies.values()) await (await proxy).stop();
});

/** Serves an application behind an nginx. */
const servedBehindProxy = async (listener: RequestListener, options?: ProxyOptions) => {
  const settings = JSON.stringify(options ?? {});
  const proxy = proxies.get(settings) ?? startBehindProxy(options);
  proxies.set(settings, proxy);
  return (await proxy).serve(listener);
};

const holdsStreams = "nginx buffers answers unless told otherwise (proxy_buffering)";
const passHost = "proxy_set_header Host $http_host;";

testAdapter(
  "node:http behind nginx",
  (pawl, hooks) => servedBehindProxy(nodeApplication(pawl, hooks), { settings: passHost }),
  { holdsStreams },
);

testAdapter(
  "Express 5 behind nginx that ends TLS",
  (pawl, hooks) =>
    servedBehindProxy(application(pawl, hooks), {
      settings: `${passHost} proxy_set_header X-Forwarded-Proto $scheme;`,
      certificate: certificate(),
    }),
  { holdsStreams },
);

describe("behind nginx as it is without settings, which passes its own address as Host", () => {
  const start = async (options?: ProxyOptions) => {
    const pawl = createPawl<KitPayload>({ storage: "memory:" });
    const { origin, close } = await servedBehindProxy(nodeApplication(pawl, { wait: async () => undefined }), options);
    onTestFinished(async () => {
      await close();
      await pawl.close();
    });
    return { pawl, origin, visitor: new Visitor(origin) };
  };

  test("development over HTTP needs no option", async () => {
    const { origin, visitor } = await start();
    const headers = { origin, "sec-fetch-site": "same-origin" };
    expect((await visitor.ask("/login", { method: "POST", headers })).status).toBe(200);
    expect((await visitor.ask("/me")).status).toBe(200);
    expect((await visitor.ask("/save", { method: "POST", headers })).status).toBe(200);
    expect((await visitor.ask("/signout", { method: "POST", headers })).status).toBe(200);
  });

  test("a page over TLS is told at login, and the developer what nginx has to pass", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    onTestFinished(() => warned.mockRestore());
    const { pawl, visitor } = await start({ certificate: certificate() });
    for (const headers of [{}, { "sec-fetch-site": "same-origin" }]) {
      const how = { method: "POST", headers: { origin: "https://app.example.com", ...headers } };
      const answer = await visitor.ask("/login", how);
      expect([answer.status, answer.json]).toMatchObject([403, { code: "CSRF" }]);
    }
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect(warned.mock.calls.map(([message]) => String(message))).toEqual([
      expect.stringContaining("proxy_set_header Host $http_host"),
    ]);
  });

  test("a page over TLS works in production, and where nginx passes at least that it ends TLS", async () => {
    const works = async (settings: string) => {
      const { visitor } = await start({ certificate: certificate(), settings });
      const headers = { origin: "https://app.example.com", "sec-fetch-site": "same-origin" };
      const login = await visitor.ask("/login", { method: "POST", headers });
      expect([login.status, (await visitor.ask("/me")).status]).toEqual([200, 200]);
    };
    await works("proxy_set_header X-Forwarded-Proto $scheme;");
    vi.stubEnv("NODE_ENV", "production");
    onTestFinished(() => void vi.unstubAllEnvs());
    await works("");
  });
});

test("a login with a large payload is warned of, and passes nginx with the settings that the documentation names", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  const page = readFileSync(new URL("../../../../docs/operate/behind-a-proxy.md", import.meta.url), "utf8");
  const [, documented = ""] = /`(proxy_buffer_size [^`]*)`/.exec(page) ?? [];
  const pawl = createPawl<{ readonly note: string }>({ storage: "memory:" });
  onTestFinished(() => pawl.close());
  const { handle, createSession } = forNode(pawl);
  const login = async (settings: string) => {
    const { origin, close } = await servedBehindProxy(
      (req, res) =>
        void handle(req, res, async () => {
          await createSession(req, res, { userId: "alice", payload: { note: "x".repeat(2600) } });
          res.end();
        }),
      { settings },
    );
    onTestFinished(close);
    return (await new Visitor(origin).ask("/login", { method: "POST" })).status;
  };
  // Without the settings the session would exist, and its user would never hear of it.
  expect(await login("")).toBe(502);
  expect(await login(documented)).toBe(200);
  expect(warned.mock.calls.map(([message]) => String(message))).toEqual([expect.stringContaining("proxy_buffer_size")]);
});
