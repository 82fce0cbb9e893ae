import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { type Exchange, nodeExchange } from "../http/exchange.js";
import type { Conditions } from "../options/conditions.js";
import { type Pawl, requireAtOnce } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { type Answer, errorAnswer, SessionError } from "../session-error.js";

export const exchangeOf = (request: FastifyRequest, reply: FastifyReply): Exchange => nodeExchange(request, reply.raw);

const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply =>
  reply.code(status).headers(headers).send(body);

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
  const key = Symbol("session");
  type Keeper = { [key]?: Session<P, D, PI, DI> };

  return {
    /** A plugin with the session's routes, and CORS for the option `origins`. */
    routes: (): FastifyPluginAsync =>
      Object.assign(
        (async (fastify) => {
          fastify.addHook("onRequest", (request, reply, done) => {
            const answer = pawl.handle(exchangeOf(request, reply));
            if (answer === undefined) return done();
            Promise.resolve(answer).then((given) => (given === undefined ? done() : send(reply, given)), done);
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

    /** A `preHandler` that lets only requests with a session pass. @throws TypeError for conditions that cannot be right. */
    requireSession: (conditions?: Conditions<P, D>) => {
      const required = requireAtOnce(pawl, conditions);
      return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
        const pass = (session: Session<P, D, PI, DI>): void => {
          (request as Keeper)[key] = session;
          done();
        };
        const found = required(exchangeOf(request, reply));
        if (found instanceof Promise) found.then(pass, done);
        else pass(found);
      };
    },

    /** The session of a request behind `requireSession`. @throws TypeError elsewhere. */
    sessionOf: (request: object): Session<P, D, PI, DI> => {
      const session = (request as Keeper)[key];
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
        return send(reply, errorAnswer(error as unknown as SessionError));
      },
  };
};
