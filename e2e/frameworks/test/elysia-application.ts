import type { Hooks, KitPawl } from "@pawl/adapter-conformance";
import { errorAnswer, SessionError } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { Elysia } from "elysia";

/** The kit's application. */
export const elysiaApplication = (pawl: KitPawl, { wait }: Hooks) => {
  const { handle, createSession, getSession, requireSession, signOut } = forFetch(pawl);
  const app = new Elysia()
    .onError(({ error }) => {
      if (!(error instanceof SessionError)) return undefined;
      const { status, headers, body } = errorAnswer(error);
      return Response.json(body, { status, headers });
    })
    .get("/public", () => "public")
    .post("/login", async ({ request, query, cookie }) => {
      cookie["app"]?.set({ value: "1" });
      const role = query["role"] === "admin" ? "admin" : "user";
      await createSession(request, { userId: "alice", payload: { role } });
      return {};
    })
    .get("/me", async ({ request }) => {
      const { userId, payload } = await requireSession(request);
      return { userId, role: payload.role };
    })
    .get("/maybe", async ({ request }) => ({ userId: (await getSession(request))?.userId ?? null }))
    .delete("/users/:id", async ({ request }) => {
      await requireSession(request, { where: ({ payload }) => payload.role === "admin" });
      return {};
    })
    .post("/save", async ({ request }) => {
      const session = await requireSession(request);
      await session.updatePayload({ role: "admin" });
      return {};
    })
    .get("/vault", async ({ request }) => {
      await requireSession(request, { maxAge: "10m", actor: false });
      return {};
    })
    .post("/confirm", async ({ request }) => {
      const session = await requireSession(request);
      await session.stepUp({ methods: ["otp"] });
      return {};
    })
    .post("/act", async ({ request }) => {
      const session = await requireSession(request);
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
      return {};
    })
    .get("/slow", async ({ request }) => {
      await requireSession(request);
      await wait();
      return {};
    })
    .get("/throws", async ({ request }) => {
      await requireSession(request);
      throw new Error("for the test");
    })
    .get("/redirect", async ({ request, cookie }) => {
      await requireSession(request);
      cookie["app"]?.set({ value: "2" });
      return new Response(undefined, { status: 302, headers: { location: "/public" } });
    })
    .get("/stream", async ({ request }) => {
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
    })
    .post("/leave", async ({ request }) => {
      await signOut(request);
      return {};
    });
  return (request: Request): Promise<Response> => handle(request, () => app.fetch(request));
};
