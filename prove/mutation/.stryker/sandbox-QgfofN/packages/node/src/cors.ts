import { NodeExchange, type NodeRequest, type NodeResponse } from "./exchange.js";

/** How long a browser may remember that it asked, in seconds; Chromium takes no more than two hours. */
const PREFLIGHT_MAX_AGE = "7200";

/**
 * Lets pages of these origins call with credentials (Fetch standard, CORS protocol). A preflight is answered in full: of a
 * trusted origin any header and method is allowed, for the session is what protects an API.
 * @returns whether the request was a preflight, so that nothing is left to do but to answer 204.
 */
export const setCorsHeaders = (req: NodeRequest, res: NodeResponse, origins: readonly string[]): boolean => {
  const exchange = new NodeExchange(req, res);
  const asked = exchange.header("access-control-request-method");
  const isPreflight = req.method === "OPTIONS" && asked !== undefined;
  exchange.appendHeader("Vary", "Origin");
  const origin = exchange.header("origin");
  if (origin === undefined || !origins.includes(origin)) return isPreflight;
  exchange.setHeader("Access-Control-Allow-Origin", origin);
  exchange.setHeader("Access-Control-Allow-Credentials", "true");
  if (!isPreflight) return false;
  exchange.appendHeader("Vary", "Access-Control-Request-Headers");
  exchange.setHeader("Access-Control-Allow-Methods", asked);
  exchange.setHeader("Access-Control-Allow-Headers", exchange.header("access-control-request-headers") ?? "");
  exchange.setHeader("Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
  return true;
};
