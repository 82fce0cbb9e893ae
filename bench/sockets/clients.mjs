import { once } from "node:events";
import { connect } from "node:net";

/**
 * A WebSocket as far as it matters here: it is opened, and answers the close frame.
 * @typedef {{ handle: string, closedAt: number, code: number, reason: string, isOpen: boolean }} Client
 *   `closedAt` is when its close frame came, by `performance.now()`
 */

/** A masked close frame (RFC 6455 section 5.5.1) without a code. */
const CLOSE = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
const END_OF_HEAD = "\r\n\r\n";
/** How many are opened at once. */
const AT_ONCE = 100;

/**
 * @param {number} port
 * @param {{ handle: string, accessToken: string }} login
 * @param {(client: Client) => void} onClose
 * @returns {Promise<Client & { leave: () => void }>}
 */
const openClient = async (port, { handle, accessToken }, onClose) => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const client = { handle, closedAt: 0, code: 0, reason: "", isOpen: true, leave: () => void socket.destroy() };
  let received = /** @type {Buffer} */ (Buffer.alloc(0));
  let isUpgraded = false;
  const opened = new Promise((resolve, reject) => {
    socket.on("data", (/** @type {Buffer} */ chunk) => {
      received = Buffer.concat([received, chunk]);
      const head = isUpgraded ? 0 : received.indexOf(END_OF_HEAD);
      if (head === -1) return;
      if (!isUpgraded) {
        const status = received.toString("latin1", 9, 12);
        if (status !== "101") return reject(new Error(`the upgrade was answered ${status}`));
        isUpgraded = true;
        received = received.subarray(head + END_OF_HEAD.length);
        resolve(undefined);
      }
      const [opcode, length = 0] = received;
      if (opcode !== 0x88 || received.length < 2 + length || client.closedAt > 0) return;
      client.closedAt = performance.now();
      client.code = received.readUInt16BE(2);
      client.reason = received.toString("utf8", 4, 2 + length);
      socket.end(CLOSE);
      onClose(client);
    });
    socket.on("close", () => {
      client.isOpen = false;
      reject(new Error("the connection was closed"));
    });
  });
  await once(socket, "connect");
  socket.write(
    [
      "GET / HTTP/1.1",
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      `Authorization: Bearer ${accessToken}`,
      END_OF_HEAD.slice(2),
    ].join("\r\n"),
  );
  await opened;
  return client;
};

/**
 * Opens a socket for each login.
 * @param {number} port
 * @param {readonly { handle: string, accessToken: string }[]} logins
 */
export const openClients = async (port, logins) => {
  /** @type {Map<string, Awaited<ReturnType<typeof openClient>>>} */
  const clients = new Map();
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const onClose = () => {
    for (const listener of listeners) listener();
  };
  for (let at = 0; at < logins.length; at += AT_ONCE) {
    const some = logins.slice(at, at + AT_ONCE);
    for (const client of await Promise.all(some.map((login) => openClient(port, login, onClose))))
      clients.set(client.handle, client);
  }
  return {
    /** Those of these sessions. */
    of: (/** @type {readonly string[]} */ handles) => handles.flatMap((handle) => clients.get(handle) ?? []),
    /** How many have been told that they are closed. */
    closed: () => [...clients.values()].filter(({ closedAt }) => closedAt > 0).length,
    /**
     * Waits until all of these are closed, or so many ms are over.
     * @param {readonly string[]} handles
     * @param {number} patience
     */
    async closing(handles, patience) {
      const waiting = handles.map((handle) => clients.get(handle));
      const areClosed = () => waiting.every((client) => client !== undefined && client.closedAt > 0);
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      /** @type {() => void} */
      let listener = () => undefined;
      await new Promise((resolve) => {
        timer = setTimeout(resolve, patience);
        let left = waiting.filter((client) => client === undefined || client.closedAt === 0).length;
        listener = () => void (--left <= 0 && areClosed() && resolve(undefined));
        listeners.add(listener);
        if (areClosed()) resolve(undefined);
      });
      clearTimeout(timer);
      listeners.delete(listener);
    },
    leave: () => {
      for (const client of clients.values()) client.leave();
    },
  };
};
