import { isOriginOf } from "./authority.js";

/** What has to be known of a browser's request. */
export interface BrowserRequest {
  /** In upper case. */
  readonly method: string;
  /** A request header; `name` in lower case. */
  header(name: string): string | undefined;
  /** The host, with the port where one was given, that the request was sent to. */
  authority(): string | undefined;
}

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = ["GET", "HEAD", "OPTIONS"];

export const isSafe = ({ method }: Pick<BrowserRequest, "method">): boolean => SAFE.includes(method);

/**
 * Whether a browser says that the request comes from a page of this application: Fetch Metadata (`Sec-Fetch-Site`), where
 * it is absent the `Origin`. Without both no browser sent it, and no site had a hand in it.
 */
export const isFromOwnPage = (request: Omit<BrowserRequest, "method">, origins: readonly string[]): boolean => {
  const site = request.header("sec-fetch-site");
  if (site === "same-origin" || site === "none") return true;
  const origin = request.header("origin");
  if (origin === undefined) return site === undefined;
  if (origins.includes(origin)) return true;
  return site === undefined && isOriginOf(origin, request.authority());
};
