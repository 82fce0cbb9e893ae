import type { Actor, Authentication, IssuedSession } from "@pawl/engine";
import { canMend, readPayload, renew, warnOfMisfit } from "./payload-source.js";
import { refusal } from "./request-sessions.js";
import { guardPayload, Misfit } from "./schema.js";
import type { Serving } from "./serving.js";
import { SessionError } from "../session-error.js";

/** A session as its tokens tell it. Times are ms since the epoch, and those of the access token. */
export interface TokenSession<Payload extends object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  readonly payload: Payload;
  /** How often the session had been changed when the access token was made. */
  readonly payloadVersion: number;
  /** When and how the user, or who acts for them, has last authenticated; absent in a token of the documented API. */
  readonly auth?: Authentication | undefined;
  /** Who acts for `userId`; absent where nobody does. */
  readonly actor?: Actor | undefined;
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

export const sessionTokens = async (it: Serving, issued: IssuedSession): Promise<SessionTokens<object>> => {
  const { session, accessToken, refreshToken } = issued;
  return guardPayload({
    userId: session.userId,
    handle: session.handle,
    tenantId: session.tenantId,
    payload: await readPayload(it, session.payload),
    payloadVersion: session.payloadVersion,
    auth: session.auth,
    actor: session.actor,
    issuedAt: accessToken.createdTime,
    expiresAt: accessToken.expiry,
    accessToken: accessToken.token,
    refreshToken: refreshToken.token,
    refreshTokenExpiresAt: refreshToken.expiry,
  });
};

export const verifyToken = async (it: Serving, accessToken: string): Promise<TokenSession<object>> => {
  const outcome = await it.backend.verify({ accessToken });
  if (outcome.kind === "unauthorised") throw new SessionError("UNAUTHORISED", outcome.message);
  if (outcome.kind === "try_refresh") throw new SessionError("TRY_REFRESH", outcome.message);
  const { userId, handle, tenantId, payloadVersion, auth, actor, issuedAt, expiresAt } = outcome.claims;
  it.uses.note(outcome.claims, it.backend.now());
  const payload = await it.payloads.read(outcome.claims.payload);
  if (payload instanceof Misfit && canMend(it))
    throw new SessionError("TRY_REFRESH", "the payload of the access token does not fit its schema any more");
  warnOfMisfit(it, payload);
  return guardPayload({ userId, handle, tenantId, payload, payloadVersion, auth, actor, issuedAt, expiresAt });
};

export const refreshTokens = async (it: Serving, refreshToken: string): Promise<SessionTokens<object>> => {
  const outcome = await renew(it, { refreshToken }, undefined);
  if (outcome.kind !== "refreshed") throw refusal(it, outcome);
  return sessionTokens(it, outcome);
};
