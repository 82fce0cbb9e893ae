// The storages that several nodes can share, each on a private server that can be killed, stopped and started again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMariaDb, startPostgres, startRedis, startRedisCluster } from "@pawl/test-servers";

/** One server is everything there is; killing it is killing the storage. */
const ofServer = async (server) => ({
  url: server.url,
  kill: () => server.kill(),
  start: () => server.start(),
  close: () => server.stop(),
});

/** Opens a storage's server. `kill` is a power cut; absent where there is no server. */
const openers = {
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), "pawl-nodes-"));
    return {
      url: `sqlite:${join(folder, "sessions.db")}`,
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  postgres: async () => ofServer(await startPostgres()),
  mysql: async () => ofServer(await startMariaDb()),
  redis: async () => ofServer(await startRedis()),
  "redis-cluster": async () => {
    const cluster = await startRedisCluster({ masters: 3 });
    let turn = 0;
    let killed;
    return {
      url: cluster.url,
      kill: () => (killed = cluster.nodes[turn++ % cluster.nodes.length]).kill(),
      start: () => killed.start(),
      close: () => cluster.stop(),
    };
  },
};

/** The names of all storages, and of those that have a server. */
export const storeNames = Object.keys(openers);
export const servedStoreNames = storeNames.filter((name) => name !== "sqlite");
/** Those with one server, which is all there is. */
export const singleStoreNames = servedStoreNames.filter((name) => name !== "redis-cluster");

/** @param {string} name one of `storeNames` */
export const openStore = (name) => openers[name]();
