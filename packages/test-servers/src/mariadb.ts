import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "./programs.js";
import { freePort, runProgram, serverFolder, serverUser, startServer, type TestServer } from "./server-process.js";

/** A private MariaDB. */
export interface MariaDbServer extends TestServer {
  /** Runs SQL as root; returns what the client prints in batch mode without column names. */
  sql(text: string): string;
}

/** A program beside the server's: in the same folder, or where packages put clients. */
const beside = (server: string, name: string): string => {
  const own = join(dirname(server), name);
  return existsSync(own) ? own : join("/usr/bin", name);
};

/**
 * Starts a MariaDB of its own on a new data directory: `root` without a password, an empty database `pawl`.
 * @throws Error when the program is missing or does not start.
 */
export const startMariaDb = async (
  options: { readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<MariaDbServer> => {
  const command = findProgram("mariadbd");
  const user = serverUser("mysql");
  const folder = serverFolder("mariadb", user);
  const data = join(folder, "data");
  runProgram(
    beside(command, "mariadb-install-db"),
    [
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
    ],
    user,
  );
  const host = "127.0.0.1";
  const port = await freePort();
  const sql = (text: string): string =>
    runProgram(beside(command, "mariadb"), [
      "--no-defaults",
      `--host=${host}`,
      `--port=${port}`,
      "--user=root",
      "-NB",
      `--execute=${text}`,
    ]).trim();
  const control = await startServer({
    name: "MariaDB",
    command,
    args: [
      "--no-defaults",
      `--datadir=${data}`,
      `--bind-address=${host}`,
      `--port=${port}`,
      `--socket=${join(folder, "socket")}`,
      "--skip-name-resolve",
      ...Object.entries(options.settings ?? {}).map(([name, value]) => `--${name}=${value}`),
    ],
    user,
    folder,
    isReady: () => sql("SELECT 1") === "1",
  });
  sql("CREATE DATABASE IF NOT EXISTS pawl");
  return { ...control, host, port, folder, url: `mysql://root@${host}:${port}/pawl`, sql };
};
