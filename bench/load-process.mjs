import { connect } from "node:net";
import { follow } from "./load-plan.mjs";
import { answerCalls } from "./worker.mjs";

/**
 * Closed-loop load over keep-alive connections, one request in flight on each. Written on plain sockets because it
 * shares the machine with what it measures: a full HTTP client costs more than many of the servers.
 */

/**
 * One keep-alive connection with one request in flight.
 * @param {number} port
 */
const openConnection = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    /** @type {((status: number, body: string) => void) | undefined} */
    let onAnswer;
    let onFailure = reject;
    let received = "";
    socket.setEncoding("latin1");
    socket.on("error", (error) => onFailure(error));
    socket.on("close", () => onFailure(new Error("the server closed a connection")));
    socket.on("data", (chunk) => {
      received = received === "" ? String(chunk) : received + chunk;
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end + 2))?.[1];
      if (length === undefined) return onFailure(new Error("an answer without Content-Length"));
      if (received.length < end + 4 + Number(length)) return;
      const status = Number(received.slice(9, 12));
      const body = received.slice(end + 4);
      received = "";
      onAnswer?.(status, body);
    });
    socket.once("connect", () =>
      resolve({
        send: (
          /** @type {string} */ text,
          /** @type {typeof onAnswer} */ answered,
          /** @type {typeof reject} */ failed,
        ) => {
          onAnswer = answered;
          onFailure = failed;
          socket.write(text, "latin1");
        },
        close: () => {
          onFailure = () => undefined;
          socket.destroy();
        },
      }),
    );
  });

/** @type {Map<string, { port: number, connections: any[], lanes: number, plan: ReturnType<typeof follow> }>} */
const targets = new Map();

const target = (/** @type {string} */ name) => {
  const found = targets.get(name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
};

answerCalls({
  aim: (name, { port, plan, lanes }) => {
    targets.set(name, { port, connections: [], lanes, plan: follow(plan, lanes) });
  },
  connect: async (name) => {
    const { port, connections, lanes } = target(name);
    connections.push(...(await Promise.all(Array.from({ length: lanes }, () => openConnection(port)))));
  },
  /** Sends for so long; every answer has to be a success. */
  drive: (name, millis) =>
    new Promise((resolve, reject) => {
      const { connections, plan } = target(name);
      const start = performance.now();
      let operations = 0;
      let busy = connections.length;
      for (const [lane, connection] of connections.entries()) {
        const answered = (/** @type {number} */ status, /** @type {string} */ body) => {
          if (status < 200 || status > 299)
            return reject(new Error(`${name} answered ${status}: ${body.slice(0, 200)}`));
          try {
            plan.learn(lane, body);
          } catch (error) {
            return reject(error);
          }
          operations++;
          step();
        };
        const step = () => {
          if (performance.now() - start < millis) connection.send(plan.next(lane), answered, reject);
          else if (--busy === 0) resolve({ operations, micros: (performance.now() - start) * 1000 });
        };
        step();
      }
    }),
  disconnect: (name) => {
    for (const connection of target(name).connections.splice(0)) connection.close();
  },
});
