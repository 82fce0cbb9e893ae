import { knownExchange, nodeExchange, type NodeRequest, type NodeResponse } from "../http/exchange.js";
import type { Conditions } from "../options/conditions.js";
import { type Pawl, requireAtOnce } from "../pawl.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { forNode, send, sendInTime, type WritableResponse } from "./node.js";

/** What is needed of Express' request. */
export interface ExpressRequest extends NodeRequest {
  readonly url: string;
}

type Next = (error?: unknown) => void;
type Handler = (req: ExpressRequest, res: WritableResponse, next: Next) => void;
type ErrorHandler = (error: unknown, req: ExpressRequest, res: WritableResponse, next: Next) => void;

/**
 * Sessions for Express 4 and 5.
 * @example
 * const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
 * app.use(routes());
 * app.get("/me", requireSession(), (req, res) => res.json({ userId: sessionOf(req).userId }));
 * app.use(errors());
 */
export const forExpress = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => {
  const key = Symbol("session");
  type Keeper = { [key]?: Session<P, D, PI, DI> };
  const { createSession, getSession, signOut } = forNode(pawl);

  return {
    /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
    createSession,
    /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
    getSession,
    /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
    signOut,

    /** The session's routes, and CORS for the option `origins`: mount it before the application's routes. */
    routes: (): Handler => (req, res, next) => {
      const [path = "/"] = req.url.split("?", 1);
      const answer = pawl.handle(nodeExchange(req, res), { path });
      if (answer === undefined) return next();
      Promise.resolve(answer).then((given) => (given === undefined ? next() : sendInTime(res, given)), next);
    },

    /** Lets only requests with a session pass. @throws TypeError for conditions that cannot be right. */
    requireSession: (conditions?: Conditions<P, D>): Handler => {
      const required = requireAtOnce(pawl, conditions);
      return (req, res, next) => {
        const exchange = nodeExchange(req, res);
        const pass = (session: Session<P, D, PI, DI>): void => {
          (exchange as Keeper)[key] = session;
          next();
        };
        const found = required(exchange);
        if (found instanceof Promise) found.then(pass, next);
        else pass(found);
      };
    },

    /** The session of a request behind `requireSession`. @throws TypeError elsewhere. */
    sessionOf: (req: { readonly res?: NodeResponse | undefined }): Session<P, D, PI, DI> => {
      const session = (knownExchange(req.res) as Keeper | undefined)?.[key];
      if (session === undefined) throw new TypeError("sessionOf needs requireSession() before it on this route");
      return session;
    },

    /** Answers the errors of sessions, passes others on: mount it last. */
    errors: (): ErrorHandler => (error, _req, res, next) => {
      if (error instanceof SessionError && !res.headersSent) send(res, errorAnswer(error));
      else next(error);
    },
  };
};
