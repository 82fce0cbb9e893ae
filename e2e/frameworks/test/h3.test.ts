import { createServer } from "node:http";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import { errorAnswer, SessionError } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { getQuery, H3, redirect, setCookie } from "h3";
import { toNodeHandler } from "srvx/node";
import { served } from "./served.js";

const application = (pawl: KitPawl, { wait }: Hooks) => {
  const { handle, createSession, getSession, requireSession, signOut } = forFetch(pawl);
  const app = new H3({
    silent: true,
    onError({ cause }) {
      if (!(cause instanceof SessionError)) return undefined;
      const { status, headers, body } = errorAnswer(cause);
      return Response.json(body, { status, headers });
    },
  });
  app.get("/public", () => "public");
  app.post("/login", async (event) => {
    setCookie(event, "app", "1");
    const role = getQuery(event)["role"] === "admin" ? "admin" : "user";
    await createSession(event.req, { userId: "alice", payload: { role } });
    return {};
  });
  app.get("/me", async ({ req }) => {
    const { userId, payload } = await requireSession(req);
    return { userId, role: payload.role };
  });
  app.get("/maybe", async ({ req }) => ({ userId: (await getSession(req))?.userId ?? null }));
  app.delete("/users/:id", async ({ req }) => {
    await requireSession(req, { where: ({ payload }) => payload.role === "admin" });
    return {};
  });
  app.post("/save", async ({ req }) => {
    const session = await requireSession(req);
    await session.updatePayload({ role: "admin" });
    return {};
  });
  app.get("/vault", async ({ req }) => {
    await requireSession(req, { maxAge: "10m", actor: false });
    return {};
  });
  app.post("/confirm", async ({ req }) => {
    const session = await requireSession(req);
    await session.stepUp({ methods: ["otp"] });
    return {};
  });
  app.post("/act", async ({ req }) => {
    const session = await requireSession(req);
    if (session.actor) await session.actAsSelf();
    else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
    return {};
  });
  app.get("/slow", async ({ req }) => {
    await requireSession(req);
    await wait();
    return {};
  });
  app.get("/throws", async ({ req }) => {
    await requireSession(req);
    throw new Error("for the test");
  });
  app.get("/redirect", async (event) => {
    await requireSession(event.req);
    setCookie(event, "app", "2");
    return redirect("/public");
  });
  app.get("/stream", async ({ req }) => {
    const session = await requireSession(req);
    const text = new TextEncoder();
    return new ReadableStream({
      async start(body) {
        body.enqueue(text.encode("one"));
        await wait({
          createSession: () => createSession(req, { userId: "alice", payload: { role: "user" } }),
          updatePayload: () => session.updatePayload({ role: "admin" }),
          signOut: () => signOut(req),
        });
        body.enqueue(text.encode("two"));
        body.close();
      },
    });
  });
  app.post("/leave", async ({ req }) => {
    await signOut(req);
    return {};
  });
  return (request: Request): Promise<Response> => handle(request, () => app.fetch(request));
};

testAdapter("h3 2", async (pawl, hooks) => served(createServer(toNodeHandler(application(pawl, hooks)) as never)));
