import { type AccessTokenClaims, handleOf, type IssuedSession, type SessionExplanation } from "@pawl/engine";
import type { Event, RouteAnswer } from "@pawl/protocol";
import type { EventRecord } from "@pawl/storage";

/** A created or refreshed session, without what the engine says besides. */
export const issuedSession = ({
  session,
  accessToken,
  refreshToken,
  antiCsrfToken,
}: IssuedSession): RouteAnswer<"createSession"> => ({
  session,
  accessToken,
  refreshToken,
  ...(antiCsrfToken === undefined ? {} : { antiCsrfToken }),
});

/** What an accepted access token says. */
export const verifiedSession = ({
  handle,
  tenantId,
  userId,
  payload,
  issuedAt,
  expiresAt,
}: AccessTokenClaims): RouteAnswer<"verifySession"> => ({
  session: { handle, tenantId, userId, payload },
  issuedAt,
  expiresAt,
});

/** One line of the audit trail: session id and tenant as a handle, the detail as JSON. */
export const event = ({ sessionId, tenantId, userId, detail, reason, ...record }: EventRecord): Event => ({
  key: record.key,
  at: record.at,
  type: record.type,
  count: record.count,
  ...(sessionId === undefined || tenantId === undefined ? {} : { handle: handleOf({ id: sessionId, tenantId }) }),
  ...(tenantId === undefined ? {} : { tenantId }),
  ...(userId === undefined ? {} : { userId }),
  ...(reason === undefined ? {} : { reason }),
  ...(detail === undefined ? {} : { detail: JSON.parse(detail) as unknown }),
});

/** What became of a session. */
export const explanation = ({ events, ...facts }: SessionExplanation): RouteAnswer<"explainSession"> => ({
  ...facts,
  events: events.map(event),
});
