import type { IssuedSession } from "@pawl/engine";
import { cookieWriter, MOST_VALUES } from "./cookie-header.js";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import type { SessionCookie, SessionCookieSettings } from "./cookie-settings.js";
import { checkCookieSize } from "./cookie-size.js";
import type { Exchange } from "./exchange.js";
import { clearLeftCookies } from "./left-cookies.js";
import { announceEnd, announceTokens, expose } from "./session-announcement.js";
import { bearerToken, type TokenTransfer, wantedTransfer } from "./token-transfer.js";

const ACCESS_TOKEN_HEADER = "st-access-token";
const REFRESH_TOKEN_HEADER = "st-refresh-token";

/** The documented cookies and headers of a session. */
export interface SessionCookies {
  readonly settings: SessionCookieSettings;
  /** All values a request carries for a cookie: under the name in force, else under a name it had before. */
  read(exchange: Exchange, cookie: string): readonly string[];
  /**
   * Puts new tokens into the answer, into cookies unless said otherwise.
   * @throws SessionError `GENERAL_ERROR` when a cookie would be larger than browsers keep; nothing was written then.
   */
  write(exchange: Exchange, issued: IssuedSession, transfer?: TokenTransfer): void;
  /**
   * Tells the browser to forget the session; with `shown` no cookie where the request showed none: they may have been kept
   * back, as those of `SameSite=Strict` are from a link of another site.
   */
  clear(exchange: Exchange, which?: "all" | "shown"): void;
}

export const createSessionCookies = (settings: SessionCookieSettings): SessionCookies => {
  const nameInForce = (cookie: string): string => settings.cookies[cookie]?.name ?? cookie;
  const writer = (cookie: string) => {
    const { name, attributes } = settings.cookies[cookie] as SessionCookie;
    return cookieWriter(name, attributes);
  };
  const accessToken = writer(ACCESS_TOKEN_COOKIE);
  const refreshToken = writer(REFRESH_TOKEN_COOKIE);
  const idRefreshToken = writer(ID_REFRESH_TOKEN_COOKIE);

  const read = (exchange: Exchange, cookie: string): readonly string[] => {
    const values = exchange.cookies(nameInForce(cookie));
    if (values.length > 0) return values;
    return namesOf(cookie)
      .flatMap((name) => exchange.cookies(name))
      .slice(0, MOST_VALUES);
  };

  const carriesCookies = (exchange: Exchange): boolean =>
    [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE].some(
      (cookie) => read(exchange, cookie).length > 0,
    );

  const clearCookies = (exchange: Exchange): void => {
    clearLeftCookies(exchange, settings);
    exchange.appendCookie(accessToken("", 0));
    exchange.appendCookie(refreshToken("", 0));
    exchange.appendCookie(idRefreshToken("", 0));
  };

  return {
    settings,
    read,

    write(exchange, issued, transfer = "cookie") {
      if (transfer === "cookie")
        checkCookieSize(nameInForce(ACCESS_TOKEN_COOKIE).length + issued.accessToken.token.length, issued.session);
      exchange.setHeader("Cache-Control", "no-store");
      if (transfer === "header") {
        if (carriesCookies(exchange)) clearCookies(exchange);
        expose(exchange, ACCESS_TOKEN_HEADER, issued.accessToken.token);
        expose(exchange, REFRESH_TOKEN_HEADER, issued.refreshToken.token);
        announceTokens(exchange, issued);
        return;
      }
      const { expiry } = issued.refreshToken;
      clearLeftCookies(exchange, settings);
      exchange.appendCookie(accessToken(issued.accessToken.token, issued.accessToken.expiry));
      exchange.appendCookie(refreshToken(issued.refreshToken.token, expiry));
      exchange.appendCookie(idRefreshToken(announceTokens(exchange, issued), expiry));
    },

    clear(exchange, which = "all") {
      exchange.setHeader("Cache-Control", "no-store");
      const byHeader = wantedTransfer(exchange) === "header" || bearerToken(exchange) !== undefined;
      if (byHeader) {
        expose(exchange, ACCESS_TOKEN_HEADER, "");
        expose(exchange, REFRESH_TOKEN_HEADER, "");
      }
      if (carriesCookies(exchange) || (which === "all" && !byHeader)) clearCookies(exchange);
      announceEnd(exchange);
    },
  };
};
