import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hooks, KitPawl } from "@pawl/adapter-conformance";
import { forNode } from "../../src/adapters/node.js";

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

/** The kit's application on `node:http` and HTTP/2. */
export const nodeApplication = (pawl: KitPawl, { wait }: Hooks): Handler => {
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
    async "GET /vault"(req, res) {
      await requireSession(req, res, { maxAge: "10m", actor: false });
      json(res, {});
    },
    async "POST /confirm"(req, res) {
      const session = await requireSession(req, res);
      await session.stepUp({ methods: ["otp"] });
      json(res, {});
    },
    async "POST /act"(req, res) {
      const session = await requireSession(req, res);
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
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
      const session = await requireSession(req, res);
      res.write("one");
      await wait({
        createSession: () => createSession(req, res, { userId: "alice", payload: { role: "user" } }),
        updatePayload: () => session.updatePayload({ role: "admin" }),
        signOut: () => signOut(req, res),
      });
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
