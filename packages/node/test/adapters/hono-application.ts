import type { Hooks, KitPawl } from "@pawl/adapter-conformance";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import { stream } from "hono/streaming";
import { forHono } from "../../src/adapters/hono.js";

/** The kit's application. */
export const honoApplication = (pawl: KitPawl, { wait }: Hooks) => {
  const { routes, errors, createSession, getSession, requireSession, signOut } = forHono(pawl);
  const app = new Hono();
  app.use(routes());
  app.onError(errors((_error, c) => c.text("failed", 500)));
  app.get("/public", (c) => c.text("public"));
  app.post("/login", async (c) => {
    setCookie(c, "app", "1");
    await createSession(c, { userId: "alice", payload: { role: c.req.query("role") === "admin" ? "admin" : "user" } });
    return c.json({});
  });
  app.get("/me", requireSession(), (c) => c.json({ userId: c.var.session.userId, role: c.var.session.payload.role }));
  app.get("/maybe", async (c) => c.json({ userId: (await getSession(c))?.userId ?? null }));
  app.delete("/users/:id", requireSession({ where: ({ payload }) => payload.role === "admin" }), (c) => c.json({}));
  app.post("/save", requireSession(), async (c) => {
    await c.var.session.updatePayload({ role: "admin" });
    return c.json({});
  });
  app.get("/vault", requireSession({ maxAge: "10m", actor: false }), (c) => c.json({}));
  app.post("/confirm", requireSession(), async (c) => {
    await c.var.session.stepUp({ methods: ["otp"] });
    return c.json({});
  });
  app.post("/act", requireSession(), async (c) => {
    const { session } = c.var;
    if (session.actor) await session.actAsSelf();
    else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
    return c.json({});
  });
  app.get("/slow", requireSession(), async (c) => {
    await wait();
    return c.json({});
  });
  app.get("/throws", requireSession(), () => {
    throw new Error("for the test");
  });
  app.get("/redirect", requireSession(), (c) => {
    setCookie(c, "app", "2");
    return c.redirect("/public");
  });
  app.get("/stream", requireSession(), (c) =>
    stream(c, async (body) => {
      await body.write("one");
      await wait({
        createSession: () => createSession(c, { userId: "alice", payload: { role: "user" } }),
        updatePayload: () => c.var.session.updatePayload({ role: "admin" }),
        signOut: () => signOut(c),
      });
      await body.write("two");
    }),
  );
  app.post("/leave", async (c) => {
    await signOut(c);
    return c.json({});
  });
  return app;
};
