import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface CountingProxy {
  readonly host: { readonly hostname: string; readonly port: number };
  /** `METHOD /path` of every request since the last call of `take`. */
  take(): readonly string[];
  close(): Promise<void>;
}

/**
 * Stands between an SDK and a core and notes what was asked; changes nothing. Where nobody listens at the target, the
 * connection of the asker is cut.
 * @param options.port where to listen; a free one unless given.
 */
export const countingProxy = async (
  target: { hostname: string; port: number },
  { port = 0 }: { readonly port?: number } = {},
): Promise<CountingProxy> => {
  let seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url?.split("?")[0]}`);
    const headers = { ...incoming.headers, host: `${target.hostname}:${target.port}` };
    const forward = request({ ...target, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    incoming.pipe(forward);
  });
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  return {
    host: { hostname: "127.0.0.1", port: (server.address() as AddressInfo).port },
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};
