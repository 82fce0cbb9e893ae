import { StorageError } from "@pawl/storage";
import type { Connection } from "./connection.js";
import { storeTag, type Tag, userTags } from "../key-space.js";
import type { Durability, RedisOptions } from "../options.js";
import { runOn, type Store } from "../store.js";
import { ping } from "../scripts/store-scripts.js";

/** What a server says of itself, by the names of INFO. */
const infoOf = async (connection: Connection): Promise<ReadonlyMap<string, string>> => {
  const text = String(await connection.send(["INFO"]));
  return new Map(
    text.split("\r\n").flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
};

/** Whether a server is a node of a cluster. */
export const isClusterNode = async (connection: Connection): Promise<boolean> =>
  (await infoOf(connection)).get("cluster_enabled") === "1";

const unfit = (message: string): StorageError => new StorageError("unavailable", message);

/**
 * Checks that a server keeps what it is given.
 * @throws StorageError `unavailable` that says what to set.
 */
export const checkServer = async (connection: Connection, { durability }: RedisOptions): Promise<void> => {
  const info = await infoOf(connection);
  const { host, port } = connection.address;
  const who = `the Redis server ${host}:${port}`;
  const version = info.get("redis_version") ?? "0";
  if (Number.parseInt(version, 10) < 7) throw unfit(`${who} is of version ${version}: 7.0 or newer is needed`);
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction")
    throw unfit(
      `${who} has maxmemory-policy ${policy} and would forget sessions when memory is short: set maxmemory-policy noeviction`,
    );
  if (durability === "none") return;
  if (info.get("aof_enabled") !== "1")
    throw unfit(
      `${who} keeps no append-only file and would lose sessions when it restarts: set appendonly yes, or say durability=none in the URL`,
    );
  const fsync = await appendfsyncOf(connection);
  if (fsync !== undefined && fsync !== "always" && fsync !== durability)
    throw unfit(`${who} has appendfsync ${fsync}: set appendfsync ${durability}, or say another durability in the URL`);
};

/** When the append-only file is synced; undefined where the account may not ask. */
const appendfsyncOf = async (connection: Connection): Promise<Durability | "no" | undefined> => {
  try {
    const reply: unknown = await connection.send(["CONFIG", "GET", "appendfsync"]);
    const value = Array.isArray(reply) ? reply[1] : (reply as Readonly<Record<string, unknown>>)["appendfsync"];
    return typeof value === "string" ? (value as Durability | "no") : undefined;
  } catch {
    return undefined;
  }
};

/** Writes on every master. */
export const pingMasters = async (store: Store): Promise<void> => {
  const { calls } = store;
  await calls.tellTime();
  const tags = new Map<Connection | undefined, Tag>([...userTags, storeTag].map((tag) => [calls.servers.of(tag), tag]));
  await Promise.all([...tags.values()].map((tag) => runOn(store, tag, { script: ping, keys: ["ping"] })));
};
