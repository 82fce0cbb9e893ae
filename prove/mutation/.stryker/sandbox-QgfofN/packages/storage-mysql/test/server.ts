import { type MariaDbServer, startMariaDb } from "@pawl/test-servers";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

/** A server of which nothing needs to be on the disk, because nothing ends it. */
export const fleeting = {
  "innodb-flush-log-at-trx-commit": "0",
  "innodb-flush-method": "nosync",
  "innodb-file-per-table": "0",
  "sync-frm": "0",
};

export interface SharedServer {
  readonly server: () => MariaDbServer;
  /** The URL of a store: a database of its own, which is made when it is first asked for. */
  readonly urlOf: (location: string, options?: string) => Promise<string>;
  /** Rows of a statement, run as root. */
  readonly query: (text: string, database?: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** One server for the tests of a file. */
export const sharedServer = (settings: Readonly<Record<string, string>> = {}): SharedServer => {
  let server: MariaDbServer | undefined;
  beforeAll(async () => {
    server = await startMariaDb({ settings });
  });
  afterAll(() => server?.stop());
  const running = (): MariaDbServer => {
    if (server === undefined) throw new Error("the server does not run yet");
    return server;
  };
  const query: SharedServer["query"] = async (text, database = "pawl") => {
    const { host, port } = running();
    const connection = await createConnection({ host, port, user: "root", database });
    try {
      return (await connection.query(text))[0] as unknown as Readonly<Record<string, unknown>>[];
    } finally {
      connection.destroy();
    }
  };
  const made = new Set<string>();
  return {
    server: running,
    query,
    urlOf: async (location, options = "") => {
      if (!made.has(location)) await query(`CREATE DATABASE IF NOT EXISTS \`${location}\``);
      made.add(location);
      return `${running().url.replace(/\/pawl$/u, `/${location}`)}${options}`;
    },
  };
};

/** Opens a storage that is closed at the end of the test. */
export const openForTest = async (...parameters: Parameters<typeof openStorage>) => {
  const storage = await openStorage(...parameters);
  onTestFinished(() => storage.close());
  return storage;
};
