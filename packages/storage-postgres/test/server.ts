import type { Storage } from "@pawl/storage";
import { type PostgresServer, startPostgres } from "@pawl/test-servers";
import { Client } from "pg";
import { afterAll, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

/** Settings of a server whose power is never cut. */
const withoutSync = { fsync: "off", full_page_writes: "off", shared_buffers: "64MB" };

/** Starts a server for all tests of a file. */
export const startServer = async (
  settings: Readonly<Record<string, string>> = withoutSync,
): Promise<PostgresServer> => {
  const server = await startPostgres({ settings });
  afterAll(() => server.stop());
  return server;
};

/** The schema of a store. */
export const schemaOf = (location: string): string => `s_${location.replaceAll("-", "")}`;

/** A URL of a store of its own on the server: a schema. */
export const urlOf = (server: { readonly url: string }, location: string, options = ""): string =>
  `${server.url}?schema=${schemaOf(location)}${options}`;

/** Opens a storage that is closed at the end of the test. */
export const openForTest = async (...parameters: Parameters<typeof openStorage>): Promise<Storage> => {
  const storage = await openStorage(...parameters);
  onTestFinished(() => storage.close());
  return storage;
};

/** A connection beside the adapter's, for one test. */
export const connectTo = async (server: { readonly url: string }): Promise<Client> => {
  const client = new Client(server.url);
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
};
