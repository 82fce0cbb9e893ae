import { type AccessTokenClaims, handleOf, type IssuedSession, type SessionExplanation } from "@pawl/engine";
import type { RouteResponse, Written } from "@pawl/protocol";
import type { EventRecord } from "@pawl/storage";

/** A created or refreshed session, without what the engine says besides. */
export const issuedSessionBody = (issued: IssuedSession): Written<RouteResponse<"createSession">> => {
  const { session, accessToken, refreshToken, antiCsrfToken, registration } = issued;
  return { session, accessToken, refreshToken, antiCsrfToken, registration };
};

/** What an accepted access token says. */
export const verifiedSessionBody = (claims: AccessTokenClaims): Written<RouteResponse<"verifySession">> => {
  const { handle, tenantId, userId, actor, payload, payloadVersion, auth, bound, issuedAt, expiresAt } = claims;
  return { session: { handle, tenantId, userId, actor, payload, payloadVersion, auth, bound }, issuedAt, expiresAt };
};

/** One line of the audit trail: session id and tenant as a handle, the detail as JSON. */
export const eventBody = (event: EventRecord): Written<RouteResponse<"listEvents">["events"][number]> => {
  const { key, at, type, count, sessionId, tenantId, userId, reason, detail } = event;
  const handle = sessionId && tenantId && handleOf({ id: sessionId, tenantId });
  return { key, at, type, count, handle, tenantId, userId, reason, detail: detail && (JSON.parse(detail) as unknown) };
};

/** What became of a session. */
export const explanationBody = ({
  events,
  ...facts
}: SessionExplanation): Written<RouteResponse<"explainSession">> => ({ ...facts, events: events.map(eventBody) });
