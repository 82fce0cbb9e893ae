import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Certificate } from "./certificate.js";

/** A listening application. */
export interface LoopbackServer {
  readonly port: number;
  /** Stops listening and cuts what is still open. */
  close(): Promise<void>;
}

// A browser may resolve `localhost` to either; on one of them another program's page could answer instead of ours.
const hosts = ["127.0.0.1", "::1"];

/** Listens on both loopback addresses, where the machine has both, with one port. @throws Error with code `EADDRINUSE` */
export const listenOnLoopback = async (
  handler: RequestListener,
  port: number,
  certificate?: Certificate,
): Promise<LoopbackServer> => {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => end(server)));
  };
  let taken = port;
  try {
    for (const host of hosts) {
      const created = certificate === undefined ? createServer(handler) : createTlsServer({ ...certificate }, handler);
      const server = await listen(created, { host, port: taken });
      if (server === undefined) continue;
      servers.push(server);
      const address = server.address();
      if (typeof address === "object" && address !== null) taken = address.port;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port: taken, close };
};

/**
 * The preferred port, or a free one where another program has it.
 * @returns the port and whether the preferred one was taken
 */
export const choosePort = async (preferred: number): Promise<{ readonly port: number; readonly moved: boolean }> => {
  for (const port of [preferred, 0]) {
    try {
      const probe = await listenOnLoopback(() => {}, port);
      await probe.close();
      return { port: probe.port, moved: port === 0 };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
  throw new Error("no free port was found");
};

const listen = (server: Server, at: { readonly host: string; readonly port: number }): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 is served on IPv4 alone.
      if (at.host === "::1" && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")) resolve(undefined);
      else reject(error);
    });
    server.listen(at.port, at.host, () => resolve(server));
  });

const end = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
