import { type AccessTokenClaims, handleOf, type IssuedSession, type SessionExplanation } from "@pawl/engine";
import type { RouteResponse } from "@pawl/protocol";
import type { EventRecord } from "@pawl/storage";

/** A created or refreshed session, without what the engine says besides. */
export const issuedSessionBody = ({
  session,
  accessToken,
  refreshToken,
  antiCsrfToken,
}: IssuedSession): RouteResponse<"createSession"> => ({
  session,
  accessToken,
  refreshToken,
  ...(antiCsrfToken === undefined ? {} : { antiCsrfToken }),
});

/** What an accepted access token says. */
export const verifiedSessionBody = ({
  handle,
  tenantId,
  userId,
  payload,
  issuedAt,
  expiresAt,
}: AccessTokenClaims): RouteResponse<"verifySession"> => ({
  session: { handle, tenantId, userId, payload },
  issuedAt,
  expiresAt,
});

/** One line of the audit trail: session id and tenant as a handle, the detail as JSON. */
export const eventBody = ({
  sessionId,
  tenantId,
  userId,
  detail,
  reason,
  ...record
}: EventRecord): RouteResponse<"listEvents">["events"][number] => ({
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
export const explanationBody = ({ events, ...facts }: SessionExplanation): RouteResponse<"explainSession"> => ({
  ...facts,
  events: events.map(eventBody),
});
