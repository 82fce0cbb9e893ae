import { createWarnings } from "@pawl/node/backend";
import { generalError, type SessionError, shown } from "./session-error.js";

/** The route that refreshes, below a base path. */
const REFRESH_ROUTE = "/session/refresh";

/** The code of the process warning about a refresh route that browsers do not send the refresh cookie to. */
export const UNREACHED_ROUTE = "PAWL_REFRESH_COOKIE_PATH";

/** Whether browsers send a cookie of this path to another path (RFC 6265 section 5.1.4). */
export const coversPath = (cookiePath: string, path: string): boolean =>
  path === cookiePath || path.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`);

/** For an application to whose refresh route browsers do not send the refresh cookie. */
export const unreachedRoute = (cookiePath: string, route: string): SessionError =>
  generalError(
    `the refresh cookie has the path ${shown(cookiePath)}, so browsers do not send it to ${shown(route)}: set cookies.refreshTokenPath, or the core's refresh_api_path`,
  );

/**
 * Checks where the routes are, until it was right once: with the base path alone, and with the path a router is mounted at,
 * which only requests show. The front of a path may be a proxy's, so only a cookie path that names another refresh route is
 * refused. Without this every user would be logged out when the first access token ends. What a request shows is also told
 * once as a process warning, because pages only get 503.
 * @throws SessionError `GENERAL_ERROR` naming both paths.
 */
export const createRefreshRouteCheck = (basePath: string) => {
  if (basePath !== "" && !basePath.startsWith("/"))
    throw generalError(`basePath must start with /, not ${shown(basePath)}`);
  const warnOnce = createWarnings();
  const below = basePath.replace(/\/+$/, "") + REFRESH_ROUTE;
  return (cookiePath: string | undefined, mount?: string): void => {
    const route = (mount ?? "") + below;
    if (cookiePath === undefined || coversPath(cookiePath, route)) return;
    if (!cookiePath.endsWith(REFRESH_ROUTE) || cookiePath.endsWith(route)) return;
    const error = unreachedRoute(cookiePath, route);
    if (mount !== undefined) warnOnce(UNREACHED_ROUTE, error.message);
    throw error;
  };
};
