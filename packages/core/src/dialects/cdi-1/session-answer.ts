import { type IssuedSession, type IssuedToken, type RandomSource, randomUuid } from "@pawl/engine";
import type { CookieConfig } from "../../config/core-config.js";

/** A token with what its cookie has to say; `domain` is left out when none is configured. */
export const tokenCookie = (token: IssuedToken, cookiePath: string, { secure, domain }: CookieConfig) => ({
  token: token.token,
  expiry: token.expiry,
  createdTime: token.createdTime,
  cookiePath,
  cookieSecure: secure,
  domain,
});

/** The members that create and refresh answer with. The id refresh token is a mere flag: random, stored nowhere. */
export const issuedCookies = (
  { session, accessToken, refreshToken, antiCsrfToken }: IssuedSession,
  { cookies, random }: { readonly cookies: CookieConfig; readonly random: RandomSource },
) => ({
  session: { handle: session.handle, userId: session.userId, userDataInJWT: session.payload },
  accessToken: tokenCookie(accessToken, cookies.accessTokenPath, cookies),
  refreshToken: tokenCookie(refreshToken, cookies.refreshApiPath, cookies),
  idRefreshToken: {
    token: randomUuid(random),
    expiry: refreshToken.expiry,
    createdTime: refreshToken.createdTime,
  },
  antiCsrfToken,
});
