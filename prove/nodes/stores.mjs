// The storages that several nodes can share, each on a private server that can be killed, stopped and started again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMariaDb, startPostgres, startRedis, startRedisCluster } from "@pawl/test-servers";

/**
 * @typedef {object} ServedStore
 * @property {string} url
 * @property {() => Promise<void>} kill a power cut
 * @property {() => Promise<void>} start
 * @property {() => Promise<void>} close
 */

/** One server is everything there is; killing it is killing the storage. */
const ofServer = (/** @type {import("@pawl/test-servers").TestServer} */ server) => ({
  url: server.url,
  kill: () => server.kill(),
  start: () => server.start(),
  close: () => server.stop(),
});

const noServer = () => Promise.reject(new Error("there is no server to kill"));

/** Opens a storage's server. */
const openers = {
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), "pawl-nodes-"));
    return {
      url: `sqlite:${join(folder, "sessions.db")}`,
      kill: noServer,
      start: noServer,
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  postgres: async () => ofServer(await startPostgres()),
  mysql: async () => ofServer(await startMariaDb()),
  redis: async () => ofServer(await startRedis()),
  "redis-cluster": async () => {
    const cluster = await startRedisCluster({ masters: 3 });
    let turn = -1;
    const struck = () => /** @type {(typeof cluster.nodes)[number]} */ (cluster.nodes[turn % cluster.nodes.length]);
    return {
      url: cluster.url,
      kill: () => ((turn += 1), struck().kill()),
      start: () => struck().start(),
      close: () => cluster.stop(),
    };
  },
};

/** @typedef {keyof typeof openers} StoreName */

/** The names of all storages, and of those that have a server. */
export const storeNames = /** @type {StoreName[]} */ (Object.keys(openers));
export const servedStoreNames = storeNames.filter((name) => name !== "sqlite");
/** Those with one server, which is all there is. */
export const singleStoreNames = servedStoreNames.filter((name) => name !== "redis-cluster");

/** @type {(name: StoreName) => Promise<ServedStore>} */
export const openStore = (name) => openers[name]();
