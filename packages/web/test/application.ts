import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPawl, type EmbeddedOptions, type Pawl } from "@pawl/supertokens";
import { sessionErrorHandler, sessionMiddleware } from "@pawl/supertokens/express";
import { type TestClock, testClock } from "@pawl/supertokens/testing";
import express, { type RequestHandler } from "express";

/** A request as the application answered it. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly status: number;
}

/** An application that uses `@pawl/supertokens`, on a clock of its own, with pages that use `@pawl/web`. */
export interface Application {
  readonly pawl: Pawl;
  readonly clock: TestClock;
  readonly port: number;
  readonly requests: LoggedRequest[];
  /** The application under a name, such as `app.site.localhost`. */
  origin(host?: string): string;
  /** Answers a path in place of the application, until it gives up by calling `next`. */
  intercept(path: string, handler: RequestHandler | undefined): void;
  /** How many requests of this method and path were answered with this status. */
  count(method: string, path: string, status?: number): number;
  /** Stops listening, as a crash does; sessions live on. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const axios = join(dirname(createRequire(import.meta.url).resolve("axios/package.json")), "dist/esm");
export const sdk = fileURLToPath(new URL("../dist/", import.meta.url));

export const pageOf = (options: string): string => `<!doctype html>
<title>page</title>
<script type="module">
  import { init } from "/sdk/index.js";
  import { headerTokens } from "/sdk/header.js";
  const json = ${JSON.stringify(options)};
  const { header, ...options } = JSON.parse(json || "{}");
  if (header) options.tokens = headerTokens(header);
  window.session = init(options);
  window.events = [];
  window.times = [];
  session.onEvent((event) => { events.push(event); times.push(Date.now()); });
  window.call = async (path, init) => (await fetch(new URL(path, options.apiDomain ?? location.origin), init)).status;
  window.loaded = true;
</script>`;

const worker = `
import { init } from "/sdk/index.js";
const session = init({ wrapFetch: false });
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", ({ data, ports: [port] }) => {
  session.fetch(data).then((response) => port.postMessage(response.status), (error) => port.postMessage(String(error)));
});
addEventListener("fetch", (event) => {
  if (new URL(event.request.url).searchParams.has("through-worker")) event.respondWith(session.fetch(event.request));
});`;

export interface ApplicationOptions extends Partial<EmbeddedOptions> {
  /** The host of pages on another origin that may call. */
  readonly allowHost?: string;
}

export const startApplication = async ({ allowHost, ...options }: ApplicationOptions = {}): Promise<Application> => {
  const clock = testClock();
  const app = express();
  let server = createServer(app);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const pawl = createPawl({
    storage: "memory:",
    origins: allowHost === undefined ? [] : [`http://${allowHost}:${port}`],
    ...options,
    clock,
    cookies: { secure: false, sameSite: "lax", ...options.cookies },
  });
  await pawl.ready();
  const requests: LoggedRequest[] = [];
  const interceptors = new Map<string, RequestHandler>();

  app.use((req, res, next) => {
    res.on("finish", () =>
      requests.push({ method: req.method, path: req.path, host: req.hostname, status: res.statusCode }),
    );
    next();
  });
  app.use((req, res, next) => {
    const handler = interceptors.get(req.path);
    if (handler === undefined) next();
    else void handler(req, res, next);
  });
  app.use("/sdk", express.static(sdk));
  app.use("/axios", express.static(axios));
  app.get("/page", (req, res) => void res.type("html").send(pageOf(String(req.query["options"] ?? ""))));
  app.get("/worker.js", (_req, res) => void res.type("js").send(worker));
  app.get("/blank", (_req, res) => void res.type("html").send("<!doctype html><title>blank</title>"));
  app.get("/frame", (req, res) => {
    const source = String(req.query["src"]).replaceAll('"', "&quot;");
    res.type("html").send(`<!doctype html><title>frame</title><iframe src="${source}"></iframe>`);
  });
  app.use(sessionMiddleware({ pawl }));
  app.use(express.json({ strict: false }), express.text());
  // As applications do that read JSON whatever the type says.
  app.use("/login", (req, _res, next) => {
    if (typeof req.body === "string") req.body = JSON.parse(req.body) as unknown;
    next();
  });
  app.post("/report", (_req, res) => void res.json({}));
  app.post("/login", async (req, res) => {
    const { userId = "u1", payload = { role: "reader" } } = (req.body ?? {}) as { userId?: string; payload?: object };
    await pawl.createNewSession(res, userId, payload as never);
    res.json({});
  });
  app.all("/me", async (req, res) => {
    const session = await pawl.getSession(req, res, req.method !== "GET");
    res.json({ userId: session.getUserId(), body: req.body as unknown });
  });
  app.get("/public", (_req, res) => void res.json({}));
  app.all("/always-401", (_req, res) => void res.status(401).json({}));
  app.use(sessionErrorHandler());

  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  return {
    pawl,
    clock,
    port,
    requests,
    origin: (host = "localhost") => `http://${host}:${port}`,
    intercept(path, handler) {
      if (handler === undefined) interceptors.delete(path);
      else interceptors.set(path, handler);
    },
    count: (method, path, status) =>
      requests.filter((it) => it.method === method && it.path === path && (status ?? it.status) === it.status).length,
    down,
    async up() {
      server = createServer(app);
      await listen(port);
    },
    async close() {
      if (server.listening) await down();
      await pawl.close();
    },
  };
};
