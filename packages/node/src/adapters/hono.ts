import type { Context, ErrorHandler, MiddlewareHandler } from "hono";
import { type FetchExchange, fetchExchange } from "../http/fetch-exchange.js";
import type { Conditions } from "../options/conditions.js";
import { type Pawl, requireAtOnce } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";

/** Of Hono on Node.js, which keeps the request of `node:http` there. */
interface NodeBindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

const exchangeOf = (c: Context): FetchExchange =>
  fetchExchange(c.req.raw, { address: () => (c.env as NodeBindings | undefined)?.incoming?.socket?.remoteAddress });

/** Hono would add the headers of the answer before to those of its replacement. */
const replaceAnswer = (c: Context, answer: Response): void => {
  if (answer === c.res) return;
  c.res = undefined;
  c.res = answer;
};

/**
 * Sessions for Hono 4, on Node.js, Bun and Deno.
 * @example
 * const { routes, errors, createSession, requireSession } = forHono(pawl);
 * app.use(routes());
 * app.onError(errors());
 * app.get("/me", requireSession(), (c) => c.json({ userId: c.var.session.userId }));
 */
export const forHono = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => ({
  /** The session's routes, CORS for the option `origins`, and the cookies of every answer: use it before all others. */
  routes: (): MiddlewareHandler => async (c, next) => {
    const exchange = exchangeOf(c);
    const answer = await pawl.handle(exchange);
    if (answer !== undefined) return exchange.applyTo(responseOf(answer));
    await next();
    replaceAnswer(c, exchange.applyTo(c.res));
    return undefined;
  },

  /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
  createSession: (c: Context, input: SessionInput<PI, DI>, options?: FindOptions): Promise<Session<P, D, PI, DI>> =>
    pawl.createSession(exchangeOf(c), input, options),

  /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
  getSession: (c: Context, options?: FindOptions): Promise<Session<P, D, PI, DI> | undefined> =>
    pawl.getSession(exchangeOf(c), options),

  /** Lets only requests with a session pass; it is `c.var.session`. @throws TypeError for conditions that cannot be right. */
  requireSession(conditions?: Conditions<P, D>): MiddlewareHandler<{ Variables: { session: Session<P, D, PI, DI> } }> {
    const required = requireAtOnce(pawl, conditions);
    return (c, next) => {
      const pass = (session: Session<P, D, PI, DI>): Promise<void> => {
        c.set("session", session);
        return next();
      };
      const found = required(exchangeOf(c));
      return found instanceof Promise ? found.then(pass) : pass(found);
    };
  },

  /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
  signOut: (c: Context, options?: FindOptions): Promise<void> => pawl.signOut(exchangeOf(c), options),

  /** Answers the errors of sessions; others are answered by `otherwise`, or thrown on. */
  errors:
    (otherwise?: ErrorHandler): ErrorHandler =>
    (error, c) => {
      if (error instanceof SessionError) return responseOf(errorAnswer(error));
      if (otherwise !== undefined) return otherwise(error, c);
      if ("getResponse" in error) return (error as { getResponse(): Response }).getResponse();
      throw error;
    },
});
