import { type Millis, millis } from "./identifiers.js";
import type { EndReason, EventRecord, SessionRecord, SessionReference } from "./records.js";

/** How many sessions a login ends at most for the limit of a user: more would hold its transaction for too long. */
export const MOST_ENDED_FOR_LIMIT = 100;

/** A row after its end: flagged, with payload, data and facts dropped. */
export const afterEnd = (
  row: SessionRecord,
  end: { readonly at: Millis; readonly reason: EndReason },
): SessionRecord => ({
  ...row,
  payload: "{}",
  data: "{}",
  facts: "{}",
  endedAt: end.at,
  endReason: end.reason,
});

/** The event that storage writes for each session it ends. A session ends once, so the key is its id. */
export const sessionEndedEvent = (
  session: SessionReference,
  end: { readonly at: Millis; readonly reason: EndReason; readonly detail?: string },
): EventRecord => ({
  key: `session_ended:${session.id}`,
  at: end.at,
  type: "session_ended",
  tenantId: session.tenantId,
  userId: session.userId,
  sessionId: session.id,
  reason: end.reason,
  ...(end.detail === undefined ? {} : { detail: JSON.stringify({ by: end.detail }) }),
  count: 1,
});

/** How a row that expired without having been ended came to its end. */
export const expiryOf = (
  row: Pick<SessionRecord, "expiresAt" | "idleExpiresAt">,
): { readonly at: Millis; readonly reason: "expired" | "idle" } =>
  row.idleExpiresAt < row.expiresAt
    ? { at: row.idleExpiresAt, reason: "idle" }
    : { at: row.expiresAt, reason: "expired" };

/** When a session last got a refresh token: what the session limit of a user orders by. */
export const refreshedAt = (row: SessionRecord): Millis => millis(Math.max(row.issuedAt, row.createdAt));
