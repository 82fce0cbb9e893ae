import type { Exchange } from "./exchange.js";

/** How long a browser may remember that it asked, in seconds; Chromium takes no more than two hours. */
const PREFLIGHT_MAX_AGE = "7200";

/**
 * Lets pages of these origins call with credentials (Fetch standard, CORS protocol). A preflight of theirs is answered in
 * full: of a trusted origin any header and method is allowed, for the session is what protects an API. The preflight of any
 * other origin is left as it is, for the application may know that origin.
 * @returns whether it was a preflight of theirs, so that nothing is left to do but to answer 204.
 */
export const setCorsHeaders = (exchange: Exchange, origins: readonly string[]): boolean => {
  if (origins.length === 0 || !exchange.canWrite()) return false;
  const asked = exchange.header("access-control-request-method");
  const isPreflight = exchange.method === "OPTIONS" && asked !== undefined;
  const origin = exchange.header("origin");
  const isTrusted = origin !== undefined && origins.includes(origin);
  // An answer without these headers is another one than a trusted origin would get, so it varies too; no cache keeps a preflight.
  if (!isPreflight || isTrusted) exchange.appendHeader("Vary", "Origin");
  if (!isTrusted) return false;
  exchange.setHeader("Access-Control-Allow-Origin", origin);
  exchange.setHeader("Access-Control-Allow-Credentials", "true");
  if (!isPreflight) return false;
  exchange.appendHeader("Vary", "Access-Control-Request-Headers");
  exchange.setHeader("Access-Control-Allow-Methods", asked);
  exchange.setHeader("Access-Control-Allow-Headers", exchange.header("access-control-request-headers") ?? "");
  exchange.setHeader("Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
  return true;
};
