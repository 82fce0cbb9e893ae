import type { ArgumentsHost, CanActivate, ExceptionFilter, ExecutionContext } from "@nestjs/common";
import { Catch, createParamDecorator } from "@nestjs/common";
import { type Exchange, nodeExchange, type NodeRequest, type NodeResponse } from "../http/exchange.js";
import type { Conditions } from "../options/conditions.js";
import { type Pawl, requireAtOnce } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { forExpress } from "./express.js";
import { exchangeOf as fastifyExchange } from "./fastify.js";
import { send, type WritableResponse } from "./node.js";

/** What is needed of Fastify's reply. */
interface Reply {
  readonly raw: NodeResponse;
  code(status: number): Reply;
  headers(headers: Readonly<Record<string, string>>): Reply;
  send(body: unknown): unknown;
}

/** The response of Nest on Express, or its reply on Fastify. */
type NestResponse = WritableResponse | Reply;

const isReply = (response: NestResponse): response is Reply => "raw" in response;

const exchangeOf = (request: object, response: NestResponse): Exchange =>
  isReply(response)
    ? fastifyExchange(request as never, response as never)
    : nodeExchange(request as NodeRequest, response);

/** Answers the errors of sessions. */
class SessionErrorFilter implements ExceptionFilter<SessionError> {
  catch(error: SessionError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<NestResponse>();
    const answer = errorAnswer(error);
    if (isReply(response)) response.code(answer.status).headers(answer.headers).send(answer.body);
    else send(response, answer);
  }
}
Catch(SessionError)(SessionErrorFilter);

/**
 * Sessions for NestJS 12, on Express and on Fastify.
 * @example
 * export const { routes, errors, requireSession, CurrentSession } = forNest(pawl);
 * app.use(routes()).useGlobalFilters(errors());
 * // in a controller
 * @Get("me") @UseGuards(requireSession())
 * me(@CurrentSession() { userId }: Session) { return { userId }; }
 */
export const forNest = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => {
  const sessions = new WeakMap<object, Session<P, D, PI, DI>>();
  const sessionOf = (request: object): Session<P, D, PI, DI> => {
    const session = sessions.get(request);
    if (session === undefined) throw new TypeError("there is a session behind @UseGuards(requireSession()) only");
    return session;
  };

  return {
    /** A middleware with the session's routes, and CORS for the option `origins`: `app.use(routes())`. */
    routes: forExpress(pawl).routes,

    /** A filter that answers the errors of sessions: `app.useGlobalFilters(errors())`. */
    errors: (): ExceptionFilter<SessionError> => new SessionErrorFilter(),

    /** A guard that lets only requests with a session pass. @throws TypeError for conditions that cannot be right. */
    requireSession: (conditions?: Conditions<P, D>): CanActivate => {
      const required = requireAtOnce(pawl, conditions);
      return {
        async canActivate(context: ExecutionContext): Promise<boolean> {
          const http = context.switchToHttp();
          const request = http.getRequest<object>();
          sessions.set(request, await required(exchangeOf(request, http.getResponse())));
          return true;
        },
      };
    },

    /** The session of a request behind the guard, as an argument of a controller's method. */
    CurrentSession: createParamDecorator((_, context) => sessionOf(context.switchToHttp().getRequest())),

    /** The session of a request behind the guard. @throws TypeError elsewhere. */
    sessionOf,

    /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
    createSession: (
      request: object,
      response: NestResponse,
      input: SessionInput<PI, DI>,
      options?: FindOptions,
    ): Promise<Session<P, D, PI, DI>> => pawl.createSession(exchangeOf(request, response), input, options),

    /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
    getSession: (
      request: object,
      response: NestResponse,
      options?: FindOptions,
    ): Promise<Session<P, D, PI, DI> | undefined> => pawl.getSession(exchangeOf(request, response), options),

    /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
    signOut: (request: object, response: NestResponse, options?: FindOptions): Promise<void> =>
      pawl.signOut(exchangeOf(request, response), options),
  };
};
