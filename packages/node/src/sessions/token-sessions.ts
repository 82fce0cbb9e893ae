import type { IssuedSession } from "@pawl/engine";
import { refusal } from "./request-sessions.js";
import type { Serving } from "./serving.js";
import { SessionError } from "../session-error.js";

/** A session as its tokens tell it. Times are ms since the epoch, and those of the access token. */
export interface TokenSession<Payload extends object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  readonly payload: Payload;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What login and refresh hand out. */
export interface SessionTokens<Payload extends object> extends TokenSession<Payload> {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the refresh token ends unless it is used before; ms since the epoch. */
  readonly refreshTokenExpiresAt: number;
}

export const sessionTokens = async ({ payloads }: Serving, issued: IssuedSession): Promise<SessionTokens<object>> => {
  const { session, accessToken, refreshToken } = issued;
  return {
    userId: session.userId,
    handle: session.handle,
    tenantId: session.tenantId,
    payload: await payloads.read(session.payload),
    issuedAt: accessToken.createdTime,
    expiresAt: accessToken.expiry,
    accessToken: accessToken.token,
    refreshToken: refreshToken.token,
    refreshTokenExpiresAt: refreshToken.expiry,
  };
};

export const verifyToken = async (it: Serving, accessToken: string): Promise<TokenSession<object>> => {
  const outcome = await it.backend.verify({ accessToken });
  if (outcome.kind === "unauthorised") throw new SessionError("UNAUTHORISED", outcome.message);
  if (outcome.kind === "try_refresh") throw new SessionError("TRY_REFRESH", outcome.message);
  const { userId, handle, tenantId, payload, issuedAt, expiresAt } = outcome.claims;
  it.uses.note(outcome.claims, it.backend.now());
  return { userId, handle, tenantId, payload: await it.payloads.read(payload), issuedAt, expiresAt };
};

export const refreshTokens = async (it: Serving, refreshToken: string): Promise<SessionTokens<object>> => {
  const outcome = await it.backend.refresh({ refreshToken });
  if (outcome.kind !== "refreshed") throw refusal(it, outcome);
  return sessionTokens(it, outcome);
};
