import { fetchExchange } from "../http/fetch-exchange.js";
import type { Conditions } from "../options/conditions.js";
import type { Pawl } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { type Answer, errorAnswer, SessionError } from "../session-error.js";

export const responseOf = ({ status, headers, body }: Answer): Response =>
  body === undefined ? new Response(undefined, { status, headers }) : Response.json(body, { status, headers });

/**
 * Sessions for handlers of the form `Request → Response`.
 * @example
 * const { handle, requireSession } = forFetch(pawl);
 * export const fetch = (request: Request) => handle(request, async () => {
 *   const { userId } = await requireSession(request);
 *   return Response.json({ userId });
 * });
 */
export const forFetch = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => ({
  /** Answers the session's routes, else lets the application answer; adds cookies and headers to either answer. */
  async handle(request: Request, application: () => Response | Promise<Response>): Promise<Response> {
    const exchange = fetchExchange(request);
    try {
      const answer = await pawl.handle(exchange);
      return exchange.applyTo(answer === undefined ? await application() : responseOf(answer));
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      return exchange.applyTo(responseOf(errorAnswer(error)));
    }
  },

  /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
  createSession: (
    request: Request,
    input: SessionInput<PI, DI>,
    options?: FindOptions,
  ): Promise<Session<P, D, PI, DI>> => pawl.createSession(fetchExchange(request), input, options),

  /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
  getSession: (request: Request, options?: FindOptions): Promise<Session<P, D, PI, DI> | undefined> =>
    pawl.getSession(fetchExchange(request), options),

  /** As `getSession`, but there has to be one. @throws SessionError also `UNAUTHORISED`, `TOKEN_THEFT`, `FORBIDDEN`, `STEP_UP`. */
  requireSession: (request: Request, conditions?: Conditions<P, D>): Promise<Session<P, D, PI, DI>> =>
    pawl.requireSession(fetchExchange(request), conditions),

  /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
  signOut: (request: Request, options?: FindOptions): Promise<void> => pawl.signOut(fetchExchange(request), options),
});
