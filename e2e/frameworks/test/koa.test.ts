import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import { forNode } from "@pawl/node/node";
import Koa from "koa";
import { served } from "./served.js";

const application = (pawl: KitPawl, { wait }: Hooks) => {
  const { handle, createSession, getSession, requireSession, signOut } = forNode(pawl);
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    await handle(ctx.req, ctx.res, next);
    if (ctx.res.writableEnded) ctx.respond = false;
  });
  const routes: Readonly<Record<string, (ctx: Koa.Context) => Promise<void>>> = {
    async "GET /public"(ctx) {
      ctx.body = "public";
    },
    async "POST /login"(ctx) {
      ctx.cookies.set("app", "1");
      const role = ctx.query["role"] === "admin" ? "admin" : "user";
      await createSession(ctx.req, ctx.res, { userId: "alice", payload: { role } });
      ctx.body = {};
    },
    async "GET /me"(ctx) {
      const { userId, payload } = await requireSession(ctx.req, ctx.res);
      ctx.body = { userId, role: payload.role };
    },
    async "GET /maybe"(ctx) {
      ctx.body = { userId: (await getSession(ctx.req, ctx.res))?.userId ?? null };
    },
    async "DELETE /users/1"(ctx) {
      await requireSession(ctx.req, ctx.res, { where: ({ payload }) => payload.role === "admin" });
      ctx.body = {};
    },
    async "POST /save"(ctx) {
      const session = await requireSession(ctx.req, ctx.res);
      await session.updatePayload({ role: "admin" });
      ctx.body = {};
    },
    async "GET /vault"(ctx) {
      await requireSession(ctx.req, ctx.res, { maxAge: "10m", actor: false });
      ctx.body = {};
    },
    async "POST /confirm"(ctx) {
      const session = await requireSession(ctx.req, ctx.res);
      await session.stepUp({ methods: ["otp"] });
      ctx.body = {};
    },
    async "POST /act"(ctx) {
      const session = await requireSession(ctx.req, ctx.res);
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
      ctx.body = {};
    },
    async "GET /slow"(ctx) {
      await requireSession(ctx.req, ctx.res);
      await wait();
      ctx.body = {};
    },
    async "GET /throws"(ctx) {
      await requireSession(ctx.req, ctx.res);
      throw new Error("for the test");
    },
    async "GET /redirect"(ctx) {
      await requireSession(ctx.req, ctx.res);
      ctx.cookies.set("app", "2");
      ctx.redirect("/public");
    },
    async "GET /stream"(ctx) {
      const session = await requireSession(ctx.req, ctx.res);
      const body = new PassThrough();
      body.write("one");
      const calls = {
        createSession: () => createSession(ctx.req, ctx.res, { userId: "alice", payload: { role: "user" } }),
        updatePayload: () => session.updatePayload({ role: "admin" }),
        signOut: () => signOut(ctx.req, ctx.res),
      };
      void wait(calls).then(() => body.end("two"));
      ctx.body = body;
    },
    async "POST /leave"(ctx) {
      await signOut(ctx.req, ctx.res);
      ctx.body = {};
    },
  };
  app.use(async (ctx) => {
    const method = ctx.method === "HEAD" ? "GET" : ctx.method;
    await routes[`${method} ${ctx.path}`]?.(ctx);
  });
  return app;
};

testAdapter("Koa 3", async (pawl, hooks) => {
  const answer = application(pawl, hooks).callback();
  return served(createServer((req, res) => void answer(req, res)));
});
