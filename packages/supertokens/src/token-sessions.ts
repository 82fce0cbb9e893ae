import { randomUUID } from "node:crypto";
import type { IssuedSession, IssuedToken, JsonObject, SessionSummary } from "@pawl/engine";
import type { NewSession } from "./exchange-sessions.js";
import { acceptedClaims, type OpenedPawl, refreshRefusal } from "./opened-pawl.js";
import { checkLoginUserId } from "./session-data.js";
import { tryRefreshToken, unauthorised } from "./session-error.js";

/** A session as the functions without a request tell it. */
export interface TokenSession<Payload extends object = JsonObject> {
  readonly handle: string;
  readonly userId: string;
  readonly userDataInJWT: Payload;
}

/** A token with what its cookie needs. Times are ms since the epoch. */
export interface TokenInfo {
  readonly token: string;
  readonly expiry: number;
  readonly createdTime: number;
  readonly cookiePath: string;
  readonly cookieSecure: boolean;
  /** Absent where the cookies belong to the host alone that sets them. */
  readonly domain?: string;
}

/** What login and refresh hand out. */
export interface SessionTokens<Payload extends object = JsonObject> {
  readonly session: TokenSession<Payload>;
  readonly accessToken: TokenInfo;
  readonly refreshToken: TokenInfo;
  /** Only tells a page that there may be a session; shares path and domain with the access token. */
  readonly idRefreshToken: Pick<TokenInfo, "token" | "expiry" | "createdTime">;
  readonly antiCsrfToken?: string;
}

/** What a request brings along. */
export interface PresentedTokens {
  readonly accessToken: string;
  readonly antiCsrfToken?: string | null | undefined;
  readonly doAntiCsrfCheck: unknown;
}

/** @throws SessionError `UNAUTHORISED`, `TRY_REFRESH_TOKEN` for a request that lacks one, whatever else is known. */
export const requireTokens = ({
  accessToken,
  idRefreshToken,
}: {
  readonly accessToken: unknown;
  readonly idRefreshToken: unknown;
}): void => {
  if (idRefreshToken === undefined || idRefreshToken === null) throw unauthorised("idRefreshToken missing");
  if (typeof accessToken !== "string") throw tryRefreshToken("access token missing");
};

export const createTokens = async (
  opened: OpenedPawl,
  { userId, payload, data }: NewSession,
): Promise<SessionTokens> => {
  const issued = await opened.backend.create({
    userId: checkLoginUserId(userId),
    payload: payload as JsonObject,
    data: data as JsonObject,
  });
  return sessionTokens(opened, issued);
};

export const verifyTokens = async (
  opened: OpenedPawl,
  { accessToken, antiCsrfToken, doAntiCsrfCheck }: PresentedTokens,
): Promise<{ readonly session: TokenSession; readonly accessToken?: TokenInfo }> => {
  const outcome = await opened.backend.verify({
    accessToken,
    // Without types, anything truthy asks for the check: it must not be left out over a "yes".
    doAntiCsrfCheck: Boolean(doAntiCsrfCheck),
    // `Headers.get` says null for a header that is not there.
    ...(typeof antiCsrfToken === "string" ? { antiCsrfToken } : {}),
  });
  return { session: tokenSession(acceptedClaims(opened, outcome)) };
};

export const refreshTokens = async (opened: OpenedPawl, refreshToken: string): Promise<SessionTokens> => {
  const outcome = await opened.backend.refresh({ refreshToken });
  if (outcome.kind !== "refreshed") throw refreshRefusal(opened, outcome);
  return sessionTokens(opened, outcome);
};

const tokenSession = ({
  handle,
  userId,
  payload,
}: Pick<SessionSummary, "handle" | "userId" | "payload">): TokenSession => ({
  handle,
  userId,
  userDataInJWT: payload,
});

const sessionTokens = (
  { cookies }: OpenedPawl,
  { session, accessToken, refreshToken, antiCsrfToken }: IssuedSession,
): SessionTokens => {
  const { domain, secure, accessTokenPath, refreshTokenPath } = cookies.settings;
  const tokenInfo = (issued: IssuedToken, cookiePath: string): TokenInfo => ({
    ...issued,
    cookiePath,
    cookieSecure: secure,
    ...(domain === undefined ? {} : { domain }),
  });
  return {
    session: tokenSession(session),
    accessToken: tokenInfo(accessToken, accessTokenPath),
    refreshToken: tokenInfo(refreshToken, refreshTokenPath),
    idRefreshToken: { token: randomUUID(), expiry: refreshToken.expiry, createdTime: refreshToken.createdTime },
    ...(antiCsrfToken === undefined ? {} : { antiCsrfToken }),
  };
};
