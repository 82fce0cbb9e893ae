import { dirname, join } from "node:path";
import { findProgram } from "./programs.js";
import { freePort, runProgram, serverFolder, startServer, type TestServer, until } from "./server-process.js";

interface RedisOptions {
  /** Further settings, such as `{ appendfsync: "everysec" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A private Redis. */
export interface RedisServer extends TestServer {
  /** Runs a command through `redis-cli`; returns what it prints. */
  command(...args: readonly string[]): string;
}

/** Starts a Redis of its own, which keeps an append-only file and syncs it at every write. */
export const startRedis = async ({ settings = {} }: RedisOptions = {}): Promise<RedisServer> => {
  const program = findProgram("redis-server");
  const folder = serverFolder("redis");
  const host = "127.0.0.1";
  const port = await freePort();
  const command = (...args: readonly string[]): string =>
    runProgram(join(dirname(program), "redis-cli"), ["-h", host, "-p", String(port), ...args]).trim();
  const own = { port: String(port), bind: host, dir: folder };
  const all = { ...own, appendonly: "yes", appendfsync: "always", save: "", ...settings };
  const control = await startServer({
    name: "Redis",
    command: program,
    args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
    folder,
    isReady: () => command("ping") === "PONG",
  });
  return { ...control, host, port, folder, url: `redis://${host}:${port}`, command };
};

/** A private Redis Cluster. */
export interface RedisCluster {
  /** Names all nodes, as `openStorage` takes it. */
  readonly url: string;
  /** The nodes as they were made: masters first, then a replica for each. */
  readonly nodes: readonly RedisServer[];
  /** Adds an empty master, for resharding. */
  addMaster(): Promise<RedisServer>;
  /** Runs `redis-cli --cluster …` and returns what it prints. */
  cluster(...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** Starts a Redis Cluster of its own; each master has `replicas` replicas. */
export const startRedisCluster = async ({
  masters = 3,
  replicas = 0,
  settings = {},
}: RedisOptions & { readonly masters?: number; readonly replicas?: number } = {}): Promise<RedisCluster> => {
  const startNode = async (): Promise<RedisServer> =>
    startRedis({
      settings: {
        "cluster-enabled": "yes",
        "cluster-node-timeout": "2000",
        "cluster-port": String(await freePort()),
        ...settings,
      },
    });
  const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, startNode));
  const cli = join(dirname(findProgram("redis-server")), "redis-cli");
  const cluster = (...args: readonly string[]): string => runProgram(cli, ["--cluster", ...args]);
  const isWhole = (): boolean =>
    nodes.every((node) => {
      try {
        // A replica that has never been level with its master cannot take its place.
        const isLevel = !/^slave\n.*\n.*\n(?!connected)/.test(node.command("role"));
        return isLevel && node.command("cluster", "info").includes("cluster_state:ok");
      } catch {
        return false;
      }
    });
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
    cluster("create", ...addresses, "--cluster-replicas", String(replicas), "--cluster-yes");
    await until("the cluster is not whole", isWhole);
    return {
      url: `redis://${addresses.join(",")}`,
      nodes,
      cluster,
      stop,
      addMaster: async () => {
        const node = await startNode();
        nodes.push(node);
        const [first] = addresses as [string];
        cluster("add-node", `${node.host}:${node.port}`, first);
        await until("the new node does not know the cluster", isWhole);
        return node;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
