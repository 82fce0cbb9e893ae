import { NodeExchange, type NodeRequest, setCorsHeaders } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";
import { defaultPawl, isInitialised } from "./default-pawl.js";
import { errorAnswer, type RouteAnswer } from "./error-answer.js";
import { createRefreshRouteCheck } from "./refresh-route.js";
import { SessionError } from "./session-error.js";
import { answerSessionRoute, pathBelow, type RoutedPawl } from "./session-routes.js";

/** What is needed of Express' request. */
export interface ExpressRequest extends NodeRequest {
  readonly method: string;
  readonly url: string;
  /** The path of the router that the middleware stands in; a URL that was rewritten does not change it. */
  readonly baseUrl?: string | undefined;
}

/** What is needed of Express' response; that of `node:http` has it. */
export interface ExpressResponse extends NodeResponse {
  statusCode: number;
  end(): unknown;
  end(body: string): unknown;
}

type Next = (error?: unknown) => void;

export interface SessionMiddlewareOptions {
  /** The instance that `init` made unless given. */
  readonly pawl?: RoutedPawl | undefined;
  /** Path before `/session/refresh` and `/signout`; none unless given. The refresh cookie's path must cover it. */
  readonly basePath?: string | undefined;
}

/**
 * Express middleware (4 and 5) with the routes of a session: `POST <base>/session/refresh`, `POST <base>/signout`, and
 * `GET <base>/session/refresh?return=/page` for pages rendered on the server. It also allows the origins of the option
 * `origins` to call the whole application, and answers their preflights; mount it first.
 * @throws SessionError `GENERAL_ERROR` for a base path to which browsers do not send the refresh cookie; where only a request
 * tells, it is passed on as an error.
 */
export const sessionMiddleware = ({ pawl, basePath = "" }: SessionMiddlewareOptions = {}) => {
  const checkRefreshRoute = createRefreshRouteCheck(basePath);
  checkRefreshRoute((pawl ?? (isInitialised() ? defaultPawl() : undefined))?.refreshTokenPath);
  return async (req: ExpressRequest, res: ExpressResponse, next: Next): Promise<void> => {
    try {
      const instance = pawl ?? defaultPawl();
      const [path = "", query] = req.url.split("?", 2);
      checkRefreshRoute(instance.refreshTokenPath, req.baseUrl ?? "");
      const isPreflight = setCorsHeaders(new NodeExchange(req, res), instance.csrf.origins);
      if (isPreflight) return send(res, { status: 204, body: undefined });
      const request = { method: req.method, path: pathBelow(basePath, path), query: new URLSearchParams(query) };
      const answer = await answerSessionRoute(instance, { ...request, req, res });
      if (answer === undefined) return next();
      send(res, answer);
    } catch (error) {
      next(error);
    }
  };
};

/** Express error handler: answers the errors of sessions as the SDKs of browsers expect it, passes others on. */
export const sessionErrorHandler =
  () =>
  (error: unknown, _req: unknown, res: ExpressResponse, next: Next): void => {
    if (SessionError.isErrorFromAuth(error)) send(res, errorAnswer(error));
    else next(error);
  };

const send = (res: ExpressResponse, { status, headers = {}, body }: RouteAnswer): void => {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (body === undefined) {
    res.end();
    return;
  }
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(body));
};
