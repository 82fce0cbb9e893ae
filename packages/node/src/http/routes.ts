import type { LogoutAnswer } from "../backend/session-backend.js";
import { answerLogout } from "./backchannel-logout.js";
import type { Exchange } from "./exchange.js";
import { isFromOwnPage } from "@pawl/protocol";
import { isPageVisit } from "./page-visit.js";
import { withRefreshMark } from "./refresh-mark.js";
import { DEVICE_ROUTE } from "./refresh-path.js";
import { type Answer, errorAnswer, SessionError } from "../session-error.js";

/** What the routes need of a `Pawl`. */
export interface RoutedPawl {
  refreshSession(exchange: Exchange, options?: { readonly csrf?: boolean }): Promise<unknown>;
  readSession(exchange: Exchange): Promise<{ readonly status: string }>;
  signOut(exchange: Exchange): Promise<void>;
  /** Answers what browsers ask that bind sessions to their device. */
  answerDevice(exchange: Exchange): Promise<Answer>;
}

/** Where a request goes, below where the routes are mounted. */
export interface RouteTarget {
  readonly path: string;
  readonly origins: readonly string[];
  /** Whether all paths are shown the same session. */
  readonly isSameOnAllPaths: boolean;
  /** Takes logout tokens of identity providers; undefined where there are none. */
  readonly receiveLogout: ((logoutToken: string) => Promise<LogoutAnswer>) | undefined;
}

type Route = (pawl: RoutedPawl, exchange: Exchange, target: RouteTarget) => Promise<Answer> | undefined;

const answer = (status: number, body?: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers,
  body,
});

const refresh: Route = async (pawl, exchange) => {
  await pawl.refreshSession(exchange);
  return answer(200, {});
};

const signOut: Route = async (pawl, exchange) => {
  await pawl.signOut(exchange);
  return answer(200, { status: "OK" });
};

const seeOther = (location: string): Answer => answer(303, undefined, { Location: location });

/**
 * For a page that is rendered where no cookie can be set: the browser comes here, gets its cookies, comes here again to show
 * what it keeps, and is sent back. Unless that tells what the page will see, the page is told not to ask again.
 */
const refreshAndReturn: Route = async (pawl, exchange, { origins, isSameOnAllPaths }) => {
  // A picture, a script or a frame of another site is no page that somebody wants to see.
  if (!isPageVisit(exchange) && !isFromOwnPage(exchange, origins))
    throw new SessionError("CSRF", "this request came from another site");
  const query = new URLSearchParams(exchange.query());
  const page = ownPath(query.get("return"));
  if (query.has("tried")) {
    const { status } = await pawl.readSession(exchange);
    return seeOther(isSameOnAllPaths && status === "valid" ? page : withRefreshMark(page));
  }
  try {
    await pawl.refreshSession(exchange, { csrf: false });
  } catch (error) {
    // It has ended and its cookies are cleared: the page will say so. A bound one is refreshed when the browser comes again.
    if (!(error instanceof SessionError) || error.status !== 401 || error.code === "TRY_REFRESH") throw error;
  }
  // To itself, whatever path a proxy gave it (RFC 3986 section 5.2.2).
  return seeOther(`?${new URLSearchParams({ return: page, tried: "" }).toString()}`);
};

const logout: Route = (_pawl, exchange, { receiveLogout }) =>
  receiveLogout === undefined ? undefined : answerLogout(exchange, receiveLogout);

/** By path, then by method. */
const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  "/session/refresh": { POST: refresh, GET: refreshAndReturn },
  "/session/backchannel-logout": { POST: logout },
  [DEVICE_ROUTE]: { POST: (pawl, exchange) => pawl.answerDevice(exchange) },
  "/signout": { POST: signOut },
};

/**
 * Answers the session's own routes, also with a slash at the end, which some frameworks add. Undefined at once for every
 * other request, which is left untouched.
 */
export const answerRoute = (pawl: RoutedPawl, exchange: Exchange, target: RouteTarget): Promise<Answer> | undefined => {
  const route = routes[target.path.replace(/\/$/, "")]?.[exchange.method];
  return route?.(pawl, exchange, target)?.catch((error: unknown) => {
    if (!(error instanceof SessionError)) throw error;
    return errorAnswer(error);
  });
};

/** Says the part of a path below a base path, which may end with a slash or not; undefined where it is not below it. */
export const pathBelow = (basePath: string): ((path: string) => string | undefined) => {
  const base = basePath.replace(/\/+$/, "");
  const start = `${base}/`;
  return (path) => (path.startsWith(start) ? path.slice(base.length) : undefined);
};

/** A path on this host, whatever was asked for: `//host`, `/\host` and URLs would lead elsewhere. */
const ownPath = (wanted: string | null): string =>
  wanted !== null && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(wanted) ? wanted : "/";
