/** Compiled with the tests, never run: what may be handed in. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket as FastifySocket } from "@fastify/websocket";
import type { WebSocketLike } from "@hono/node-server";
import type { Response as ExpressResponse } from "express";
import type { FastifyReply } from "fastify";
import type { WSContext } from "hono/ws";
import type { Socket as SocketIoSocket } from "socket.io";
import type { WebSocket } from "ws";
import { forNode } from "../src/adapters/node.js";
import { forExpress } from "../src/adapters/express.js";
import { createPawl } from "../src/index.js";
import { forSockets } from "../src/sockets/index.js";

/** Where a value that may be missing counts as left out (`exactOptionalPropertyTypes`). */
export const pawl = createPawl({
  core: ["https://sessions.example.com"],
  apiKey: process.env["API_KEY"],
  basePath: process.env["BASE_PATH"],
  cookies: { domain: process.env["DOMAIN"] },
});

export const overHttp2 = async (req: Http2ServerRequest, res: Http2ServerResponse): Promise<void> => {
  await forNode(pawl).handle(req, res, async () => {
    await forNode(pawl).createSession(req, res, { userId: "alice", device: process.env["DEVICE"] });
  });
  forExpress(pawl).routes()(req, res, () => undefined);
};

export const overHttp1 = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  await pawl.sessions.endUser("alice", { tenantId: process.env["TENANT"], except: undefined });
  await pawl.sessions.list("alice", { after: undefined, limit: 10 });
  await forNode(pawl).handle(req, res, () => undefined);
  forExpress(pawl).routes()(req as never, res, () => undefined);
  // @ts-expect-error a tenant is ended only where it is named twice
  await pawl.sessions.endTenant("acme");
};

interface Role {
  readonly role: "admin" | "user";
}

/** Where the application loads payloads, none has to be given; else one has to. */
export const loading = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  const loaded = createPawl<Role>({
    storage: "memory:",
    loadPayload: async ({ userId }) => ({ role: userId ? "user" : "admin" }),
  });
  const { createSession, requireSession } = forExpress(loaded);
  const session = await createSession(req as never, res, { userId: "alice" });
  session.payload.role satisfies "admin" | "user";
  await session.actAs({ userId: "bob", reason: "ticket 4711", for: "5m" });
  await session.updatePayload({ role: "admin" });
  requireSession({ maxAge: "5m", methods: ["otp"], level: ["aal2", "aal3"], actor: false });
  // @ts-expect-error nothing is not a payload
  await session.updatePayload({});
  // @ts-expect-error loadPayload has to say a payload
  createPawl<Role>({ storage: "memory:", loadPayload: () => ({ role: "root" }) });

  const given = forNode(createPawl<Role>({ storage: "memory:", loadPayload: undefined }));
  // @ts-expect-error a payload has to be given
  await given.createSession(req, res, { userId: "alice" });
  const other = await given.requireSession(req, res);
  // @ts-expect-error a payload has to be given
  await other.actAs({ userId: "bob", reason: "ticket 4711" });
  // @ts-expect-error there is no such condition
  await given.requireSession(req, res, { maxage: "5m" });
  await given.createSession(req, res, { userId: "alice", payload: { role: "user" }, auth: { methods: ["pwd"] } });
};

/** Sockets as their libraries type them. */
export const sockets = async (
  req: IncomingMessage,
  given: {
    readonly ws: WebSocket;
    readonly hono: WSContext<WebSocketLike>;
    readonly fastify: FastifySocket;
    readonly io: SocketIoSocket;
    readonly response: ServerResponse;
    readonly http2: Http2ServerResponse;
    readonly express: ExpressResponse;
    readonly raw: FastifyReply["raw"];
  },
): Promise<ReadableStream<Uint8Array>> => {
  const roles = createPawl<Role>({ storage: "memory:" });
  const { authenticateUpgrade, bindSocket } = forSockets(roles, { maxUnknown: process.env["MAX_UNKNOWN"] });
  const session = await authenticateUpgrade(req, { where: ({ payload }) => payload.role === "admin" });
  await authenticateUpgrade(new Request("http://localhost"));
  for (const socket of Object.values(given)) bindSocket(socket, session).touch();
  bindSocket(given.ws, await roles.tokens.verify("token"), {
    onChange: ({ payload }) => payload.role satisfies "admin" | "user",
    onEnd: ({ code, reason }) => [code satisfies 4401 | 4403 | 4503 | 1001, reason satisfies string],
  });
  // @ts-expect-error a role is a text
  bindSocket(given.ws, session, { onChange: ({ payload }) => payload.role satisfies number });
  // @ts-expect-error there is no such hook
  bindSocket(given.ws, session, { onClose: () => undefined });
  return bindSocket(new ReadableStream<Uint8Array>(), session).stream;
};
