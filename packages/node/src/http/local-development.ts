import { hostOf } from "@pawl/protocol";
import type { Exchange } from "./exchange.js";

/** What proxies add to a request: behind one, the browser may be anywhere. */
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/** Names and addresses of the machine itself (RFC 6761 section 6.3, RFC 5735 section 3, RFC 4291 section 2.5.3). */
const isLoopback = (authority: string): boolean => {
  const host = hostOf(authority);
  return host === "[::1]" || /^(?:[a-z0-9-]+\.)*localhost$/.test(host) || /^127(?:\.\d{1,3}){3}$/.test(host);
};

const isLoopbackPage = (origin: string): boolean =>
  origin.startsWith("http:") && URL.canParse(origin) && isLoopback(new URL(origin).host);

export const isProduction = (): boolean => process.env["NODE_ENV"] === "production";

/** Whether the connection comes from this machine over plain HTTP, as far as the request shows. */
const looksLocal = (exchange: Exchange): boolean => {
  if (exchange.isEncrypted()) return false;
  const authority = exchange.authority();
  if (authority === undefined || !isLoopback(authority)) return false;
  return PROXY_HEADERS.every((name) => exchange.header(name) === undefined);
};

/**
 * Whether a browser on this machine asks over plain HTTP, as during development: the only case in which cookies are
 * neither `Secure` nor prefixed, for some browsers keep no `Secure` cookie of `http://localhost`.
 */
export const isLocalDevelopment = (exchange: Exchange): boolean => {
  if (!looksLocal(exchange)) return false;
  const origin = exchange.header("origin");
  return origin === undefined || isLoopbackPage(origin);
};

/**
 * Whether an https page asks what seems to be development on this machine: a proxy that passes its own address as `Host`,
 * nginx' default, or a page of another site.
 */
export const hidesHost = (exchange: Exchange): boolean =>
  exchange.header("origin")?.startsWith("https:") === true && looksLocal(exchange);
