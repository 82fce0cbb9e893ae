import { NodeExchange, setCorsHeaders } from "@pawl/node/http";
import { defaultPawl, isInitialised } from "./default-pawl.js";
import { errorAnswer, type RouteAnswer } from "./error-answer.js";
import { type FetchExchange, fetchExchange } from "./fetch-exchange.js";
import { SessionError } from "./session-error.js";
import { createRefreshRouteCheck } from "./refresh-route.js";
import { answerSessionRoute, pathBelow, type RoutedPawl } from "./session-routes.js";

export { type FetchExchange, fetchExchange, type FetchRequest } from "./fetch-exchange.js";

export interface SessionHandlerOptions {
  /** The instance that `init` made unless given. */
  readonly pawl?: RoutedPawl | undefined;
  /** Path before `/session/refresh` and `/signout`; none unless given. The refresh cookie's path must cover it. */
  readonly basePath?: string | undefined;
}

/** Answers one request of the application itself; what it throws of sessions is answered too. */
export type ApplicationHandler = (request: Request, exchange: FetchExchange) => Response | Promise<Response>;

/**
 * Puts sessions around an application of the form Request → Response: the routes `POST <base>/session/refresh`,
 * `POST <base>/signout` and `GET <base>/session/refresh?return=/page`; CORS for the origins of the option `origins`; cookies
 * and headers that the application's own handler caused; and errors of sessions as answers.
 * @example
 * export const handle = sessionHandler({}, async (request, { req, res }) => {
 *   const session = await getSession(req, res, request.method !== "GET");
 *   return Response.json({ userId: session.getUserId() });
 * });
 * @throws SessionError `GENERAL_ERROR` for a base path to which browsers do not send the refresh cookie; where only the core
 * tells, all requests are answered 503.
 */
export const sessionHandler = ({ pawl, basePath = "" }: SessionHandlerOptions, application: ApplicationHandler) => {
  const checkRefreshRoute = createRefreshRouteCheck(basePath);
  checkRefreshRoute((pawl ?? (isInitialised() ? defaultPawl() : undefined))?.refreshTokenPath);
  return async (request: Request): Promise<Response> => {
    const instance = pawl ?? defaultPawl();
    const exchange = fetchExchange(request);
    const { req, res, applyTo } = exchange;
    const isPreflight = setCorsHeaders(new NodeExchange(req, res), instance.csrf.origins);
    if (isPreflight) return applyTo(new Response(undefined, { status: 204 }));
    const { pathname, searchParams: query } = new URL(request.url);
    try {
      checkRefreshRoute(instance.refreshTokenPath, "");
      const path = pathBelow(basePath, pathname);
      const answer = await answerSessionRoute(instance, { method: request.method, path, query, req, res });
      return applyTo(answer === undefined ? await application(request, exchange) : responseOf(answer));
    } catch (error) {
      if (!SessionError.isErrorFromAuth(error)) throw error;
      return applyTo(responseOf(errorAnswer(error)));
    }
  };
};

const responseOf = ({ status, headers = {}, body }: RouteAnswer): Response =>
  body === undefined ? new Response(undefined, { status, headers }) : Response.json(body, { status, headers });
