import { connect } from "node:net";
import { latencyOf } from "./latency.mjs";
import { refreshAll, repeat, verificationsOf, visitsOf } from "./load-plan.mjs";
import { answerCalls } from "./worker.mjs";

/**
 * Closed-loop load over keep-alive connections, one request in flight on each. Written on plain sockets because it
 * shares the machine with what it measures: a full HTTP client costs more than many of the servers.
 *
 * @typedef {(head: string, body: string) => void} OnAnswer
 * @typedef {(error: Error) => void} OnFailure
 * @typedef {{ send: (text: string, onAnswer: OnAnswer, onFailure: OnFailure) => void, close: () => void }} Connection
 * @typedef {{ port: number, lanes: number, connections: Connection[], course: import("./load-plan.mjs").Course }} Target
 */

/**
 * One keep-alive connection. Every answer has to be a success.
 * @param {number} port
 * @returns {Promise<Connection>}
 */
const openConnection = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    /** @type {OnAnswer | undefined} */
    let onAnswer;
    /** @type {OnFailure} */
    let onFailure = reject;
    let received = "";
    socket.setEncoding("latin1");
    socket.on("error", (error) => onFailure(error));
    socket.on("close", () => onFailure(new Error("the server closed a connection")));
    socket.on("data", (chunk) => {
      received = received === "" ? String(chunk) : received + chunk;
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = received.slice(0, end + 2);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined) return onFailure(new Error("an answer without Content-Length"));
      if (received.length < end + 4 + Number(length)) return;
      const body = received.slice(end + 4);
      received = "";
      const status = head.slice(9, 12);
      if (!status.startsWith("2")) return onFailure(new Error(`answered ${status}: ${body.slice(0, 200)}`));
      onAnswer?.(head, body);
    });
    socket.once("connect", () =>
      resolve({
        send: (text, answered, failed) => {
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

const openConnections = (/** @type {number} */ port, /** @type {number} */ lanes) =>
  Promise.all(Array.from({ length: lanes }, () => openConnection(port)));

/**
 * Sends requests once each, over all connections.
 * @param {Connection[]} connections
 * @param {string[]} texts
 * @returns {Promise<import("./load-plan.mjs").Answer[]>} in the order of the requests
 */
const sendAll = async (connections, texts) => {
  /** @type {import("./load-plan.mjs").Answer[]} */
  const answers = [];
  let sent = 0;
  const sendRest = async (/** @type {Connection} */ connection) => {
    while (sent < texts.length) {
      const place = sent++;
      answers[place] = await new Promise((resolve, reject) =>
        connection.send(
          texts[place] ?? "",
          (head, body) => {
            const cookies = [...head.matchAll(/\r\nset-cookie: *([^\r]*)/gi)].map((found) => found[1] ?? "");
            resolve({ cookies, body });
          },
          reject,
        ),
      );
    }
  };
  await Promise.all(connections.map(sendRest));
  return answers;
};

/**
 * Makes the visitors or sessions that a plan needs.
 * @param {Connection[]} connections
 * @param {import("./load-plan.mjs").LoadPlan} plan
 * @returns {Promise<import("./load-plan.mjs").Course>}
 */
const prepare = async (connections, plan) => {
  if (plan.kind === "fixed") return repeat(plan.requests);
  if (plan.kind === "visits") return repeat(visitsOf(plan.path, await sendAll(connections, plan.logins)));
  const created = await sendAll(connections, plan.creates);
  if (plan.kind === "verifications") return repeat(verificationsOf(plan, created));
  return refreshAll(plan, created, connections.length);
};

/** @type {Map<string, Target>} */
const targets = new Map();

const target = (/** @type {string} */ name) => {
  const found = targets.get(name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
};

answerCalls({
  /** Prepares a plan, and sends one request of it. @returns that request, and how long its answer is. */
  aim: async (name, { port, plan, lanes }) => {
    const connections = await openConnections(port, lanes);
    const course = await prepare(connections, plan);
    const request = course.next(0);
    const [answer] = await sendAll(connections.slice(0, 1), [request]);
    course.learn(0, answer?.body ?? "");
    for (const connection of connections) connection.close();
    targets.set(name, { port, lanes, connections: [], course });
    return { request, answerBytes: Buffer.byteLength(answer?.body ?? "", "latin1") };
  },
  connect: async (name) => {
    const { port, lanes, connections } = target(name);
    connections.push(...(await openConnections(port, lanes)));
  },
  drive: (name, millis) =>
    new Promise((resolve, reject) => {
      const { connections, course } = target(name);
      const start = performance.now();
      /** @type {number[]} */
      const latencies = [];
      let busy = connections.length;
      // Asleep, this process would have to be woken by the server's writes, and the server would be charged for it: on a
      // virtual machine more than for the answer itself.
      const stayAwake = () => void (busy > 0 && setImmediate(stayAwake));
      stayAwake();
      for (const [lane, connection] of connections.entries()) {
        let sentAt = 0;
        const onAnswer = (/** @type {string} */ _head, /** @type {string} */ body) => {
          latencies.push((performance.now() - sentAt) * 1000);
          try {
            course.learn(lane, body);
          } catch (error) {
            return reject(error);
          }
          step();
        };
        const step = () => {
          const text = course.next(lane);
          sentAt = performance.now();
          if (sentAt - start < millis) connection.send(text, onAnswer, reject);
          else if (--busy === 0)
            resolve({ operations: latencies.length, micros: (sentAt - start) * 1000, latency: latencyOf(latencies) });
        };
        step();
      }
    }),
  disconnect: (name) => {
    for (const connection of target(name).connections.splice(0)) connection.close();
  },
});
