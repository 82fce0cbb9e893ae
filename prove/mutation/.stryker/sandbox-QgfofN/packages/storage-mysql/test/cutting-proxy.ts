import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** When the next packet of a client that holds `COMMIT` costs it its connection. */
export type Cut = "before the server has it" | "before the client has the answer";

/** A way to a server that can be cut at a commit. */
export interface CuttingProxy {
  readonly port: number;
  /** Cuts once. */
  cutNextCommit(cut: Cut): void;
}

/** Starts a proxy to a port of the loopback address, for one test. */
export const cuttingProxy = (target: number): Promise<CuttingProxy> => {
  let next: Cut | undefined;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on("close", end);
    server.on("close", end);
    let isCut = false;
    client.on("data", (chunk: Buffer) => {
      if (next !== undefined && chunk.includes("COMMIT")) {
        const cut = next;
        next = undefined;
        if (cut === "before the server has it") return end();
        isCut = true;
      }
      server.write(chunk);
    });
    // An answer shows that the server has committed.
    server.on("data", (chunk: Buffer) => (isCut ? end() : void client.write(chunk)));
  });
  return new Promise((resolve) => {
    proxy.listen(0, "127.0.0.1", () => {
      const address = proxy.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        cutNextCommit: (cut) => {
          next = cut;
        },
      });
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
  });
};
