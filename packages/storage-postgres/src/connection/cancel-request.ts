import type { ClientBase } from "pg";
import { connect } from "node:net";
import type { Address } from "../options.js";

const cancelRequestCode = 80_877_102;

/** For how many milliseconds the server may keep a request. */
const patience = 5000;

/**
 * Asks a server to stop what a connection is doing (postgresql.org/docs/current/protocol-flow.html, "Canceling Requests in
 * Progress"), so that a statement whose caller has given up holds no lock. Whether it did is not reported.
 */
export const cancelRequest = ({ host, port }: Address, client: ClientBase): Promise<void> => {
  const { processID, secretKey } = client as ClientBase & { processID?: number | null; secretKey?: number | null };
  if (typeof processID !== "number" || typeof secretKey !== "number") return Promise.resolve();
  const request = Buffer.alloc(16);
  for (const [index, word] of [16, cancelRequestCode, processID, secretKey].entries())
    request.writeInt32BE(word, index * 4);
  return new Promise((resolve) => {
    const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.unref();
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => resolve());
    socket.end(request);
  });
};
