import type { Duplex } from "node:stream";
import { millis } from "@pawl/storage";
import type { SessionHandle } from "@pawl/engine";
import type { Conditions } from "../options/conditions.js";
import { checkOptions, duration, durationOf, type OptionsOf } from "../options/option.js";
import { insideOf, type Pawl, requireAtOnce } from "../pawl.js";
import type { Session } from "../session.js";
import { readPayload } from "../sessions/payload-source.js";
import type { BindOptions } from "./binding.js";
import { EndableStream } from "./event-stream.js";
import { type EventResponse, type HonoSocket, innermost, type SocketIoSocket, type WsSocket } from "./socket-kinds.js";
import { guardConnection, refuse, upgradeExchange, type UpgradeRequest } from "./upgrade.js";
import { type BindableSession, Watch } from "./watch.js";

export type { BindOptions, ChangedSession } from "./binding.js";
export type { SocketEnd } from "./socket-end.js";
export type { EventResponse, HonoSocket, SocketIoSocket, WsSocket } from "./socket-kinds.js";
export type { UpgradeRequest } from "./upgrade.js";
export type { BindableSession } from "./watch.js";

const socketsTable = {
  /** How long a socket stays open while no store, or no core, says whether its session lives. */
  maxUnknown: duration("1h"),
} as const;

export type SocketsOptions = OptionsOf<typeof socketsTable>;

/** A socket that is open as long as its session lives. */
export interface BoundSocket {
  /** What the client does there is a use of the session, as a request would be: it is not idle. Written once per minute at most. */
  touch(): void;
}

/** A stream that is open as long as its session lives. */
export interface BoundStream extends BoundSocket {
  /** For the body of the answer, instead of the stream that was given. */
  readonly stream: ReadableStream<Uint8Array>;
}

type Socket = WsSocket | HonoSocket | SocketIoSocket | EventResponse;

/** What `bindSocket` is. */
interface BindSocket<Payload extends object> {
  /**
   * The socket is closed when the session ends, wherever that is done. Once it is closed, by whomever, nothing is left of it
   * here. A socket that is bound again belongs to the other session alone.
   * @throws TypeError for another kind of socket, or once the instance was closed.
   */
  (socket: Socket, session: BindableSession, options?: BindOptions<Payload>): BoundSocket;
  /** As above, for the body of an answer of server-sent events. */
  (stream: ReadableStream<Uint8Array>, session: BindableSession, options?: BindOptions<Payload>): BoundStream;
}

/**
 * Sockets and streams that end with their sessions: of `ws`, Socket.IO 4, Hono, Fastify, and answers of server-sent events.
 * @throws TypeError for an option that cannot be right.
 * @example
 * const { authenticateUpgrade, refuseUpgrade, bindSocket } = forSockets(pawl);
 * server.on("upgrade", async (req, connection, head) => {
 *   try {
 *     const session = await authenticateUpgrade(req);
 *     sockets.handleUpgrade(req, connection, head, (socket) => bindSocket(socket, session));
 *   } catch (error) {
 *     refuseUpgrade(connection, error);
 *   }
 * });
 */
export const forSockets = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
  options: SocketsOptions = {},
) => {
  checkOptions(options, socketsTable, { within: "forSockets: " });
  const { serving, onClose } = insideOf(pawl);
  let watch: Watch | undefined;

  const watchOver = (): Watch => {
    const it = serving();
    if (watch !== undefined) return watch;
    const started = new Watch({
      backend: it.backend,
      readPayload: (stored) => readPayload(it, stored),
      maxUnknown: durationOf(options.maxUnknown ?? "1h") ?? 0,
    });
    onClose(() => started.close());
    return (watch = started);
  };

  const bindSocket = ((given: Socket | ReadableStream<Uint8Array>, session, bindOptions = {}) => {
    const watching = watchOver();
    const isStream = given instanceof ReadableStream;
    const socket = isStream ? new EndableStream(given) : innermost(given);
    watching.bind(socket, session, bindOptions as BindOptions<object>);
    const handle = session.handle as SessionHandle;
    const touch = (): void => {
      const { uses, backend } = serving();
      // A use of no token in particular: it confirms nothing.
      uses.note({ handle, seq: 0, issuedAt: millis(0) }, backend.now());
    };
    return socket instanceof EndableStream ? { touch, stream: socket.stream } : { touch };
  }) as BindSocket<P>;

  return {
    /**
     * The session of a request for an upgrade, before anything is upgraded. The request has to come from an own page or one
     * of the option `origins`, as an unsafe request has to: a page of any site may open a WebSocket with the browser's
     * cookies. Nothing can be refreshed here, for an upgrade sets no cookies.
     * @throws SessionError as `requireSession`: `TRY_REFRESH` where the access token has run out; `CSRF`.
     */
    authenticateUpgrade: (request: UpgradeRequest, conditions?: Conditions<P, D>): Promise<Session<P, D, PI, DI>> => {
      guardConnection(request);
      const required = requireAtOnce(pawl, conditions);
      return (async () => required(upgradeExchange(request)))();
    },

    /** Answers an upgrade with what `authenticateUpgrade` threw, and closes the connection. What is no `SessionError` is answered 500, and a warning. */
    refuseUpgrade: (connection: Duplex, error: unknown): void => refuse(connection, error),

    bindSocket,
  };
};
