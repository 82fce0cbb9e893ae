import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Duplex } from "node:stream";
import websocket from "@fastify/websocket";
import { createAdaptorServer, upgradeWebSocket } from "@hono/node-server";
import type { Served } from "@pawl/adapter-conformance";
import { fastify } from "fastify";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer } from "ws";
import { forFastify } from "../../src/adapters/fastify.js";
import { forHono } from "../../src/adapters/hono.js";
import { forNode } from "../../src/adapters/node.js";
import {
  type BindOptions,
  type BoundSocket,
  type EventResponse,
  forSockets,
  type SocketIoSocket,
  type WsSocket,
} from "../../src/sockets/index.js";
import type { Pawl, Session } from "../../src/index.js";
import { served } from "../adapters/served.js";
import { type Connect, events, eventsOverHttp2, socketIoByPolling, socketIoByWebSocket, webSocket } from "./clients.js";

/** What a server is made of. */
export interface Application {
  readonly pawl: Pawl;
  readonly options: BindOptions<object>;
  /** Is given each socket that was bound. */
  readonly onBound: (bound: BoundSocket, session: Session) => void;
  /** Is given what clients send. */
  readonly onText: (text: string) => void;
  /** Is called when the server sees that a connection is over. */
  readonly onGone: () => void;
  /** Sockets are bound only when they are gone. */
  readonly isLate: boolean;
}

type Bindable = WsSocket | SocketIoSocket | EventResponse;
type Bind = ReturnType<typeof forSockets>["bindSocket"];

/** A way to serve, and to connect. */
export interface Way {
  readonly serve: (application: Application) => Promise<Served>;
  readonly connect: Connect;
  /** Whether an origin is checked: nobody reads the events of another one. */
  readonly isUpgrade: boolean;
  /** Whether a socket can be bound after its client has left; a stream that was given away cannot. */
  readonly canBindLate: boolean;
}

/** Binds a socket as soon as it is to be. */
const bindTo = (
  { options, onBound, onGone, isLate }: Application,
  { socket, session, bindSocket }: { readonly socket: Bindable; readonly session: Session; readonly bindSocket: Bind },
): void => {
  const bind = (): void => onBound(bindSocket(socket, session, options), session);
  const connection = "conn" in socket ? socket.conn : socket;
  const onClose = (listener: () => void): unknown => (connection as WsSocket).on("close", listener);
  if (isLate) onClose(bind);
  else bind();
  onClose(onGone);
};

