import { type PostgresServer, startPostgres } from "@pawl/test-servers";
import { afterAll } from "vitest";

/** Settings of a server whose power is never cut. */
const withoutSync = { fsync: "off", full_page_writes: "off", shared_buffers: "64MB" };

/** Starts a server for all tests of a file. */
export const startServer = async (settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> => {
  const server = await startPostgres({ settings: { ...withoutSync, ...settings } });
  afterAll(() => server.stop());
  return server;
};

/** A URL of a store of its own on the server: a schema. */
export const urlOf = (server: { readonly url: string }, location: string, options = ""): string =>
  `${server.url}?schema=s_${location.replaceAll("-", "")}${options}`;
