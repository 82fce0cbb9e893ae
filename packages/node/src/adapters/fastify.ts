import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { type Exchange, nodeExchange } from "../http/exchange.js";
import type { Conditions, Pawl, SessionInput } from "../pawl.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";

export const exchangeOf = ({ raw, ip, originalUrl }: FastifyRequest, reply: FastifyReply): Exchange => {
  const { headers, socket, method, url } = raw;
  return nodeExchange({ headers, socket, method, url, originalUrl, ip }, reply.raw);
};

/**
 * Sessions for Fastify 5.
 * @example
 * const { routes, errors, createSession, requireSession, sessionOf } = forFastify(pawl);
 * app.register(routes());
 * app.setErrorHandler(errors());
 * app.get("/me", { preHandler: requireSession() }, (request) => ({ userId: sessionOf(request).userId }));
 */
export const forFastify = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => {
  const sessions = new WeakMap<object, Session<P, D, PI, DI>>();

  return {
    /** A plugin with the session's routes, and CORS for the option `origins`. */
    routes: (): FastifyPluginAsync =>
      Object.assign(
        (async (fastify) => {
          fastify.addHook("onRequest", async (request, reply) => {
            const answer = await pawl.handle(exchangeOf(request, reply));
            return answer && reply.code(answer.status).headers(answer.headers).send(answer.body);
          });
        }) satisfies FastifyPluginAsync,
        // For the whole application, not for a scope of its own.
        { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "@pawl/node" },
      ),

    /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
    createSession: (
      request: FastifyRequest,
      reply: FastifyReply,
      input: SessionInput<PI, DI>,
      options?: FindOptions,
    ): Promise<Session<P, D, PI, DI>> => pawl.createSession(exchangeOf(request, reply), input, options),

    /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
    getSession: (
      request: FastifyRequest,
      reply: FastifyReply,
      options?: FindOptions,
    ): Promise<Session<P, D, PI, DI> | undefined> => pawl.getSession(exchangeOf(request, reply), options),

    /** A `preHandler` that lets only requests with a session pass. */
    requireSession:
      (conditions?: Conditions<P, D>) =>
      async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        sessions.set(request, await pawl.requireSession(exchangeOf(request, reply), conditions));
      },

    /** The session of a request behind `requireSession`. @throws TypeError elsewhere. */
    sessionOf: (request: object): Session<P, D, PI, DI> => {
      const session = sessions.get(request);
      if (session === undefined) throw new TypeError("sessionOf needs the preHandler requireSession() on this route");
      return session;
    },

    /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
    signOut: (request: FastifyRequest, reply: FastifyReply, options?: FindOptions): Promise<void> =>
      pawl.signOut(exchangeOf(request, reply), options),

    /** An error handler that answers the errors of sessions and passes others on. */
    errors:
      () =>
      (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): unknown => {
        if (!((error as unknown) instanceof SessionError)) throw error;
        const { status, headers, body } = errorAnswer(error as unknown as SessionError);
        return reply.code(status).headers(headers).send(body);
      },
  };
};
