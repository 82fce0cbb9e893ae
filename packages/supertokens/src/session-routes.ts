import {
  type Exchange,
  NodeExchange,
  type NodeRequest,
  type NodeResponse,
  bearerToken,
  isFromOwnPage,
} from "@pawl/node/http";
import { type CsrfRules, isPageVisit, passesCsrfCheck } from "./csrf.js";
import { errorAnswer, type RouteAnswer } from "./error-answer.js";
import type { PageRefresh } from "./page-refresh.js";
import { SessionError } from "./session-error.js";

/** What the routes need of a `Pawl`, whatever its payload is. */
export interface RoutedPawl {
  readonly csrf: CsrfRules;
  readonly refreshTokenPath: string | undefined;
  getSession(req: NodeRequest, res: NodeResponse, doAntiCsrfCheck: boolean): Promise<{ signOut(): Promise<void> }>;
  refreshSession(req: NodeRequest, res: NodeResponse): Promise<unknown>;
  refreshForPage(req: NodeRequest, res: NodeResponse, mark: string | undefined): Promise<PageRefresh>;
}

/** The part of a path below a base path, which may end with a slash or not; empty where it is not below it. */
export const pathBelow = (basePath: string, path: string): string => {
  const base = basePath.replace(/\/+$/, "");
  return path.startsWith(`${base}/`) ? path.slice(base.length) : "";
};

/** A request that may be for one of the session's own routes. */
export interface RoutedRequest {
  readonly method: string;
  /** Below the base path. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly req: NodeRequest;
  readonly res: NodeResponse;
}

const FOREIGN_PAGE: RouteAnswer = { status: 403, body: { message: "this request came from another site" } };
const KEEPS_NO_COOKIES: RouteAnswer = { status: 403, body: { message: "this browser does not keep cookies" } };

/**
 * Answers `POST /session/refresh`, `GET /session/refresh?return=/page` and `POST /signout`.
 * @returns undefined for everything else. What is no session error is thrown on.
 */
export const answerSessionRoute = async (
  pawl: RoutedPawl,
  request: RoutedRequest,
): Promise<RouteAnswer | undefined> => {
  const route = routes[`${request.method} ${request.path}`];
  if (route === undefined) return undefined;
  try {
    return await route(pawl, request);
  } catch (error) {
    if (!SessionError.isErrorFromAuth(error)) throw error;
    return errorAnswer(error);
  }
};

type Route = (pawl: RoutedPawl, request: RoutedRequest) => Promise<RouteAnswer>;

const refresh: Route = async (pawl, { req, res }) => {
  if (!isAllowed(pawl, new NodeExchange(req, res))) return FOREIGN_PAGE;
  await pawl.refreshSession(req, res);
  return { status: 200, body: {} };
};

const signOut: Route = async (pawl, { req, res }) => {
  if (!isAllowed(pawl, new NodeExchange(req, res))) return FOREIGN_PAGE;
  const session = await pawl.getSession(req, res, true);
  await session.signOut();
  return { status: 200, body: { status: "OK" } };
};

/**
 * For a page that is rendered on the server and found `try_refresh`: the browser is sent here, gets its cookies, shows that
 * it keeps them, and is sent back. A link of another site may lead here; that harms nobody, as with every repeated refresh.
 */
const refreshAndReturn: Route = async (pawl, { req, res, query }) => {
  const exchange = new NodeExchange(req, res);
  // A picture, a script or a frame of another site is no page that somebody wants to see.
  if (!isPageVisit(exchange) && !isFromOwnPage(exchange, pawl.csrf.origins)) return FOREIGN_PAGE;
  const page = ownPath(query.get("return"));
  const refreshed = await pawl.refreshForPage(req, res, query.get("tried") ?? undefined);
  if (refreshed.kind === "keeps_no_cookies") return KEEPS_NO_COOKIES;
  // To itself, whatever path a proxy gave it (RFC 3986 section 5.2.2).
  const location =
    refreshed.kind === "tried" ? `?${new URLSearchParams({ return: page, tried: refreshed.mark }).toString()}` : page;
  return { status: 303, headers: { Location: location }, body: undefined };
};

const routes: Readonly<Record<string, Route>> = {
  "POST /session/refresh": refresh,
  "GET /session/refresh": refreshAndReturn,
  "POST /signout": signOut,
};

/** Tokens in headers are sent by no browser of itself; with cookies, the page must be one of ours. */
const isAllowed = ({ csrf }: RoutedPawl, exchange: Exchange): boolean =>
  bearerToken(exchange) !== undefined || (isFromOwnPage(exchange, csrf.origins) && passesCsrfCheck(exchange, csrf));

/** A path on this host, whatever was asked for: `//host`, `/\host` and URLs would lead elsewhere. */
const ownPath = (wanted: string | null): string =>
  wanted !== null && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(wanted) ? wanted : "/";
