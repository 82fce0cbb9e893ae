// A TCP address whose connections lead to a server that can be changed: what an operator's proxy or DNS name does at a failover.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @param {number} port where it leads at first */
export const openSwitchboard = async (port) => {
  let target = port;
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      const other = socket === near ? far : near;
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: /** @type {import("node:net").AddressInfo} */ (server.address()).port,
    /** Cuts what is connected and leads elsewhere from now on. */
    lead: (/** @type {number} */ to) => {
      target = to;
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
};
