import { AsyncLocalStorage } from "node:async_hooks";
import { redirect } from "#next/navigation";
import type { Exchange } from "../http/exchange.js";
import type { FetchExchange } from "../http/fetch-exchange.js";
import type { Conditions } from "../options/conditions.js";
import type { Pawl } from "../pawl.js";
import type { SessionInput } from "../session-input.js";
import type { FindOptions } from "../sessions/request-sessions.js";
import type { Session } from "../session.js";
import { errorAnswer, SessionError } from "../session-error.js";
import { responseOf } from "./fetch.js";
import { actionExchange, nextExchange, pageExchange, writeCookies } from "./next-exchange.js";
import { refreshBefore } from "./next-proxy.js";

type Handler = (request: Request, context: never) => Response | Promise<Response>;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
type Handlers = Record<(typeof METHODS)[number], Handler>;

interface NextOptions {
  /** The page on which people log in. */
  readonly login: string;
  /** That of the `pawl`. */
  readonly basePath?: string | undefined;
}

/**
 * Sessions for Next.js 16 (app router). `proxy.ts` refreshes; pages and actions find the session that it left.
 * @example
 * export const { proxy, handlers, action, createSession, requireSession } = forNext(pawl, { login: "/login" });
 * // in a page
 * const { userId } = await requireSession();
 */
export const forNext = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
  { login, basePath = "" }: NextOptions,
) => {
  type Found = Session<P, D, PI, DI>;
  const writable = new AsyncLocalStorage<{ readonly exchange: FetchExchange; readonly isHandler: boolean }>();
  const isHandler = (): boolean => writable.getStore()?.isHandler === true;
  const current = async (): Promise<Exchange> => writable.getStore()?.exchange ?? (await pageExchange());

  /** The exchange of a request whose session can be found; what a page cannot refresh itself is led to the route. */
  const settled = async (): Promise<Exchange> => {
    const exchange = await current();
    if (isHandler() || (await pawl.readSession(exchange)).status !== "try_refresh") return exchange;
    const path = `${exchange.path()}?${exchange.query()}`.replace(/\?$/, "");
    return redirect(`${basePath}/session/refresh?return=${encodeURIComponent(path)}`);
  };

  return {
    /** For `proxy.ts`: the session's routes, CORS for the option `origins`, and the refresh before a page is rendered. */
    proxy: (request: Request): Promise<Response> => refreshBefore(pawl as never, request),

    /** Wraps route handlers: `export const { GET } = handlers({ GET })`. Without any it answers the session's routes. */
    handlers(given: Partial<Handlers> = {}): Handlers {
      const missing: Handler = ({ method }) => new Response(undefined, { status: method === "OPTIONS" ? 204 : 404 });
      const wrapped =
        (handler: Handler): Handler =>
        async (request, context) => {
          const exchange = nextExchange(request, request);
          try {
            const answer = await pawl.handle(exchange);
            if (answer !== undefined) return exchange.applyTo(responseOf(answer));
            const work = (): Response | Promise<Response> => handler(request, context);
            return exchange.applyTo(await writable.run({ exchange, isHandler: true }, work));
          } catch (error) {
            if (error instanceof SessionError) return exchange.applyTo(responseOf(errorAnswer(error)));
            await writeCookies(exchange);
            throw error;
          }
        };
      return Object.fromEntries(METHODS.map((method) => [method, wrapped(given[method] ?? missing)])) as Handlers;
    },

    /** Wraps a server action, so that it can create, change and end sessions. */
    action:
      <Given extends readonly unknown[], Result>(work: (...given: Given) => Promise<Result>) =>
      async (...given: Given): Promise<Result> => {
        const exchange = await actionExchange();
        try {
          return await writable.run({ exchange, isHandler: false }, () => work(...given));
        } finally {
          await writeCookies(exchange);
        }
      },

    /** Logs a user in; the session that the request carried ends. @throws SessionError `CSRF`; TypeError for an input that cannot be kept. */
    createSession: async (input: SessionInput<PI, DI>, options?: FindOptions): Promise<Found> =>
      pawl.createSession(await current(), input, options),

    /** The session, refreshed in place where need be; undefined: nobody is logged in. @throws SessionError `CSRF`, `UNKNOWN`. */
    getSession: async (options?: FindOptions): Promise<Found | undefined> => pawl.getSession(await settled(), options),

    /** In pages and actions leads to the login where nobody is logged in; in handlers throws. `STEP_UP` is thrown everywhere. */
    requireSession: async (conditions?: Conditions<P, D>): Promise<Found> =>
      pawl.requireSession(await settled(), conditions).catch((error: unknown) => {
        const isNobody = error instanceof SessionError && error.status === 401 && error.code !== "STEP_UP";
        if (isNobody && !isHandler()) redirect(login);
        throw error;
      }),

    /** Ends the session of the request, if any, and clears its cookies. @throws SessionError `CSRF`, `UNKNOWN`. */
    signOut: async (options?: FindOptions): Promise<void> => pawl.signOut(await current(), options),
  };
};
