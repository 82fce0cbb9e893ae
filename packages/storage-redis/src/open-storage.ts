import type { OpenStorage } from "@pawl/storage";
import { CheckedStorage, outboxTypesOf } from "@pawl/storage/adapter";
import { Cluster } from "./connection/cluster.js";
import type { Connection } from "./connection/connection.js";
import { asStorageError } from "./connection/failure.js";
import { FeedWatch } from "./feeds/feed-watch.js";
import { KeySpace, storeTag } from "./key-space.js";
import { checkStore } from "./migrations.js";
import { parseUrl, type RedisOptions } from "./options.js";
import { ScriptCalls } from "./connection/script-calls.js";
import { checkServer, isClusterNode } from "./connection/server-check.js";
import { type Servers, SingleServer } from "./connection/servers.js";
import { redisStorage } from "./storage.js";

/**
 * Opens a store in Redis: `redis://user:password@host:6379/0`, `rediss://…`, or a cluster: `redis://a:6379,b:6379`. Nothing is
 * written: call `migrate()`.
 * @throws StorageError `invalid_url`, `unavailable` (also for a server that would lose or forget sessions) or `newer_schema`.
 */
export const openStorage: OpenStorage = async (url, { clock, outbox: destinations } = {}) => {
  const options = parseUrl(url);
  const outbox = [...outboxTypesOf(destinations)].map(([type, ids]) => ` ${type}=${ids.join(",")}`).join("");
  const keys = new KeySpace(options.prefix);
  const servers = await connect(options);
  const calls = new ScriptCalls(servers, { timeout: options.timeout, clock, storeKey: `${keys.of(storeTag)}schema` });
  const store = { calls, keys, outbox };
  try {
    await checkStore(store);
    await Promise.all(servers.masters.map((master) => checkServer(master, options)));
  } catch (error) {
    await servers.close();
    throw asStorageError(error);
  }
  return new CheckedStorage(redisStorage(store, new FeedWatch(servers, options, keys.channel)));
};

const connect = async (options: RedisOptions): Promise<Servers> => {
  if (options.cluster === true) return connectCluster(options);
  const single = new SingleServer(options);
  try {
    const [connection] = single.masters as [Connection];
    await connection.whenReady(options.timeout);
    if (options.cluster === false || !(await isClusterNode(connection))) return single;
  } catch (error) {
    await single.close();
    throw asStorageError(error);
  }
  await single.close();
  return connectCluster(options);
};

const connectCluster = async (options: RedisOptions): Promise<Servers> => {
  const cluster = new Cluster(options);
  try {
    await cluster.refresh();
    await Promise.all(cluster.masters.map((master) => master.whenReady(options.timeout)));
  } catch (error) {
    await cluster.close();
    throw asStorageError(error);
  }
  return cluster;
};
