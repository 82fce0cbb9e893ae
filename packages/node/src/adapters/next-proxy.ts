import { NextResponse } from "#next/server";
import { isSafe, wasJustRefreshed } from "@pawl/protocol";
import type { FetchExchange } from "../http/fetch-exchange.js";
import { takeRefreshMark, withRefreshMark } from "../http/refresh-mark.js";
import type { Pawl } from "../pawl.js";
import { SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";
import { nextExchange, PATH_HEADER } from "./next-exchange.js";

/** The headers of a request as its browser would send it after an answer with these cookies. */
const headersAfter = (given: Headers, lines: readonly string[]): Headers => {
  const jar = new Map((given.get("cookie") ?? "").split(/; */).map((pair) => [pair.split("=", 1)[0], pair]));
  for (const line of lines) {
    const [, pair = "", name = "", value] = /^(([^=]*)=([^;]*))/.exec(line) ?? [];
    if (value === "") jar.delete(name);
    else jar.set(name, pair);
  }
  const headers = new Headers(given);
  headers.set("cookie", [...jar.values()].join("; "));
  return headers;
};

/** Next.js takes no other location from a proxy, and makes it relative again. */
const withWholeLocation = (response: Response, base: string): Response => {
  const location = response.headers.get("location");
  if (location !== null) response.headers.set("location", String(new URL(location, base)));
  return response;
};

const sentAgainTo = (location: string): Response => new Response(undefined, { status: 307, headers: { location } });

/**
 * Answers the session's routes, and refreshes before Next.js renders. A page may take long, and cookies that come late
 * could bring an old token back: so they are sent at once, with a redirect to where the browser is. Where it does not keep
 * them, it comes back without them and is not sent away again: this request alone has the session.
 */
export const refreshBefore = async (pawl: Pawl<never, never, never, never>, request: Request): Promise<Response> => {
  const { method, headers: given } = request;
  const url = new URL(request.url);
  const isAgain = wasJustRefreshed(url.search.slice(1));
  const isMarked = takeRefreshMark(url);
  const exchange = nextExchange({ url: String(url), method, headers: given }, request);
  const answer = await pawl.handle(exchange);
  if (answer !== undefined) return exchange.applyTo(withWholeLocation(responseOf(answer), request.url));

  const { status } = await pawl.readSession(exchange);
  const outcome = status === "try_refresh" ? await refresh(pawl, exchange) : status;
  if (outcome === "refreshed" && !isAgain) return exchange.applyTo(sentAgainTo(withRefreshMark(String(url))));
  if (isMarked && status !== "try_refresh" && isSafe(exchange)) return sentAgainTo(String(url));

  const { headers: written } = exchange.applyTo(new Response());
  const headers = headersAfter(given, written.getSetCookie());
  // A page must not send away to refresh what has just been tried.
  const isOver = outcome === "none" || (outcome === "failed" && isAgain);
  const path = url.pathname + url.search;
  headers.set(PATH_HEADER, isOver ? withRefreshMark(path) : path);
  const passed = isMarked
    ? NextResponse.rewrite(url, { request: { headers } })
    : NextResponse.next({ request: { headers } });
  if (outcome !== "refreshed") for (const [name, value] of written) passed.headers.append(name, value);
  return passed;
};

const refresh = async (
  pawl: Pawl<never, never, never, never>,
  exchange: FetchExchange,
): Promise<"refreshed" | "none" | "failed"> => {
  try {
    return (await pawl.getSession(exchange)) === undefined ? "none" : "refreshed";
  } catch (error) {
    // The page says so, or does not ask.
    if (error instanceof SessionError) return "failed";
    throw error;
  }
};
