import { isOriginOf } from "./authority.js";
import type { Exchange } from "./exchange.js";
import type { CsrfMode } from "./options.js";

/**
 * Headers that browser SDKs send with each request. A page on another origin cannot make a browser send one without
 * asking first, and what it may send is what CORS allows it.
 */
const CUSTOM_HEADERS = ["st-auth-mode", "rid", "supertokens-sdk-name"] as const;

/** What a request is judged by. */
export interface CsrfRules {
  readonly mode: CsrfMode;
  /** Origins besides the application's own. */
  readonly origins: readonly string[];
}

/** Whether the mode lets a request pass; the token of the mode `token` is compared with the access token's elsewhere. */
export const passesCsrfCheck = (exchange: Exchange, { mode, origins }: CsrfRules): boolean => {
  if (mode === "header") return CUSTOM_HEADERS.some((name) => exchange.header(name) !== undefined);
  return mode === "token" || isFromOwnPage(exchange, origins);
};

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

/** Whether a browser says that a page of another site sent it here: a link, or a form. */
export const isForeignNavigation = (exchange: Exchange): boolean => {
  const site = exchange.header("sec-fetch-site");
  return exchange.header("sec-fetch-mode") === "navigate" && (site === "cross-site" || site === "same-site");
};
