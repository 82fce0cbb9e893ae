import { randomInt } from "node:crypto";
import type { IssuedSession } from "@pawl/engine";
import {
  type Exchange,
  lineBytes,
  MOST_HEAD_BYTES,
  MOST_VALUES,
  type TokenTransfer,
  bearerToken,
  checkCookieSize,
  cookieWriter,
  wantedTransfer,
  warnOfLargeAnswer,
} from "@pawl/node/http";
import {
  ACCESS_TOKEN_COOKIE,
  guardedNamesOf,
  ID_REFRESH_TOKEN_COOKIE,
  namesOf,
  REFRESH_TOKEN_COOKIE,
} from "./cookie-name.js";
import type { SessionCookie, SessionCookieSettings } from "./cookie-settings.js";
import type { WarnOnce } from "@pawl/node/backend";
import { leftCookieLines } from "./left-cookies.js";
import { announceEnd, announceTokens, expose } from "./session-announcement.js";

const ACCESS_TOKEN_HEADER = "st-access-token";
const REFRESH_TOKEN_HEADER = "st-refresh-token";

/** Which cookies an end clears. */
export type Clearing = "all" | "shown" | "in_force";

/** The documented cookies and headers of a session. */
export interface SessionCookies {
  readonly settings: SessionCookieSettings;
  /** All values a request carries for a cookie: under the name in force, else under another that is read. */
  read(exchange: Exchange, cookie: string): readonly string[];
  /**
   * Puts new tokens into the answer, into cookies unless said otherwise.
   * @throws SessionError `GENERAL_ERROR` when a cookie would be larger than browsers keep; nothing was written then.
   */
  write(exchange: Exchange, issued: IssuedSession, transfer?: TokenTransfer): void;
  /**
   * Tells the browser to forget the session. A request that showed no session cookie gets none cleared but with `all`: they may
   * have been kept back, as those of `SameSite=Strict` are from a link of another site. With `in_force` only the places in force
   * are cleared: what is shown may be another application's on a host above.
   */
  clear(exchange: Exchange, which: Clearing): void;
}

/** Bytes of lines for left cookies in every answer, whatever else it holds. */
const LEAST_CLEARING_BYTES = 512;

export const createSessionCookies = (settings: SessionCookieSettings, warnOnce: WarnOnce): SessionCookies => {
  const nameInForce = (cookie: string): string => settings.cookies[cookie]?.name ?? cookie;
  const writer = (cookie: string) => {
    const { name, attributes } = settings.cookies[cookie] as SessionCookie;
    return cookieWriter(name, attributes);
  };
  const accessToken = writer(ACCESS_TOKEN_COOKIE);
  const refreshToken = writer(REFRESH_TOKEN_COOKIE);
  const idRefreshToken = writer(ID_REFRESH_TOKEN_COOKIE);

  const readNames = new Set([
    ...Object.entries(settings.cookies).flatMap(([cookie, { name }]) => guardedNamesOf(cookie, name)),
    ...(settings.alsoRead ?? []),
  ]);

  const read = (exchange: Exchange, cookie: string): readonly string[] => {
    const values = exchange.cookies(nameInForce(cookie));
    if (values.length > 0) return values;
    return namesOf(cookie)
      .filter((name) => readNames.has(name))
      .flatMap((name) => exchange.cookies(name))
      .slice(0, MOST_VALUES);
  };

  const carriesCookies = (exchange: Exchange): boolean =>
    [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE]
      .flatMap(namesOf)
      .some((name) => exchange.cookies(name).length > 0);

  const clearCookies = (exchange: Exchange, where: { readonly everywhere: boolean }): void => {
    const inForce = [accessToken("", 0), refreshToken("", 0), idRefreshToken("", 0)];
    appendCookies(exchange, leftCookieLines(exchange, settings, where), inForce);
  };

  return {
    settings,
    read,

    write(exchange, issued, transfer = "cookie") {
      if (transfer === "cookie")
        checkCookieSize(
          {
            name: ACCESS_TOKEN_COOKIE,
            bytes: nameInForce(ACCESS_TOKEN_COOKIE).length + issued.accessToken.token.length,
          },
          issued.session,
        );
      exchange.setHeader("Cache-Control", "no-store");
      if (transfer === "header") {
        if (carriesCookies(exchange)) clearCookies(exchange, { everywhere: false });
        expose(exchange, ACCESS_TOKEN_HEADER, issued.accessToken.token);
        expose(exchange, REFRESH_TOKEN_HEADER, issued.refreshToken.token);
        announceTokens(exchange, issued);
        return;
      }
      const { expiry } = issued.refreshToken;
      const { id, bytes: announced } = announceTokens(exchange, issued);
      const lines = [
        accessToken(issued.accessToken.token, issued.accessToken.expiry),
        refreshToken(issued.refreshToken.token, expiry),
        idRefreshToken(id, expiry),
      ];
      warnOfLargeAnswer(lineBytes(lines) + announced, warnOnce);
      appendCookies(exchange, leftCookieLines(exchange, settings, { everywhere: false }), lines, announced);
    },

    clear(exchange, which) {
      exchange.setHeader("Cache-Control", "no-store");
      const byHeader = wantedTransfer(exchange) === "header" || bearerToken(exchange) !== undefined;
      if (byHeader) {
        expose(exchange, ACCESS_TOKEN_HEADER, "");
        expose(exchange, REFRESH_TOKEN_HEADER, "");
      }
      if (carriesCookies(exchange) || (which === "all" && !byHeader))
        clearCookies(exchange, { everywhere: which !== "in_force" });
      announceEnd(exchange);
    },
  };
};

/**
 * Puts lines into an answer, and before them as many of those for left cookies as leave it small enough for proxies: a few of
 * them at random, so that later answers clear every place, and the likeliest of the others.
 */
const appendCookies = (exchange: Exchange, left: readonly string[], lines: readonly string[], announced = 0): void => {
  const used = lineBytes([...exchange.cookieLines(), ...lines]) + announced;
  const free = Math.max(MOST_HEAD_BYTES - used, LEAST_CLEARING_BYTES);
  const start = left.length > 0 ? randomInt(left.length) : 0;
  const chance = fitting([...left.slice(start), ...left.slice(0, start)], LEAST_CLEARING_BYTES);
  const others = left.filter((line) => !chance.includes(line));
  const likely = fitting(others, free - lineBytes(chance));
  for (const line of [...chance, ...likely]) exchange.appendCookie(line);
  for (const line of lines) exchange.appendCookie(line);
};

/** Those of the lines, in their order, that fit into so many bytes. */
const fitting = (lines: readonly string[], most: number): readonly string[] => {
  let free = most;
  return lines.filter((line) => {
    const bytes = lineBytes([line]);
    if (bytes > free) return false;
    free -= bytes;
    return true;
  });
};
