import { AsyncLocalStorage } from "node:async_hooks";
import { type FetchExchange, fetchExchange } from "../http/fetch-exchange.js";
import type { Conditions } from "../options/conditions.js";
import type { Pawl } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";

/** What is needed of SvelteKit's event. */
export interface RequestEvent {
  readonly request: Request;
  /** Whether the page's own script asks, for a navigation or a form action, so that the answer is in SvelteKit's format. */
  readonly isDataRequest: boolean;
  /** Whether a `load` or an action asks a route of its own with `fetch`; SvelteKit hands the cookies on. */
  readonly isSubRequest: boolean;
  getClientAddress(): string;
}

interface HandleInput<Event> {
  readonly event: Event;
  readonly resolve: (event: Event) => Response | Promise<Response>;
}

interface CaughtError {
  readonly kind: string;
  readonly error?: unknown;
  readonly event: RequestEvent;
}

type ShownError = { readonly status: number; readonly message: string; readonly code: string };

// The address is not known while a page is prerendered.
const ownExchange = (event: RequestEvent): FetchExchange =>
  fetchExchange(event.request, { address: () => event.getClientAddress() });

/** Whether the answer is for a script of its own, not for a page or for SvelteKit's script. */
const isForScript = ({ request: { headers }, isDataRequest }: RequestEvent): boolean =>
  !isDataRequest && !headers.has("x-sveltekit-action") && headers.get("accept")?.includes("text/html") !== true;

/**
 * Sessions for SvelteKit 3.
 * @example
 * // src/hooks.server.ts
 * export const handle = routes();
 * export const handleError = errors();
 */
export const forSvelteKit = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
) => {
  const refusals = new WeakMap<Request, SessionError>();
  const pages = new AsyncLocalStorage<FetchExchange>();
  /** What a page asks of its own routes is part of its request: it is the page's answer that is written, in time or not. */
  const exchangeOf = (event: RequestEvent): FetchExchange =>
    (event.isSubRequest ? pages.getStore() : undefined) ?? ownExchange(event);

  return {
    /** The hook `handle`: the session's routes, CORS for the option `origins`, and the cookies of every answer. */
    routes:
      () =>
      async <Event extends RequestEvent>({ event, resolve }: HandleInput<Event>): Promise<Response> => {
        const answer = await pawl.handle(ownExchange(event));
        if (answer !== undefined) return ownExchange(event).applyTo(responseOf(answer));
        const exchange = exchangeOf(event);
        const resolved = await pages.run(exchange, async () => resolve(event));
        const refusal = refusals.get(event.request);
        const response = refusal !== undefined && isForScript(event) ? responseOf(errorAnswer(refusal)) : resolved;
        return event.isSubRequest ? response : exchange.applyTo(response);
      },

    /** The hook `handleError`: gives the errors of sessions their status; others go to `otherwise`. */
    errors:
      <Shown>(otherwise?: (caught: never) => Shown) =>
      (caught: CaughtError): ShownError | Shown | undefined => {
        const { error, event } = caught;
        if (!(error instanceof SessionError)) {
          if (otherwise !== undefined) return otherwise(caught as never);
          // oxlint-disable-next-line no-console -- as SvelteKit does without a hook
          if (caught.kind === "unknown") console.error(error);
          return undefined;
        }
        refusals.set(event.request, error);
        return { status: error.status, ...(errorAnswer(error).body as Omit<ShownError, "status">) };
      },

    /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
    createSession: (
      event: RequestEvent,
      input: SessionInput<PI, DI>,
      options?: FindOptions,
    ): Promise<Session<P, D, PI, DI>> => pawl.createSession(exchangeOf(event), input, options),

    /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
    getSession: (event: RequestEvent, options?: FindOptions): Promise<Session<P, D, PI, DI> | undefined> =>
      pawl.getSession(exchangeOf(event), options),

    requireSession: (event: RequestEvent, conditions?: Conditions<P, D>): Promise<Session<P, D, PI, DI>> =>
      pawl.requireSession(exchangeOf(event), conditions),

    /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
    signOut: (event: RequestEvent, options?: FindOptions): Promise<void> => pawl.signOut(exchangeOf(event), options),
  };
};
