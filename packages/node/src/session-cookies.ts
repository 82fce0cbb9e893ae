import { randomUUID } from "node:crypto";
import type { IssuedSession } from "@pawl/engine";
import { type CookieAttributes, cookieWriter } from "./cookie-header.js";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { checkCookieSize } from "./cookie-size.js";
import type { Exchange } from "./exchange.js";
import type { SessionError } from "./session-error.js";

export const ANTI_CSRF_HEADER = "anti-csrf";
const ID_REFRESH_TOKEN_HEADER = "id-refresh-token";
const EXPOSE_HEADERS = "Access-Control-Expose-Headers";

/** Where the cookies of a session live. */
export interface SessionCookieSettings extends Omit<CookieAttributes, "path"> {
  readonly accessTokenPath: string;
  readonly refreshTokenPath: string;
  /** The domain the cookies had before; empty: the host alone. */
  readonly olderDomain?: string;
}

/** The documented cookies and headers of a session. */
export interface SessionCookies {
  readonly settings: SessionCookieSettings;
  /**
   * Puts new tokens into the answer.
   * @throws SessionError `GENERAL_ERROR` when a cookie would be larger than browsers keep; nothing was written then.
   */
  write(exchange: Exchange, issued: IssuedSession): void;
  /** Tells the browser to forget the session. */
  clear(exchange: Exchange): void;
}

export const createSessionCookies = (settings: SessionCookieSettings): SessionCookies => {
  const { accessTokenPath, refreshTokenPath } = settings;
  const accessToken = cookieWriter(ACCESS_TOKEN_COOKIE, { ...settings, path: accessTokenPath });
  const refreshToken = cookieWriter(REFRESH_TOKEN_COOKIE, { ...settings, path: refreshTokenPath });
  const idRefreshToken = cookieWriter(ID_REFRESH_TOKEN_COOKIE, { ...settings, path: accessTokenPath });

  /** Where a request shows that a cookie is there twice, the one at the former domain goes: nothing else would end it. */
  const clearDuplicates = (exchange: Exchange): void => {
    if (settings.olderDomain === undefined) return;
    const { domain: _, ...here } = settings;
    const there = settings.olderDomain === "" ? here : { ...here, domain: settings.olderDomain };
    for (const name of [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE]) {
      if (exchange.cookies(name).length < 2) continue;
      const path = name === REFRESH_TOKEN_COOKIE ? refreshTokenPath : accessTokenPath;
      exchange.appendCookie(cookieWriter(name, { ...there, path })("", 0));
    }
  };

  const expose = (exchange: Exchange, name: string, value: string): void => {
    exchange.appendHeader(name, value);
    exchange.appendHeader(EXPOSE_HEADERS, name);
  };

  return {
    settings,

    write(exchange, issued) {
      const { session, accessToken: issuedAccess } = issued;
      checkCookieSize(ACCESS_TOKEN_COOKIE.length + issuedAccess.token.length, session);
      const id = randomUUID();
      const { expiry } = issued.refreshToken;
      exchange.setHeader("Cache-Control", "no-store");
      clearDuplicates(exchange);
      exchange.appendCookie(accessToken(issued.accessToken.token, issued.accessToken.expiry));
      exchange.appendCookie(refreshToken(issued.refreshToken.token, expiry));
      exchange.appendCookie(idRefreshToken(id, expiry));
      expose(exchange, ID_REFRESH_TOKEN_HEADER, `${id};${expiry}`);
      if (issued.antiCsrfToken !== undefined) expose(exchange, ANTI_CSRF_HEADER, issued.antiCsrfToken);
    },

    clear(exchange) {
      exchange.setHeader("Cache-Control", "no-store");
      clearDuplicates(exchange);
      exchange.appendCookie(accessToken("", 0));
      exchange.appendCookie(refreshToken("", 0));
      exchange.appendCookie(idRefreshToken("", 0));
      expose(exchange, ID_REFRESH_TOKEN_HEADER, "remove");
    },
  };
};

/** Clears the cookies because of an error. @returns the error, which says more than that headers had been sent. */
export const clearedWith = (cookies: SessionCookies, exchange: Exchange, error: SessionError): SessionError => {
  try {
    cookies.clear(exchange);
  } catch {
    // The answer is on its way; the next request meets the same end and clears them.
  }
  return error;
};
