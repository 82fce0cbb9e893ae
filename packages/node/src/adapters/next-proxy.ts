import { NextResponse } from "next/server";
import { isSafe } from "../http/csrf.js";
import type { Pawl } from "../pawl.js";
import { SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";
import { nextExchange, PATH_HEADER } from "./next-exchange.js";

/** In the query of a request that was sent again with new cookies, so that it is not sent a third time. */
const AGAIN = "pawl-refreshed";

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

const sentAgainTo = (location: string | URL): Response =>
  new Response(undefined, { status: 307, headers: { location: String(location) } });

/**
 * Answers the session's routes, and refreshes before Next.js renders. A page may take long, and cookies that come late
 * could bring an old token back: so they are sent at once, with a redirect to where the browser is. Where it does not keep
 * them, it comes back without them and is not sent away again: this request alone has the session.
 */
export const refreshBefore = async (pawl: Pawl<never, never, never, never>, request: Request): Promise<Response> => {
  const exchange = nextExchange(request);
  const answer = await pawl.handle(exchange);
  if (answer !== undefined) return exchange.applyTo(withWholeLocation(responseOf(answer), request.url));

  const url = new URL(request.url);
  const isAgain = url.searchParams.has(AGAIN);
  url.searchParams.delete(AGAIN);
  const { status } = await pawl.readSession(exchange);
  const refresh = (): Promise<unknown> =>
    pawl.getSession(exchange).catch((error: unknown) => {
      // The page says so, or does not ask.
      if (!(error instanceof SessionError)) throw error;
    });
  const isRefreshed = status === "try_refresh" && (await refresh()) !== undefined;
  if (isRefreshed && !isAgain) {
    url.searchParams.set(AGAIN, "");
    return exchange.applyTo(sentAgainTo(url));
  }
  if (isAgain && status !== "try_refresh" && isSafe(exchange)) return sentAgainTo(url);

  const { headers: written } = exchange.applyTo(new Response());
  const headers = headersAfter(request.headers, written.getSetCookie());
  headers.set(PATH_HEADER, url.pathname + url.search);
  const passed = isAgain
    ? NextResponse.rewrite(url, { request: { headers } })
    : NextResponse.next({ request: { headers } });
  if (!isRefreshed) for (const [name, value] of written) passed.headers.append(name, value);
  return passed;
};
