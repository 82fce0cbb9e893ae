import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { type Hooks, type KitPawl, testAdapter } from "@pawl/adapter-conformance";
import Fastify, { type FastifyInstance } from "fastify";
import { forFastify } from "../../src/adapters/fastify.js";
import { certificate } from "./certificate.js";

const application = async (pawl: KitPawl, { wait }: Hooks, app: FastifyInstance) => {
  const { routes, errors, createSession, getSession, requireSession, sessionOf, signOut } = forFastify(pawl);
  await app.register(routes());
  app.setErrorHandler(errors());
  app.get("/public", async () => "public");
  app.post<{ Querystring: { role?: string } }>("/login", async (request, reply) => {
    void reply.header("set-cookie", "app=1");
    const role = request.query.role === "admin" ? "admin" : "user";
    await createSession(request, reply, { userId: "alice", payload: { role } });
    return {};
  });
  const preHandler = requireSession();
  app.get("/me", { preHandler }, async (request) => {
    const { userId, payload } = sessionOf(request);
    return { userId, role: payload.role };
  });
  app.get("/maybe", async (request, reply) => ({ userId: (await getSession(request, reply))?.userId ?? null }));
  const isAdmin = requireSession({ where: ({ payload }) => payload.role === "admin" });
  app.delete("/users/:id", { preHandler: isAdmin }, async () => ({}));
  app.post("/save", { preHandler }, async (request) => {
    await sessionOf(request).updatePayload({ role: "admin" });
    return {};
  });
  const isSure = requireSession({ maxAge: "10m", actor: false });
  app.get("/vault", { preHandler: isSure }, async () => ({}));
  app.post("/confirm", { preHandler }, async (request) => {
    await sessionOf(request).stepUp({ methods: ["otp"] });
    return {};
  });
  app.post("/act", { preHandler }, async (request) => {
    const session = sessionOf(request);
    if (session.actor) await session.actAsSelf();
    else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
    return {};
  });
  app.get("/slow", { preHandler }, async () => {
    await wait();
    return {};
  });
  app.get("/throws", { preHandler }, async () => {
    throw new Error("for the test");
  });
  app.get("/redirect", { preHandler }, async (_request, reply) =>
    reply.header("set-cookie", "app=2").redirect("/public"),
  );
  app.get("/stream", { preHandler }, async (request, reply) => {
    const body = new PassThrough();
    body.write("one");
    const calls = {
      createSession: () => createSession(request, reply, { userId: "alice", payload: { role: "user" } }),
      updatePayload: () => sessionOf(request).updatePayload({ role: "admin" }),
      signOut: () => signOut(request, reply),
    };
    void wait(calls).then(() => body.end("two"));
    return reply.send(body);
  });
  app.post("/leave", async (request, reply) => {
    await signOut(request, reply);
    return {};
  });
  return app;
};

testAdapter("Fastify 5", async (pawl, hooks) => {
  const app = await application(pawl, hooks, Fastify({ forceCloseConnections: true }));
  return { origin: await app.listen({ host: "127.0.0.1", port: 0 }), close: () => app.close() };
});

testAdapter("Fastify 5 on HTTP/2 with TLS", async (pawl, hooks) => {
  const https = { key: readFileSync(certificate().key), cert: readFileSync(certificate().cert) };
  const app = await application(pawl, hooks, Fastify({ http2: true, https }) as unknown as FastifyInstance);
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return { origin: origin.replace("https:", "h2:"), close: () => app.close() };
});
