import { type FrontToken, readFrontToken } from "./front-token.js";
import type { WebEndReason, SharedSession } from "./shared-session.js";

/** What happened to the session, here or in another tab. */
export type WebSessionEvent<Payload extends object = Readonly<Record<string, unknown>>> =
  | { readonly type: "created"; readonly userId: string; readonly payload: Payload }
  | { readonly type: "refreshed" }
  | { readonly type: "payload_changed"; readonly payload: Payload }
  | { readonly type: "ended"; readonly reason: WebEndReason }
  /** A refresh was not answered: nothing is known of the session, and everything is kept. */
  | { readonly type: "unknown" };

/** What happened between two records. */
export const eventsBetween = (before: SharedSession, after: SharedSession): readonly WebSessionEvent[] => {
  if (!after.front) return !before.front ? [] : [{ type: "ended", reason: after.reason ?? "unauthorised" }];
  const now = readFrontToken(after.front);
  const was: Partial<FrontToken> = before.front ? readFrontToken(before.front) : {};
  if (was.handle !== now.handle) return [{ type: "created", userId: now.userId, payload: now.payload }];
  const isSame = JSON.stringify(was.payload) === JSON.stringify(now.payload);
  return [{ type: "refreshed" }, ...(isSame ? [] : [{ type: "payload_changed" as const, payload: now.payload }])];
};
