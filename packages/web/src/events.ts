import type { WebEndReason } from "./shared-session.js";
import type { WebSnapshot } from "./snapshot.js";

/** What happened to the session, here or in another tab. */
export type WebSessionEvent<Payload extends object = Readonly<Record<string, unknown>>> =
  | { readonly type: "created"; readonly userId: string; readonly payload: Payload }
  | { readonly type: "refreshed" }
  | { readonly type: "payload_changed"; readonly payload: Payload }
  | { readonly type: "ended"; readonly reason: WebEndReason }
  /** A refresh was not answered: nothing is known of the session, and everything is kept. */
  | { readonly type: "unknown" };

/** What happened between two snapshots; `now` is `was` itself where a refresh changed nothing in it. */
export const eventsBetween = (was: WebSnapshot, now: WebSnapshot): readonly WebSessionEvent[] => {
  const { userId, payload, reason = "unauthorised" } = now;
  if (!payload) return was.payload ? [{ type: "ended", reason }] : [];
  // Also where somebody begins to act for a user, or ends it: the session is another user's then.
  if (was.handle !== now.handle || was.userId !== userId) return [{ type: "created", userId, payload }];
  return [{ type: "refreshed" }, ...(was === now ? [] : [{ type: "payload_changed" as const, payload }])];
};
