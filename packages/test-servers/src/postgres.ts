import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "./programs.js";
import {
  freePort,
  runProgram,
  serverFolder,
  serverUser,
  startServer,
  type TestServer,
  until,
} from "./server-process.js";

/** A private PostgreSQL. */
export interface PostgresServer extends TestServer {
  /** The folder of its programs: `psql`, `pgbench`, `pg_basebackup`, `pg_ctl`. */
  readonly programs: string;
  /** Its data directory. */
  readonly data: string;
  /** Runs SQL as its superuser in a database (`postgres` unless given); returns the rows as `psql -At` prints them. */
  sql(text: string, database?: string): string;
  /** Starts an asynchronous standby that follows it. */
  startStandby(): Promise<PostgresStandby>;
}

/** A standby; after `promote` it is a primary. */
interface PostgresStandby extends PostgresServer {
  /** Makes it a primary; resolves when it can be written. */
  promote(): Promise<void>;
}

const USER = "pawl";

/** Its client: beside the server, or, where that came without one, of another version. */
const clientOf = (programs: string): string => {
  const own = join(programs, "psql");
  return existsSync(own) ? own : "psql";
};

interface PostgresOptions {
  /** Lines of postgresql.conf, such as `{ fsync: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The folder of the programs of another version. */
  readonly programs?: string;
}

const run = async (
  options: PostgresOptions,
  prepare: (to: {
    readonly programs: string;
    readonly data: string;
    readonly user: ReturnType<typeof serverUser>;
  }) => void,
): Promise<PostgresServer> => {
  const programs = options.programs ?? dirname(realpathSync(findProgram("postgres")));
  const user = serverUser("postgres");
  const folder = serverFolder("postgres", user);
  const data = join(folder, "data");
  prepare({ programs, data, user });
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    max_connections: "200",
    ...options.settings,
  };
  const host = "127.0.0.1";
  const sql = (text: string, database = "postgres"): string =>
    runProgram(clientOf(programs), [
      "-XAtq",
      "--set=ON_ERROR_STOP=1",
      `--dbname=postgres://${USER}@${host}:${port}/${database}`,
      `--command=${text}`,
    ]).trim();
  const control = await startServer({
    name: "PostgreSQL",
    command: join(programs, "postgres"),
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    user,
    folder,
    endSignal: "SIGINT",
    isReady: () => sql("SELECT 1") === "1",
  });
  return {
    ...control,
    host,
    port,
    folder,
    data,
    programs,
    url: `postgres://${USER}@${host}:${port}/postgres`,
    sql,
    startStandby: async () => {
      const standby = await run(options, (to) => {
        runProgram(
          join(to.programs, "pg_basebackup"),
          ["-h", host, "-p", String(port), "-U", USER, "-D", to.data, "-X", "stream", "-c", "fast", "-R"],
          to.user,
        );
      });
      return {
        ...standby,
        promote: async () => {
          standby.sql("SELECT pg_promote(false)");
          await until("the standby is not promoted", () => standby.sql("SELECT pg_is_in_recovery()") === "f");
        },
      };
    },
  };
};

/**
 * Starts a PostgreSQL of its own: `trust` for its superuser `pawl`, UTF-8, on a new data directory.
 * @throws Error when the program is missing or does not start.
 */
export const startPostgres = (options: PostgresOptions = {}): Promise<PostgresServer> =>
  run(options, ({ programs, data, user }) => {
    const initdb = join(programs, "initdb");
    if (!existsSync(initdb)) throw new Error(`there is no initdb in ${programs}`);
    runProgram(initdb, ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], user);
  });
