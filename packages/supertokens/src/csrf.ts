import { type Exchange, isFromOwnPage } from "@pawl/node/http";
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

/** Whether a browser loads a page into a tab of its own, as far as it says (Fetch Metadata). */
export const isPageVisit = (exchange: Exchange): boolean => {
  const [mode, destination] = [exchange.header("sec-fetch-mode"), exchange.header("sec-fetch-dest")];
  return exchange.method === "GET" && (mode ?? "navigate") === "navigate" && (destination ?? "document") === "document";
};

/**
 * Whether a browser says that another site had it sent, and not by a script that asks for the answer: a link, a form, a
 * picture, `no-cors`. A script's request (CORS) may be that of a page whose origin only the application knows.
 */
export const isForeignRequest = (exchange: Exchange, origins: readonly string[]): boolean => {
  const mode = exchange.header("sec-fetch-mode");
  return mode !== undefined && mode !== "cors" && !isFromOwnPage(exchange, origins);
};

/** Whether a request may change something, by its method (RFC 9110 section 9.2.1). */
export const isUnsafe = (exchange: Exchange): boolean => {
  return !["GET", "HEAD", "OPTIONS"].includes(exchange.method);
};
