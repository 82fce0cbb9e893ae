// What `bench` installs from a lockfile of its own is not there for `npm run check`.
declare module "@hono/node-server";
declare module "better-auth";
declare module "better-auth/*";
declare module "connect-pg-simple";
declare module "connect-redis";
declare module "express-session";
declare module "fast-jwt";
declare module "iron-session";
declare module "jose";
declare module "kysely";
declare module "redis";
declare module "supertokens-node";
declare module "supertokens-node/*";
declare module "supertokens-node-1";
declare module "supertokens-node-1/*";
declare module "vega";

declare module "fastify" {
  import type { IncomingMessage, Server, ServerResponse } from "node:http";
  interface Request {
    readonly raw: IncomingMessage;
    readonly params: { readonly user: string };
  }
  interface Reply {
    readonly raw: ServerResponse;
    header(name: string, value: readonly string[]): void;
  }
  type Handler = (request: Request, reply: Reply) => Promise<unknown>;
  const Fastify: () => {
    readonly server: Server;
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
    ready(): Promise<void>;
  };
  export default Fastify;
}

declare module "hono" {
  interface Context {
    readonly req: { readonly raw: Request; param(name: string): string };
    header(name: string, value: string, options: { append: boolean }): void;
    json(value: unknown): Response;
  }
  type Handler = (context: Context) => Response | Promise<Response>;
  export class Hono {
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
  }
}

declare module "vega-lite";
