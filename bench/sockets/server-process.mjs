// An application with WebSockets that end with their sessions, in a process of its own.
import { once } from "node:events";
import { createServer } from "node:http";
import { createPawl } from "@pawl/node";
import { forSockets } from "@pawl/node/sockets";
import { WebSocketServer } from "ws";
import { answerCalls } from "../worker.mjs";

/** @type {import("@pawl/node").Pawl} */
let pawl;
const server = createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

const cpuMillis = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** The CPU time (ms) of the longest turn of the event loop, while it is looked at. Time itself tells what else the machine does. */
let longestTurn = 0;
let isLooking = false;
const lookAtTurns = (before = cpuMillis()) => {
  if (!isLooking) return;
  setImmediate(() => {
    const now = cpuMillis();
    longestTurn = Math.max(longestTurn, now - before);
    lookAtTurns(now);
  });
};

answerCalls(
  {
    open: async (/** @type {import("@pawl/node").PawlOptions} */ options) => {
      pawl = createPawl(options);
      await pawl.ready();
      const { authenticateUpgrade, refuseUpgrade, bindSocket } = forSockets(pawl);
      const upgrade = async (
        /** @type {import("node:http").IncomingMessage} */ req,
        /** @type {import("node:stream").Duplex} */ connection,
        /** @type {Buffer} */ head,
      ) => {
        try {
          const session = await authenticateUpgrade(req);
          sockets.handleUpgrade(req, connection, head, (socket) => void bindSocket(socket, session));
        } catch (error) {
          refuseUpgrade(connection, error);
        }
      };
      server.on("upgrade", (req, connection, head) => void upgrade(req, connection, head));
      await once(server.listen(0, "127.0.0.1"), "listening");
      return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
    },
    usage: () => ({
      cpuMillis: cpuMillis(),
      memoryMb: process.memoryUsage.rss() / 2 ** 20,
      open: sockets.clients.size,
    }),
    lookAtTurns: () => {
      longestTurn = 0;
      isLooking = true;
      lookAtTurns();
    },
    longestTurn: () => {
      isLooking = false;
      return longestTurn;
    },
  },
  () => pawl?.close(),
);
