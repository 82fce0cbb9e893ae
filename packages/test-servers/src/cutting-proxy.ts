import { connect, createServer, type Socket } from "node:net";

/** When the next packet of a client costs it its connection. */
type Cut = "before the server has it" | "before the client has the answer";

/** A way to a server that can be cut. */
export interface CuttingProxy {
  readonly port: number;
  /** Cuts once, at the next packet of a client that holds this text; at any packet unless given. */
  cutNext(cut: Cut, text?: string): void;
  /** While silent, connections that are used pass nothing on for ever after, and do not say so. */
  silence(isSilent: boolean): void;
  stop(): void;
}

/** Starts a proxy to a port of the loopback address. */
export const startCuttingProxy = (target: number): Promise<CuttingProxy> => {
  let next: { readonly cut: Cut; readonly text: string } | undefined;
  let isSilent = false;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", end);
    }
    let isCut = false;
    let isDead = false;
    client.on("data", (chunk: Buffer) => {
      isDead ||= isSilent;
      if (isDead) return;
      if (next !== undefined && chunk.includes(next.text)) {
        isCut = true;
        const { cut } = next;
        next = undefined;
        if (cut === "before the server has it") return end();
      }
      server.write(chunk);
    });
    // An answer shows that the server has done it.
    server.on("data", (chunk: Buffer) => {
      if (isCut) end();
      else if (!isDead) client.write(chunk);
    });
  });
  return new Promise((resolve) => {
    proxy.listen(0, "127.0.0.1", () => {
      const address = proxy.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        cutNext: (cut, text = "") => {
          next = { cut, text };
        },
        silence: (value) => {
          isSilent = value;
        },
        stop: () => {
          for (const socket of sockets) socket.destroy();
          proxy.close();
        },
      });
    });
  });
};
