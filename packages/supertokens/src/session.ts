import type { JsonObject } from "@pawl/engine";
import { defaultPawl, isInitialised } from "./default-pawl.js";
import { requireTokens, type SessionTokens, type TokenInfo, type TokenSession } from "./token-sessions.js";

export { init } from "./default-pawl.js";
export {
  getAllSessionHandlesForUser,
  getSessionData,
  revokeAllSessionsForUser,
  revokeSessionUsingSessionHandle,
  updateSessionData,
} from "./default-sessions.js";
export { SessionError as Error } from "./session-error.js";
export type { SessionTokens, TokenInfo, TokenSession } from "./token-sessions.js";

/** Creates a session. @returns its tokens, for the caller to hand out. */
export const createNewSession = async <Payload extends object = JsonObject>(
  userId: string,
  jwtPayload?: Payload,
  sessionData?: object,
): Promise<SessionTokens<Payload>> =>
  (await defaultPawl().tokens.createNewSession(
    userId,
    jwtPayload as JsonObject,
    sessionData as JsonObject,
  )) as unknown as SessionTokens<Payload>;

/**
 * The session of an access token. `accessToken` in the answer is a new one for the client; this backend never makes one here.
 * @throws SessionError `TRY_REFRESH_TOKEN`; `UNAUTHORISED`, also without an id refresh token.
 */
export const getSession = async <Payload extends object = JsonObject>(
  accessToken: string,
  antiCsrfToken: string | null | undefined,
  doAntiCsrfCheck: boolean,
  idRefreshToken: string | null | undefined,
): Promise<{ readonly session: TokenSession<Payload>; readonly accessToken?: TokenInfo }> => {
  // A request that lacks a token is told so even before `init`, as the entry for Express does.
  if (!isInitialised()) requireTokens({ accessToken, idRefreshToken });
  const found = await defaultPawl().tokens.getSession(accessToken, antiCsrfToken, doAntiCsrfCheck, idRefreshToken);
  return found as unknown as { readonly session: TokenSession<Payload> };
};

/** Hands in a refresh token for new tokens. @throws SessionError `UNAUTHORISED`, `TOKEN_THEFT_DETECTED`. */
export const refreshSession = async <Payload extends object = JsonObject>(
  refreshToken: string,
): Promise<SessionTokens<Payload>> =>
  (await defaultPawl().tokens.refreshSession(refreshToken)) as unknown as SessionTokens<Payload>;
