import { type AccessTokenClaims, handleOf, type IssuedSession, type SessionExplanation } from "@pawl/engine";
import type { RouteName, RouteResponse } from "@pawl/protocol";
import type { EventRecord } from "@pawl/storage";

/** A success before it is written as JSON, which leaves out what is undefined. */
export type SuccessBody<Name extends RouteName> = Unwritten<RouteResponse<Name>>;

type Unwritten<Body> = Body extends readonly (infer Item)[]
  ? readonly Unwritten<Item>[]
  : Body extends object
    ? {
        readonly [Member in keyof Body]: Unwritten<Body[Member]> | (undefined extends Body[Member] ? undefined : never);
      }
    : Body;

/** A created or refreshed session, without what the engine says besides. */
export const issuedSessionBody = ({
  session,
  accessToken,
  refreshToken,
  antiCsrfToken,
}: IssuedSession): SuccessBody<"createSession"> => ({
  session,
  accessToken,
  refreshToken,
  antiCsrfToken,
});

/** What an accepted access token says. */
export const verifiedSessionBody = ({
  handle,
  tenantId,
  userId,
  payload,
  issuedAt,
  expiresAt,
}: AccessTokenClaims): SuccessBody<"verifySession"> => ({
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
}: EventRecord): SuccessBody<"listEvents">["events"][number] => ({
  key: record.key,
  at: record.at,
  type: record.type,
  count: record.count,
  handle: sessionId && tenantId && handleOf({ id: sessionId, tenantId }),
  tenantId,
  userId,
  reason,
  detail: detail && (JSON.parse(detail) as unknown),
});

/** What became of a session. */
export const explanationBody = ({ events, ...facts }: SessionExplanation): SuccessBody<"explainSession"> => ({
  ...facts,
  events: events.map(eventBody),
});
