import { once } from "node:events";
import { createServer } from "node:http";
import { createPawl } from "@pawl/node";
import { forFastify } from "@pawl/node/fastify";
import { forFetch } from "@pawl/node/fetch";
import { forHono } from "@pawl/node/hono";
import { forNode } from "@pawl/node/node";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, expect, test, vi } from "vitest";
import { type Application, type Given, simulate, type SimulationOptions } from "../src/index.js";
import { shop } from "./shop.js";

vi.setConfig({ testTimeout: 120_000 });

type Form = { readonly user: string };

const inFastify = async (given: Given) => {
  const { routes, errors, createSession, requireSession, sessionOf } = forFastify(createPawl({ ...given }));
  const app = fastify();
  await app.register(routes());
  app.setErrorHandler(errors());
  app.post<{ Body: Form }>("/login", async (request, reply) => {
    await createSession(request, reply, { userId: request.body.user });
    return {};
  });
  app.get("/me", { preHandler: requireSession() }, (request) => ({ userId: sessionOf(request).userId }));
  return app;
};

const inHono = (given: Given) => {
  const { routes, errors, createSession, requireSession } = forHono(createPawl({ ...given }));
  const app = new Hono();
  app.use(routes());
  app.onError(errors());
  app.post("/login", async (c) => {
    await createSession(c, { userId: (await c.req.json<Form>()).user });
    return c.json({});
  });
  app.get("/me", requireSession(), (c) => c.json({ userId: c.get("session").userId }));
  return app;
};

const inFetch = (given: Given) => {
  const { handle, createSession, requireSession } = forFetch(createPawl({ ...given }));
  const login = async (request: Request): Promise<Response> => {
    await createSession(request, { userId: ((await request.json()) as Form).user });
    return Response.json({});
  };
  const me = async (request: Request): Promise<Response> =>
    Response.json({ userId: (await requireSession(request)).userId });
  return { handle, login, me };
};

const asHandler = (given: Given) => {
  const { handle, login, me } = inFetch(given);
  return (request: Request): Promise<Response> =>
    handle(request, () => (new URL(request.url).pathname === "/login" ? login(request) : me(request)));
};

const asRoutes = (given: Given) => {
  const { handle, login, me } = inFetch(given);
  const nothing = (): Response => new Response(undefined, { status: 404 });
  return {
    "/login": { POST: (request: Request) => handle(request, () => login(request)) },
    "/me": { GET: (request: Request) => handle(request, () => me(request)) },
    "/signout": { POST: (request: Request) => handle(request, nothing) },
  };
};

const inNode = (given: Given) => {
  const { handle, createSession, requireSession } = forNode(createPawl({ ...given }));
  return createServer((req, res) => {
    void handle(req, res, async (): Promise<void> => {
      if (req.url === "/login") await createSession(req, res, { userId: "alice" });
      res.end(req.url === "/login" ? "{}" : JSON.stringify({ userId: (await requireSession(req, res)).userId }));
    });
  });
};

const applications: readonly (readonly [string, (given: Given) => Application | Promise<Application>])[] = [
  ["Fastify", inFastify],
  ["Hono", inHono],
  ["a handler of Request → Response", asHandler],
  ["route handlers by path", asRoutes],
  ["a server of node:http", inNode],
];

test.each(applications)("%s, without a mistake", async (_, application) => {
  const report = await simulate(application, { seed: 3, days: 6, thief: "after-lunch" });
  expect(report.failures).toEqual([]);
  expect(report.visits).toBeGreaterThan(25);
  expect(report.thief?.caughtAfter).toBeGreaterThan(0);
});

const open: { close(): unknown }[] = [];
afterEach(() => open.splice(0).forEach((server) => server.close()));

test("a server by its URL, on plain HTTP and with a time of its own", async () => {
  const server = inNode({ storage: "memory:" } as never).listen(0);
  open.push(server);
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const report = await simulate(`http://localhost:${port}`, { seed: 3, days: 3 });
  expect(report.failures).toEqual([]);
  expect(report.visits).toBeGreaterThan(10);
});

/** Which of the session's cookies an answer loses, by its place. */
test.each([
  [0, /without the access cookie/],
  [1, /without the refresh cookie/],
])("a server by its URL whose answers lose cookie %i of two is found out", async (place, message) => {
  const server = inNode({ storage: "memory:" } as never);
  server.prependListener("request", (_, res) => {
    const write = res.setHeader.bind(res);
    res.setHeader = (name, value) =>
      write(name, name.toLowerCase() === "set-cookie" && Array.isArray(value) ? [value[1 - place] ?? ""] : value);
  });
  open.push(server.listen(0));
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const { failures } = await simulate(`http://localhost:${port}`, { seed: 3, days: 3 });
  expect(failures.find(({ kind }) => kind === "lost-cookie")?.message).toMatch(message);
});

const refused: readonly (readonly [string, Parameters<typeof simulate>[0], SimulationOptions, RegExp])[] = [
  ["of another storage", shop({ options: { storage: "memory:" } }), {}, /call createPawl\(\{ \.\.\.given \}\)/],
  ["of what cannot be driven", () => ({}), {}, /nothing that can be driven/],
  ["without time for a thief", "http://localhost:1", { thief: "polling" }, /a thief needs time/],
  ["of more answers than there are", shop(), { lostAnswers: 2 }, /lostAnswers must be 0 to 1, not 2/],
];

test.each(refused)("a simulation %s is refused", async (_, application, options, message) => {
  await expect(simulate(application, options)).rejects.toThrow(message);
});
