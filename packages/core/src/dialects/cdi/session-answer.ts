import { type IssuedSession, type IssuedToken, type RandomSource, randomUuid, type SessionSummary } from "@pawl/engine";
import type { CdiVersion } from "./cdi-versions.js";

/** The owner of a session as a version names it; the recipe user is always the user here. */
export const ownerMembers = ({ userId }: Pick<SessionSummary, "userId">, version: CdiVersion) =>
  version.recipeUser ? { userId, recipeUserId: userId } : { userId };

/** The `session` of an answer. */
export const sessionMembers = (session: SessionSummary, version: CdiVersion) => ({
  handle: session.handle,
  ...ownerMembers(session, version),
  userDataInJWT: session.payload,
  tenantId: version.tenants ? session.tenantId : undefined,
});

/** A token with its times. */
export const tokenTimes = ({ token, expiry, createdTime }: IssuedToken) => ({ token, expiry, createdTime });

/** The members that create and refresh answer with. The id refresh token is a mere flag: random, stored nowhere. */
export const issuedTokens = (
  { session, accessToken, refreshToken, antiCsrfToken }: IssuedSession,
  { version, random }: { readonly version: CdiVersion; readonly random: RandomSource },
) => ({
  status: "OK",
  session: sessionMembers(session, version),
  accessToken: tokenTimes(accessToken),
  refreshToken: tokenTimes(refreshToken),
  idRefreshToken: version.idRefreshToken ? { ...tokenTimes(refreshToken), token: randomUuid(random) } : undefined,
  antiCsrfToken,
});
