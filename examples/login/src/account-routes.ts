import { Router } from "express";
import { field, type Parts } from "./parts.js";
import type { Session } from "./sessions.js";
import { accountPage, actingBanner, deletePage, notePage, type Visit } from "./views.js";

/** What users see and do, and what support does for them. */
export const accountRoutes = ({ users, passkeys, sessions }: Parts): Router => {
  const { pawl, signOut, sessionOf, ownerOf, anybody, self, confirmed, confirmedByPasskey, support } = sessions;
  const nameOf = (id: string): string => users.get(id)?.name ?? "somebody who is gone";

  /** When others acted for a user: the events say so to both. */
  const visitsTo = async (userId: string): Promise<readonly Visit[]> => {
    const { items } = await pawl.operation.events({ userId, type: "acting_started", limit: 10 });
    return items.flatMap(({ at, detail }) => {
      const { actor, reason } = detail as { readonly actor: string; readonly reason: string };
      return actor === userId ? [] : [{ at, actor: nameOf(actor), reason }];
    });
  };
  const bannerOf = ({ userId, actor }: Session) => actor && actingBanner(nameOf(userId), nameOf(actor.userId));

  const router = Router();
  router.get("/account", anybody, async (req, res) => {
    const session = sessionOf(req);
    const user = ownerOf(req);
    const listed = session.actor === undefined ? await session.list() : undefined;
    const visits = await visitsTo(user.id);
    res.send(
      accountPage({ user, sessions: listed, passkeys: passkeys.of(user.id), visits, banner: bannerOf(session) }),
    );
  });

  router.post("/logout", async (req, res) => {
    await signOut(req, res);
    res.redirect(303, "/");
  });
  router.post("/sessions/end", self, async (req, res) => {
    // Only of one's own: a handle is no secret, and no proof.
    const ended = (await sessionOf(req).list()).find(({ handle }) => handle === field(req, "handle"));
    if (ended !== undefined) await pawl.sessions.end(ended.handle);
    res.redirect(303, "/account");
  });
  router.post("/sessions/end-others", self, async (req, res) => {
    await sessionOf(req).endOthers();
    res.redirect(303, "/account");
  });

  router.get("/vault", confirmedByPasskey, (_req, res) => {
    res.send(notePage("The vault", "Whoever reads this has used a passkey of this account within five minutes."));
  });

  router.get("/account/delete", confirmed, (_req, res) => void res.send(deletePage()));
  router.post("/account/delete", confirmed, async (req, res) => {
    const session = sessionOf(req);
    users.remove(session.userId);
    await session.endOthers();
    await session.end();
    res.redirect(303, "/");
  });

  router.post("/support/act", support, async (req, res) => {
    const [user, reason] = [users.findByName(field(req, "name")), field(req, "reason").trim()];
    const session = sessionOf(req);
    if (user === undefined || user.role !== "user" || reason === "")
      return void res.status(400).send(notePage("Not for this one", "Name a user, and say why."));
    await session.actAs({ userId: user.id, reason, for: "10m" });
    res.redirect(303, "/account");
  });
  router.post("/support/stop", anybody, async (req, res) => {
    await sessionOf(req).actAsSelf();
    res.redirect(303, "/account");
  });
  return router;
};