const byWs: Way["serve"] = (application) => {
  const { pawl, onText } = application;
  const { authenticateUpgrade, refuseUpgrade, bindSocket } = forSockets(pawl);
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  const upgrade = async (req: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> => {
    try {
      const session = await authenticateUpgrade(req);
      sockets.handleUpgrade(req, connection, head, (socket) => {
        socket.on("message", (data: Buffer) => onText(data.toString()));
        bindTo(application, { socket, session, bindSocket });
        socket.send("hello");
      });
    } catch (error) {
      refuseUpgrade(connection, error);
    }
  };
  server.on("upgrade", (...given) => void upgrade(...given));
  return served(server);
};

const byHono: Way["serve"] = (application) => {
  const { pawl, options, onBound, onText, onGone, isLate } = application;
  const { authenticateUpgrade, bindSocket } = forSockets(pawl);
  const { errors } = forHono(pawl);
  const app = new Hono<{ Variables: { session: Session } }>();
  app.onError(errors());
  app.get(
    "/socket",
    async (c, next) => {
      c.set("session", await authenticateUpgrade(c.req.raw));
      await next();
    },
    upgradeWebSocket((c) => ({
      onOpen(_event, socket) {
        const { session } = (c as unknown as { readonly var: { readonly session: Session } }).var;
        if (!isLate) onBound(bindSocket(socket, session, options), session);
        socket.send("hello");
      },
      onMessage: ({ data }) => onText(String(data)),
      onClose(_event, socket) {
        const { session } = (c as unknown as { readonly var: { readonly session: Session } }).var;
        if (isLate) onBound(bindSocket(socket, session, options), session);
        onGone();
      },
    })),
  );
  const server = new WebSocketServer({ noServer: true }) as never;
  return served(createAdaptorServer({ fetch: app.fetch, websocket: { server } }) as Server);
};

const byFastify: Way["serve"] = async (application) => {
  const { pawl, onText } = application;
  const { authenticateUpgrade, bindSocket } = forSockets(pawl);
  const { errors } = forFastify(pawl);
  const app = fastify();
  app.setErrorHandler(errors());
  await app.register(websocket);
  const sessions = new WeakMap<object, Session>();
  app.get(
    "/socket",
    {
      websocket: true,
      preValidation: async (request) => void sessions.set(request, await authenticateUpgrade(request.raw)),
    },
    (socket, request) => {
      const session = sessions.get(request)!;
      socket.on("message", (data: Buffer) => onText(data.toString()));
      bindTo(application, { socket, session, bindSocket });
      socket.send("hello");
    },
  );
  await app.ready();
  return served(app.server);
};

const bySocketIo: Way["serve"] = async (application) => {
  const { pawl, onText } = application;
  const { authenticateUpgrade, bindSocket } = forSockets(pawl);
  const sessions = new WeakMap<object, Session>();
  const server = createServer();
  const io = new SocketIo(server, {
    allowRequest(req, answer) {
      authenticateUpgrade(req).then(
        (session) => {
          sessions.set(req, session);
          answer(null, true);
        },
        (error: { readonly code: string }) => answer(error.code, false),
      );
    },
  });
  io.on("connection", (socket) => {
    const session = sessions.get(socket.request)!;
    socket.on("text", onText);
    bindTo(application, { socket: socket as never, session, bindSocket });
    socket.emit("text", "hello");
  });
  const { origin, close } = await served(server);
  return {
    origin,
    async close() {
      await io.close();
      await close();
    },
  };
};

const byNode: Way["serve"] = (application) => {
  const { pawl } = application;
  const { bindSocket } = forSockets(pawl);
  const { handle, requireSession } = forNode(pawl);
  return served(
    createServer((req, res) => {
      void handle(req, res, async () => {
        const session = await requireSession(req, res);
        res.writeHead(200, { "content-type": "text/event-stream" });
        bindTo(application, { socket: res, session, bindSocket });
        res.write("data: hello\n\n");
      });
    }),
  );
};

const byHttp2: Way["serve"] = (application) => {
  const { pawl } = application;
  const { bindSocket } = forSockets(pawl);
  const { handle, requireSession } = forNode(pawl);
  const server = createHttp2Server((req, res) => {
    void handle(req, res, async () => {
      const session = await requireSession(req, res);
      res.setHeader("content-type", "text/event-stream");
      res.write("data: hello\n\n");
      bindTo(application, { socket: res, session, bindSocket });
    });
  });
  return served(server);
};

const byFetch: Way["serve"] = ({ pawl, options, onBound, onGone }) => {
  const { bindSocket } = forSockets(pawl);
  const { errors, requireSession } = forHono(pawl);
  const app = new Hono();
  app.onError(errors());
  app.get("/events", requireSession(), (c) => {
    const answer = streamSSE(c, async (stream) => {
      await stream.writeSSE({ data: "hello" });
      await new Promise<void>((resolve) => stream.onAbort(resolve));
      onGone();
    });
    const bound = bindSocket(answer.body!, c.var.session, options);
    onBound(bound, c.var.session);
    return new Response(bound.stream, answer);
  });
  return served(createAdaptorServer({ fetch: app.fetch }) as Server);
};

/** Every kind of socket and stream, on its real library. */
export const ways: readonly (readonly [string, Way])[] = [
  ["ws", { serve: byWs, connect: webSocket, isUpgrade: true, canBindLate: true }],
  ["Hono", { serve: byHono, connect: webSocket, isUpgrade: true, canBindLate: true }],
  ["Fastify", { serve: byFastify, connect: webSocket, isUpgrade: true, canBindLate: true }],
  ["Socket.IO", { serve: bySocketIo, connect: socketIoByWebSocket, isUpgrade: true, canBindLate: true }],
  ["Socket.IO by polling", { serve: bySocketIo, connect: socketIoByPolling, isUpgrade: true, canBindLate: true }],
  ["events of node:http", { serve: byNode, connect: events, isUpgrade: false, canBindLate: true }],
  ["events of HTTP/2", { serve: byHttp2, connect: eventsOverHttp2, isUpgrade: false, canBindLate: true }],
  ["events of a fetch handler", { serve: byFetch, connect: events, isUpgrade: false, canBindLate: false }],
];
