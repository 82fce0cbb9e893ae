import { createServer, type IncomingMessage, request as ask, Server, type ServerResponse } from "node:http";
import { request as askSecurely } from "node:https";
import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
type FetchHandler = (request: Request) => Response | Promise<Response>;
type RouteHandlers = Readonly<Record<string, (request: Request, context: never) => Response | Promise<Response>>>;

/**
 * What can be driven: a listener `(req, res)` such as an Express application, a `node:http` server, a Fastify instance, a
 * handler `(Request) => Response` or an object with one called `fetch` such as a Hono application, or route handlers of
 * Next.js by path: `{ "/me": { GET } }`.
 */
export type Application =
  | Listener
  | Server
  | { ready(): PromiseLike<unknown>; readonly server: Server }
  | FetchHandler
  | { fetch(request: Request): Response | Promise<Response> }
  | { readonly [path: `/${string}`]: RouteHandlers };

/** A request as it reaches a server. Names of headers in lower case. */
export interface SentRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ServedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Sends one request. */
export type Serve = (request: SentRequest) => Promise<ServedAnswer>;

/** Over HTTP as it is on the wire, through a socket that is none: no port is opened. */
const overHttp =
  (server: Server | undefined): Serve =>
  ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const open = () => {
        const [client, accepted] = duplexPair();
        server?.emit("connection", Object.assign(accepted, { remoteAddress: "203.0.113.7" }));
        return client;
      };
      // An application in this process is behind whatever ends TLS.
      const forwarded = server === undefined ? {} : { "x-forwarded-proto": url.protocol.slice(0, -1) };
      const options = { method, headers: { ...headers, ...forwarded, connection: "close" } };
      const isEncrypted = server === undefined && url.protocol === "https:";
      const sent = (isEncrypted ? askSecurely : ask)(
        server === undefined
          ? { ...options, agent: false, hostname: url.hostname, port: url.port, path: url.pathname + url.search }
          : { ...options, createConnection: open, path: url.pathname + url.search },
        (answer) => {
          const pairs = answer.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [[name, all[at + 1] ?? ""]] : []));
          const status = answer.statusCode ?? 0;
          buffer(answer).then(
            (whole) => resolve({ status, headers: new Headers(pairs as [string, string][]), body: whole }),
            reject,
          );
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });

const overFetch =
  (handle: FetchHandler): Serve =>
  async ({ method, url, headers, body }) => {
    const { host: _, ...others } = headers;
    const given = body.length > 0 ? { body: new Uint8Array(body) } : {};
    const answer = await handle(new Request(url, { method, headers: others, ...given }));
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
  };

const routed =
  (routes: Readonly<Record<string, RouteHandlers>>): FetchHandler =>
  (request) => {
    const handler = routes[new URL(request.url).pathname]?.[request.method];
    const context = { params: Promise.resolve({}) } as never;
    return handler?.(request, context) ?? new Response(undefined, { status: 404 });
  };

/** How requests reach an application, or the server at a URL. @throws TypeError for what is none. */
export const serving = async (application: Application | string): Promise<Serve> => {
  if (typeof application === "string") return overHttp(undefined);
  if (application instanceof Server) return overHttp(application);
  if (typeof application === "function")
    return application.length >= 2
      ? overHttp(createServer(application as Listener))
      : overFetch(application as FetchHandler);
  const { ready, server, fetch } = application as Readonly<Record<string, unknown>>;
  if (typeof ready === "function" && server instanceof Server) {
    await (application as { ready(): PromiseLike<unknown> }).ready();
    return overHttp(server);
  }
  if (typeof fetch === "function")
    return overFetch((request) => (application as { fetch: FetchHandler }).fetch(request));
  const routes = Object.entries(application);
  if (routes.length > 0 && routes.every(([path]) => path.startsWith("/")))
    return overFetch(routed(application as Readonly<Record<string, RouteHandlers>>));
  throw new TypeError("the application is nothing that can be driven: see the type Application");
};
