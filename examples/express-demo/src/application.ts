import type { Pawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import { Router } from "express";

/** What the application puts into a session. */
export interface Payload {
  readonly role: "editor" | "reader";
}

/** What a real application would have: login, a protected API, two ways to log out, and errors as answers. */
export const createApplication = (pawl: Pawl<Payload>): Router => {
  const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
  const application = Router();
  application.use(routes());

  application.post("/login", async (req, res) => {
    const name = readName(req.body);
    if (name === undefined) {
      res.status(400).json({ message: "A name of 1 to 40 characters is wanted" });
      return;
    }
    // A real application would have checked a password by now.
    await createSession(req, res, { userId: name, payload: { role: "editor" } });
    res.json({ message: `Welcome, ${name}` });
  });

  application.get("/api/greeting", requireSession(), (req, res) => {
    res.json({ message: `Hello ${sessionOf(req).userId}, this is for you alone` });
  });

  const isEditor = requireSession({ where: ({ payload }) => payload.role === "editor" });
  application.post("/api/article", isEditor, (_req, res) => {
    res.json({ message: "Your article is published" });
  });

  const hasJustConfirmed = requireSession({ methods: ["otp"], maxAge: "30s" });
  application.get("/api/vault", hasJustConfirmed, (_req, res) => {
    res.json({ message: "The vault is open" });
  });

  application.post("/confirm", requireSession(), async (req, res) => {
    // A real application would have checked a code, or a passkey, by now.
    await sessionOf(req).stepUp({ methods: ["otp"] });
    res.json({ message: "Confirmed" });
  });

  application.post("/logout", requireSession(), async (req, res) => {
    await sessionOf(req).end();
    res.json({ ended: 1 });
  });

  application.post("/logout/everywhere", requireSession(), async (req, res) => {
    const session = sessionOf(req);
    const others = await session.endOthers();
    // This one last: it also clears the cookies of this browser.
    await session.end();
    res.json({ ended: others + 1 });
  });

  application.use(errors());
  return application;
};

const readName = (body: unknown): string | undefined => {
  const name = (body as { readonly name?: unknown } | undefined)?.name;
  if (typeof name !== "string") return undefined;
  const trimmed = name.trim();
  return trimmed.length >= 1 && trimmed.length <= 40 && !trimmed.includes("\0") ? trimmed : undefined;
};
