import type { OpenStorage } from "@pawl/storage";
import { type RedisCluster, startRedis, startRedisCluster } from "@pawl/test-servers";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

type RedisServer = Awaited<ReturnType<typeof startRedis>>;
type Settings = Readonly<Record<string, string>>;

interface Shared<Server> {
  /** Each store has a prefix of its own. */
  readonly urlOf: (location: string, options?: string) => string;
  readonly server: () => Server;
}

const shared = <Server extends { readonly url: string; stop(): Promise<void> }>(
  start: () => Promise<Server>,
): Shared<Server> => {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());
  const running = (): Server => {
    if (server === undefined) throw new Error("the server does not run yet");
    return server;
  };
  return { server: running, urlOf: (location, options = "") => `${running().url}?prefix=${location}${options}` };
};

/** One server for the tests of a file. */
export const sharedServer = (settings: Settings = {}): Shared<RedisServer> => shared(() => startRedis({ settings }));

/** One cluster for the tests of a file: three masters, each with so many replicas. */
export const sharedCluster = (settings: Settings = {}, replicas = 0): Shared<RedisCluster> =>
  shared(() => startRedisCluster({ settings, replicas }));

/** Opens a store that is closed at the end of the test. */
export const openForTest: OpenStorage = async (url, options) => {
  const storage = await openStorage(url, options);
  onTestFinished(() => storage.close());
  return storage;
};
