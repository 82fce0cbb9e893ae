import { randomUUID } from "node:crypto";
import type { IssuedSession } from "@pawl/engine";
import { type CookieAttributes, cookieWriter } from "./cookie-header.js";
import type { Exchange } from "./exchange.js";
import { generalError } from "./session-error.js";

export const ACCESS_TOKEN_COOKIE = "sAccessToken";
export const REFRESH_TOKEN_COOKIE = "sRefreshToken";
export const ID_REFRESH_TOKEN_COOKIE = "sIdRefreshToken";
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
      checkSize(issued);
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

/** Browsers drop a cookie whole whose name and value have more bytes together (RFC 6265bis section 5.5). */
const MOST_COOKIE_BYTES = 4096;

const checkSize = ({ session, accessToken }: IssuedSession): void => {
  const size = ACCESS_TOKEN_COOKIE.length + encodeURIComponent(accessToken.token).length;
  if (size <= MOST_COOKIE_BYTES) return;
  const parts = Object.entries({ "the user id": session.userId, ...quoted(session.payload) })
    .map(([name, value]) => ({ name, bytes: encodedSize(value) }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} about ${bytes}`);
  throw generalError(
    `the cookie ${ACCESS_TOKEN_COOKIE} would have ${size} bytes (name and value); browsers keep at most ${MOST_COOKIE_BYTES}. ` +
      `Of these the payload takes about ${encodedSize(session.payload)}; the largest parts: ${parts.join(", ")}. ` +
      "Keep what is large in the session data, which stays on the server",
  );
};

/** Bytes of a value inside a token: base64 makes four of three. */
const encodedSize = (value: unknown): number => Math.ceil((Buffer.byteLength(JSON.stringify(value) ?? "") * 4) / 3);

const quoted = (payload: object): object =>
  Object.fromEntries(Object.entries(payload).map(([name, value]) => [JSON.stringify(name), { [name]: value }]));
