import { type IssuedSession, type IssuedToken, type RandomSource, randomUuid, type SessionSummary } from "@pawl/engine";
import type { CdiVersion } from "./cdi-versions.js";

/** The owner of a session as a version names it; the recipe user is always the user here. */
export const ownerOf = ({ userId }: Pick<SessionSummary, "userId">, version: CdiVersion) =>
  version.recipeUser ? { userId, recipeUserId: userId } : { userId };

/** The `session` of an answer. */
export const sessionOf = (session: SessionSummary, version: CdiVersion) => ({
  handle: session.handle,
  ...ownerOf(session, version),
  userDataInJWT: session.payload,
  tenantId: version.tenants ? session.tenantId : undefined,
});

/** A token with its times. */
export const tokenInfo = ({ token, expiry, createdTime }: IssuedToken) => ({ token, expiry, createdTime });

/** The members that create and refresh answer with. The id refresh token is a mere flag: random, stored nowhere. */
export const issuedSession = (
  { session, accessToken, refreshToken, antiCsrfToken }: IssuedSession,
  { version, random }: { readonly version: CdiVersion; readonly random: RandomSource },
) => ({
  status: "OK",
  session: sessionOf(session, version),
  accessToken: tokenInfo(accessToken),
  refreshToken: tokenInfo(refreshToken),
  idRefreshToken: version.idRefreshToken ? { ...tokenInfo(refreshToken), token: randomUuid(random) } : undefined,
  antiCsrfToken,
});
