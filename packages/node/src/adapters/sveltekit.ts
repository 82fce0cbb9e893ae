import { type FetchExchange, fetchExchange } from "../http/fetch-exchange.js";
import type { Conditions, Pawl, SessionInput } from "../pawl.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";

/** What is needed of SvelteKit's event. */
export interface RequestEvent {
  readonly request: Request;
  getClientAddress(): string;
}

interface HandleInput<Event> {
  readonly event: Event;
  readonly resolve: (event: Event) => Response | Promise<Response>;
}

const exchangeOf = (event: RequestEvent): FetchExchange =>
  fetchExchange(event.request, { address: event.getClientAddress() });

/**
 * Sessions for SvelteKit.
 * @example
 * // src/hooks.server.ts
 * export const handle = forSvelteKit(pawl).handle;
 */
export const forSvelteKit = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => ({
  /** The hook of `hooks.server.ts`: the session's routes, and the cookies of every answer. */
  async handle<Event extends RequestEvent>({ event, resolve }: HandleInput<Event>): Promise<Response> {
    const exchange = exchangeOf(event);
    try {
      const answer = await pawl.handle(exchange);
      return exchange.applyTo(answer === undefined ? await resolve(event) : responseOf(answer));
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      return exchange.applyTo(responseOf(errorAnswer(error)));
    }
  },

  createSession: (
    event: RequestEvent,
    input: SessionInput<PI, DI>,
    options?: FindOptions,
  ): Promise<Session<P, D, PI, DI>> => pawl.createSession(exchangeOf(event), input, options),

  getSession: (event: RequestEvent, options?: FindOptions): Promise<Session<P, D, PI, DI> | undefined> =>
    pawl.getSession(exchangeOf(event), options),

  requireSession: (event: RequestEvent, conditions?: Conditions<P, D>): Promise<Session<P, D, PI, DI>> =>
    pawl.requireSession(exchangeOf(event), conditions),

  signOut: (event: RequestEvent, options?: FindOptions): Promise<void> => pawl.signOut(exchangeOf(event), options),
});
