import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import { forNode } from "../../src/adapters/node.js";
import { served } from "./served.js";

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

const application = (pawl: KitPawl, { wait }: Hooks): Handler => {
  const { handle, createSession, getSession, requireSession, signOut } = forNode(pawl);
  const json = (res: ServerResponse, body: object): void => {
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(body));
  };
  const routes: Readonly<Record<string, Handler>> = {
    "GET /public": (_req, res) => res.end("public"),
    async "POST /login"(req, res) {
      res.setHeader("set-cookie", "app=1");
      const role = req.url?.includes("role=admin") === true ? "admin" : "user";
      await createSession(req, res, { userId: "alice", payload: { role } });
      json(res, {});
    },
    async "GET /me"(req, res) {
      const { userId, payload } = await requireSession(req, res);
      json(res, { userId, role: payload.role });
    },
    "GET /maybe": async (req, res) => json(res, { userId: (await getSession(req, res))?.userId ?? null }),
    async "DELETE /users/1"(req, res) {
      await requireSession(req, res, { where: ({ payload }) => payload.role === "admin" });
      json(res, {});
    },
    async "POST /save"(req, res) {
      const session = await requireSession(req, res);
      await session.updatePayload({ role: "admin" });
      json(res, {});
    },
    async "GET /slow"(req, res) {
      await requireSession(req, res);
      await wait();
      json(res, {});
    },
    async "GET /throws"(req, res) {
      await requireSession(req, res);
      throw new Error("for the test");
    },
    async "GET /redirect"(req, res) {
      await requireSession(req, res);
      res.writeHead(302, { location: "/public", "set-cookie": "app=2" }).end();
    },
    async "GET /stream"(req, res) {
      await requireSession(req, res);
      res.write("one");
      await wait();
      res.end("two");
    },
    async "POST /leave"(req, res) {
      await signOut(req, res);
      json(res, {});
    },
  };
  return (req, res) => {
    const method = req.method === "HEAD" ? "GET" : req.method;
    const route = routes[`${method} ${req.url?.split("?", 1)[0]}`];
    const otherwise: Handler = (_req, answer) => {
      answer.statusCode = 404;
      answer.end();
    };
    handle(req, res, () => (route ?? otherwise)(req, res)).catch(() => {
      res.statusCode = 500;
      res.end();
    });
  };
};

testAdapter("node:http", async (pawl, hooks) => served(createServer(application(pawl, hooks))));

testAdapter("node:http2", async (pawl, hooks) => {
  const handler = application(pawl, hooks);
  const { origin, close } = await served(createHttp2Server((req, res) => void handler(req as never, res as never)));
  return { origin: origin.replace("http:", "h2c:"), close };
});
