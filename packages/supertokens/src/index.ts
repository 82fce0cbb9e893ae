import type { JsonObject } from "@pawl/engine";
import { defaultPawl, isInitialised } from "./default-pawl.js";
import { NodeExchange, type NodeRequest } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";
import { requireAccessToken } from "./exchange-sessions.js";
import { setPreflightHeaders } from "./preflight-headers.js";
import type { Session } from "./session-object.js";

export { init } from "./default-pawl.js";
export { createPawl, type Pawl, type PawlTokens, type ReadSession } from "./pawl.js";
export { Session } from "./session-object.js";
export { type AnySessionError, SessionError as Error, type ErrorType, type TokenTheft } from "./session-error.js";
export type { CommonOptions, CookieOptions, CoreOptions, CsrfMode, EmbeddedOptions, PawlOptions } from "./options.js";
export type { Duration } from "./duration.js";
export type { SameSite } from "@pawl/node/http";
export type { NodeRequest } from "@pawl/node/http";
export type { NodeResponse } from "./response.js";
export type { CoreHost, SessionEvent, SessionHistory } from "@pawl/node/backend";
export type { SessionTokens, TokenInfo, TokenSession } from "./token-sessions.js";
export type { UserSession, UserSessions } from "./user-sessions.js";
export type { JsonObject, JsonValue, KeySet, SessionInformation } from "@pawl/engine";

/** `createNewSession` of the instance that `init` made. */
export const createNewSession = async <Payload extends object = JsonObject, Data extends object = JsonObject>(
  res: NodeResponse,
  userId: string,
  jwtPayload?: Payload,
  sessionData?: Data,
): Promise<Session<Payload, Data>> =>
  typed<Payload, Data>(
    await defaultPawl().createNewSession(res, userId, jwtPayload as JsonObject, sessionData as JsonObject),
  );

/** `getSession` of the instance that `init` made. */
export const getSession = async <Payload extends object = JsonObject, Data extends object = JsonObject>(
  req: NodeRequest,
  res: NodeResponse,
  doAntiCsrfCheck: boolean,
): Promise<Session<Payload, Data>> => {
  // As the documented API has it: a request without an access token is told so even before `init`.
  if (!isInitialised()) requireAccessToken(new NodeExchange(req, res));
  return typed<Payload, Data>(await defaultPawl().getSession(req, res, doAntiCsrfCheck));
};

/** `refreshSession` of the instance that `init` made. */
export const refreshSession = async <Payload extends object = JsonObject, Data extends object = JsonObject>(
  req: NodeRequest,
  res: NodeResponse,
): Promise<Session<Payload, Data>> => typed<Payload, Data>(await defaultPawl().refreshSession(req, res));

export {
  getAllSessionHandlesForUser,
  getSessionData,
  revokeAllSessionsForUser,
  revokeSessionUsingSessionHandle,
  updateSessionData,
} from "./default-sessions.js";

/** The headers a cross-origin preflight needs; works before `init` too. */
export const setRelevantHeadersForOptionsAPI = (res: NodeResponse): void => setPreflightHeaders(res);

const typed = <Payload extends object, Data extends object>(session: Session): Session<Payload, Data> =>
  session as unknown as Session<Payload, Data>;
