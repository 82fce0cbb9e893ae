import { isOriginOf } from "./authority.js";
import type { Exchange } from "./exchange.js";
import { hidesHost } from "./local-development.js";
import { SessionError } from "../session-error.js";

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = ["GET", "HEAD", "OPTIONS"];

export const isSafe = ({ method }: Exchange): boolean => SAFE.includes(method);

/**
 * Whether a browser says that the request comes from a page of this application: Fetch Metadata (`Sec-Fetch-Site`), where
 * it is absent the `Origin`. Without both no browser sent it, and no site had a hand in it.
 */
export const isFromOwnPage = (exchange: Exchange, origins: readonly string[]): boolean => {
  const site = exchange.header("sec-fetch-site");
  if (site === "same-origin" || site === "none") return true;
  const origin = exchange.header("origin");
  if (origin === undefined) return site === undefined;
  if (origins.includes(origin)) return true;
  return site === undefined && isOriginOf(origin, exchange.authority());
};

/** @throws SessionError `CSRF` for an unsafe request that a page of another site may have sent. */
export const checkOwnPage = (exchange: Exchange, origins: readonly string[]): void => {
  if (isSafe(exchange) || isFromOwnPage(exchange, origins)) return;
  throw new SessionError(
    "CSRF",
    hidesHost(exchange)
      ? "this request seems to come from another site, because a proxy passes its own address as Host: " +
          "let it pass the browser's (nginx: proxy_set_header Host $host)"
      : "this request came from another site; pages of other origins that may send it belong in the option origins",
  );
};
