import { type MariaDbServer, startMariaDb } from "@pawl/test-servers";
import { afterAll, beforeAll } from "vitest";

/** One server for the tests of a file. Each store is a database of its own. */
export const sharedServer = (
  settings: Readonly<Record<string, string>> = {},
): { readonly urlOf: (location: string, options?: string) => string; readonly server: () => MariaDbServer } => {
  let server: MariaDbServer | undefined;
  beforeAll(async () => {
    server = await startMariaDb({ settings });
  });
  afterAll(() => server?.stop());
  const running = (): MariaDbServer => {
    if (server === undefined) throw new Error("the server does not run yet");
    return server;
  };
  const made = new Set<string>();
  return {
    server: running,
    urlOf: (location, options = "") => {
      if (!made.has(location)) running().sql(`CREATE DATABASE IF NOT EXISTS \`${location}\``);
      made.add(location);
      return `${running().url.replace(/\/pawl$/u, `/${location}`)}${options}`;
    },
  };
};
