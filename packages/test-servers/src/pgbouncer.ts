import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PostgresServer } from "./postgres.js";
import { findProgram } from "./programs.js";
import { accepts, freePort, serverFolder, serverUser, startServer, type TestServer } from "./server-process.js";

/**
 * Starts a PgBouncer in transaction mode before a PostgreSQL. Its `url` names the pooler.
 * @param ignored startup parameters that it takes and drops; it refuses connections that send others.
 */
export const startPgBouncer = async (
  postgres: PostgresServer,
  { ignored = ["extra_float_digits"] }: { readonly ignored?: readonly string[] } = {},
): Promise<TestServer> => {
  const user = serverUser("postgres");
  const folder = serverFolder("pgbouncer", user);
  const port = await freePort();
  const host = "127.0.0.1";
  const settings = join(folder, "pgbouncer.ini");
  writeFileSync(
    settings,
    `[databases]
* = host=${postgres.host} port=${postgres.port} user=pawl
[pgbouncer]
listen_addr = ${host}
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
ignore_startup_parameters = ${ignored.join(", ")}
`,
  );
  const control = await startServer({
    name: "PgBouncer",
    command: findProgram("pgbouncer"),
    args: [settings],
    user,
    folder,
    isReady: () => accepts(port),
  });
  return { ...control, host, port, folder, url: `postgres://pawl@${host}:${port}/postgres` };
};
