import { nodeExchange, type NodeRequest, type NodeResponse } from "../http/exchange.js";
import type { Conditions } from "../options/conditions.js";
import type { Pawl } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { type Answer, errorAnswer, SessionError } from "../session-error.js";

/** What is needed of a response of `node:http` or HTTP/2 to answer a request. */
export interface WritableResponse extends NodeResponse {
  statusCode: number;
  end: { (): unknown; (body: string): unknown };
}

/** Sends an answer of ours. */
export const send = (res: WritableResponse, { status, headers, body }: Answer): void => {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (body === undefined) return void res.end();
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(body));
};

/** Sends the answer of a route, unless somebody else has answered meanwhile, as after a time-out. */
export const sendInTime = (res: WritableResponse, answer: Answer): void => {
  if (res.headersSent !== true) send(res, answer);
};

/**
 * Sessions for `node:http` and HTTP/2.
 * @example
 * const { handle, requireSession } = forNode(pawl);
 * createServer(async (req, res) => {
 *   await handle(req, res, async () => {
 *     const { userId } = await requireSession(req, res);
 *     res.end(`Hello ${userId}`);
 *   });
 * });
 */
export const forNode = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => ({
  /** Answers the session's routes, else lets the application answer; what it throws of sessions is answered too. */
  async handle(req: NodeRequest, res: WritableResponse, application: () => unknown): Promise<void> {
    try {
      const answer = await pawl.handle(nodeExchange(req, res));
      if (answer === undefined) await application();
      else sendInTime(res, answer);
    } catch (error) {
      if (!(error instanceof SessionError) || res.headersSent) throw error;
      send(res, errorAnswer(error));
    }
  },

  /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
  createSession: (
    req: NodeRequest,
    res: NodeResponse,
    input: SessionInput<PI, DI>,
    options?: FindOptions,
  ): Promise<Session<P, D, PI, DI>> => pawl.createSession(nodeExchange(req, res), input, options),

  /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
  getSession: (
    req: NodeRequest,
    res: NodeResponse,
    options?: FindOptions,
  ): Promise<Session<P, D, PI, DI> | undefined> => pawl.getSession(nodeExchange(req, res), options),

  /** As `getSession`, but there has to be one. @throws SessionError also `UNAUTHORISED`, `TOKEN_THEFT`, `FORBIDDEN`, `STEP_UP`. */
  requireSession: (
    req: NodeRequest,
    res: NodeResponse,
    conditions?: Conditions<P, D>,
  ): Promise<Session<P, D, PI, DI>> => pawl.requireSession(nodeExchange(req, res), conditions),

  /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
  signOut: (req: NodeRequest, res: NodeResponse, options?: FindOptions): Promise<void> =>
    pawl.signOut(nodeExchange(req, res), options),
});
