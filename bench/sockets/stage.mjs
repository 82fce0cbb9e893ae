import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createPawl } from "@pawl/node";
import { openClients } from "./clients.mjs";
import { startWorker } from "../worker.mjs";

/** How long an end may take to reach a client before it counts as lost, ms. */
const PATIENCE = 30_000;
/** Logins on their way at once. */
const LOGINS = 64;

/** The URL of a database by another port. @param {string} storage @param {(port: number) => Promise<number>} way */
const by = async (storage, way) => {
  const url = new URL(storage);
  url.port = String(await way(Number(url.port)));
  return url.href;
};

/**
 * An application with so many sockets open, each of a session of its own, in another process; sessions are ended here.
 * @typedef {Awaited<ReturnType<typeof openStage>>} Stage
 */

/**
 * @param {object} place
 * @param {string} place.storage URL of the store
 * @param {boolean} place.core whether both processes use a core on that store
 * @param {(port: number) => Promise<number>} [place.way] the port by which the application reaches the core, else the database
 * @param {number} count
 */
export const openStage = async ({ storage, core, way }, count) => {
  const masterKey = randomBytes(32).toString("base64");
  const server = startWorker("sockets/server-process.mjs");
  const node = core ? startWorker("sockets/core-process.mjs") : undefined;
  const embedded = { storage, masterKey, headerMode: true };
  const over = (/** @type {number} */ port) => ({ core: [`http://127.0.0.1:${port}`], headerMode: true });
  const own = await node?.call("open", storage);
  const pawl = createPawl(node === undefined ? embedded : over(own));
  await pawl.ready();
  const port = await server.call(
    "open",
    node === undefined
      ? { ...embedded, storage: way === undefined ? storage : await by(storage, way) }
      : over(way === undefined ? own : await way(own)),
  );

  /** @type {{ handle: string, accessToken: string }[]} */
  const logins = [];
  while (logins.length < count) {
    const some = Array.from({ length: Math.min(LOGINS, count - logins.length) }, (_, index) =>
      pawl.tokens.create({ userId: `user-${logins.length + index}` }),
    );
    logins.push(...(await Promise.all(some)));
  }
  const clients = await openClients(port, logins);

  /**
   * Ends sessions in one call.
   * @param {readonly string[]} handles
   * @returns {Promise<number[]>} how long each took (ms) from the call until its close frame came; Infinity: too long
   */
  const end = async (handles) => {
    const from = performance.now();
    const [ended] = await Promise.all([pawl.sessions.end(handles, "logout"), clients.closing(handles, PATIENCE)]);
    if (ended !== handles.length) throw new Error(`${ended} of ${handles.length} sessions were live`);
    return clients
      .of(handles)
      .map(({ closedAt, code, reason }) =>
        code === 4401 && reason === "logout" ? closedAt - from : Number.POSITIVE_INFINITY,
      );
  };

  return {
    handles: logins.map(({ handle }) => handle),
    pawl,
    server,
    clients,
    end,
    /** One after the other. */
    async endEach(/** @type {readonly string[]} */ handles) {
      const lags = [];
      for (const handle of handles) lags.push(...(await end([handle])));
      return lags;
    },
    /**
     * Waits until no more than these are open at the server.
     * @returns {Promise<number>} how many it differs by in the end
     */
    async stillOpen(/** @type {number} */ wanted) {
      const until = performance.now() + PATIENCE;
      let { open } = await server.call("usage");
      while (open > wanted && performance.now() < until) {
        await pause(20);
        ({ open } = await server.call("usage"));
      }
      return Math.abs(open - wanted);
    },
    async close() {
      clients.leave();
      await pawl.close();
      await server.stop();
      await node?.stop();
    },
  };
};
