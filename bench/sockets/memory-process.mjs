// What a bound socket takes of the heap beside the socket itself. Needs --expose-gc.
import { createPawl } from "@pawl/node";
import { forSockets } from "@pawl/node/sockets";
import { WebSocket } from "ws";
import { answerCalls } from "../worker.mjs";

const collect = /** @type {{ gc?: () => void }} */ (globalThis).gc;

const heapUsed = () => {
  if (collect === undefined) throw new Error("needs --expose-gc");
  for (let times = 0; times < 4; times += 1) collect();
  return process.memoryUsage().heapUsed;
};

/** As a server makes them, without a connection; one listener is there, as that of a server that knows its clients. */
const newSocket = () => {
  const socket = new WebSocket(/** @type {any} */ (null), undefined, {});
  socket.on("close", () => undefined);
  return socket;
};

answerCalls({
  /**
   * Binds so many sockets to as many sessions, and closes them.
   * @returns {Promise<{ each: number, left: number }>} bytes of each binding, and of all together once they are closed
   */
  measure: async (/** @type {number} */ count) => {
    const pawl = createPawl({ storage: "memory:" });
    const { bindSocket } = forSockets(pawl);
    const login = await pawl.tokens.create({ userId: "alice" });
    const sockets = Array.from({ length: count }, newSocket);
    const onChange = () => undefined;
    /** A handle of its own, as each request brings one. */
    const session = (/** @type {number} */ number) => ({
      userId: login.userId,
      handle: Buffer.from(`${String(number).padStart(8, "0")}${login.handle.slice(8)}`).toString(),
      payloadVersion: 0,
      issuedAt: login.issuedAt,
      expiresAt: login.expiresAt,
    });
    const bindAll = () => {
      for (const [number, socket] of sockets.entries()) bindSocket(socket, session(number), { onChange });
    };
    const empty = heapUsed();
    bindAll();
    const bound = heapUsed();
    for (const socket of sockets.splice(0)) socket.emit("close", 1000, Buffer.alloc(0));
    const each = (bound - empty) / count;
    // The sockets are gone too: what is left beside them is what the bindings left.
    sockets.push(...Array.from({ length: count }, newSocket));
    const left = heapUsed() - empty;
    await pawl.close();
    return { each, left: sockets.length === count ? left : Number.NaN };
  },
});
