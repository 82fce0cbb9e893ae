import type { Hooks, KitPawl } from "@pawl/adapter-conformance";
import { forFetch } from "../../src/adapters/fetch.js";

/** The kit's application. */
export const fetchApplication = (pawl: KitPawl, { wait }: Hooks) => {
  const { handle, createSession, getSession, requireSession, signOut } = forFetch(pawl);
  const json = (body: object, headers = {}): Response => Response.json(body, { headers });
  const routes: Readonly<Record<string, (request: Request) => Promise<Response>>> = {
    "GET /public": async () => new Response("public"),
    async "POST /login"(request) {
      const role = request.url.includes("role=admin") ? "admin" : "user";
      await createSession(request, { userId: "alice", payload: { role } });
      return json({}, { "set-cookie": "app=1" });
    },
    async "GET /me"(request) {
      const { userId, payload } = await requireSession(request);
      return json({ userId, role: payload.role });
    },
    "GET /maybe": async (request) => json({ userId: (await getSession(request))?.userId ?? null }),
    async "DELETE /users/1"(request) {
      await requireSession(request, { where: ({ payload }) => payload.role === "admin" });
      return json({});
    },
    async "POST /save"(request) {
      const session = await requireSession(request);
      await session.updatePayload({ role: "admin" });
      return json({});
    },
    async "GET /vault"(request) {
      await requireSession(request, { maxAge: "10m", actor: false });
      return json({});
    },
    async "POST /confirm"(request) {
      const session = await requireSession(request);
      await session.stepUp({ methods: ["otp"] });
      return json({});
    },
    async "POST /act"(request) {
      const session = await requireSession(request);
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
      return json({});
    },
    async "GET /slow"(request) {
      await requireSession(request);
      await wait();
      return json({});
    },
    async "GET /throws"(request) {
      await requireSession(request);
      throw new Error("for the test");
    },
    async "GET /redirect"(request) {
      await requireSession(request);
      return new Response(undefined, { status: 302, headers: { location: "/public", "set-cookie": "app=2" } });
    },
    async "GET /stream"(request) {
      const session = await requireSession(request);
      const text = new TextEncoder();
      return new Response(
        new ReadableStream({
          async start(body) {
            body.enqueue(text.encode("one"));
            await wait({
              createSession: () => createSession(request, { userId: "alice", payload: { role: "user" } }),
              updatePayload: () => session.updatePayload({ role: "admin" }),
              signOut: () => signOut(request),
            });
            body.enqueue(text.encode("two"));
            body.close();
          },
        }),
      );
    },
    async "POST /leave"(request) {
      await signOut(request);
      return json({});
    },
  };
  return (request: Request): Promise<Response> =>
    handle(request, () => {
      if (!URL.canParse(request.url)) return new Response("bad request", { status: 400 });
      const method = request.method === "HEAD" ? "GET" : request.method;
      const route = routes[`${method} ${new URL(request.url).pathname}`];
      return route?.(request) ?? new Response("not found", { status: 404 });
    });
};
