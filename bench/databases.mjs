import { dirname } from "node:path";

/**
 * A private database server for the contenders of a row. `storeUrl` names a store of its own for one of them; `bytes` is what
 * a store takes, where the server tells.
 * @typedef {{ stop: () => Promise<void>, storeUrl: (name: string) => string, bytes: (name: string) => number } & Record<string, any>} Database
 */

/** Asks a package that may just have been built. */
const servers = () => import("@pawl/test-servers");

/** PostgreSQL as it is installed, but for the memory of a server of its own and the room of its log. */
const startPostgres = async () => {
  const { startPostgres: start } = await servers();
  const server = await start({ settings: { shared_buffers: "512MB", max_wal_size: "4GB", max_connections: "400" } });
  return {
    ...server,
    storeUrl: (/** @type {string} */ name) => `${server.url}?schema=${name}`,
    bytes: (/** @type {string} */ name) => Number(server.sql(`SELECT pg_total_relation_size('${name}.sessions')`)),
  };
};

/** MariaDB as it is installed, but for the memory of a server of its own. */
const startMysql = async () => {
  const { startMariaDb } = await servers();
  const server = await startMariaDb({
    settings: { "innodb-buffer-pool-size": "512M", "innodb-log-file-size": "512M", "max-connections": "400" },
  });
  return {
    ...server,
    storeUrl: (/** @type {string} */ name) => {
      server.sql(`CREATE DATABASE IF NOT EXISTS ${name}`);
      return server.url.replace(/\/pawl$/, `/${name}`);
    },
    bytes: (/** @type {string} */ name) =>
      Number(
        server
          .sql(
            `ANALYZE TABLE ${name}.sessions; SELECT data_length + index_length FROM information_schema.tables
            WHERE table_schema = '${name}' AND table_name = 'sessions'`,
          )
          .split(/\s+/)
          .at(-1),
      ),
  };
};

/** Redis that syncs its append-only file before it answers. */
const startRedis = async () => {
  const { findProgram, startRedis: start } = await servers();
  const server = await start();
  return {
    ...server,
    program: `${dirname(findProgram("redis-server"))}/redis-benchmark`,
    storeUrl: (/** @type {string} */ name) => `${server.url}?prefix=${name}`,
    /** Of all stores of the server: there is no other one where a store is grown. */
    bytes: () => Number(/used_memory:(\d+)/.exec(server.command("info", "memory"))?.[1]),
  };
};

/** What rows are measured on: the program that is needed, and how a server of it is started. */
const kinds = /** @type {const} */ ({
  postgres: { program: "postgres", start: startPostgres },
  mysql: { program: "mariadbd", start: startMysql },
  redis: { program: "redis-server", start: startRedis },
});

/** @typedef {keyof typeof kinds} DatabaseKind @typedef {Partial<Record<DatabaseKind, Database>>} Databases */

/**
 * Servers of a row's own, for as long as they are used.
 * @template T
 * @param {readonly DatabaseKind[]} wanted
 * @param {(databases: Databases) => Promise<T>} use
 */
export const withDatabases = async (wanted, use) => {
  /** @type {Databases} */
  const started = {};
  try {
    for (const kind of wanted) started[kind] = await kinds[kind].start();
    return await use(started);
  } finally {
    await Promise.all(Object.values(started).map((database) => database.stop()));
  }
};

/**
 * Tells before anything is measured which program is missing, and for which rows.
 * @param {readonly { name: string, databases?: readonly DatabaseKind[] }[]} rows
 * @throws {Error} of one line
 */
export const requirePrograms = async (rows) => {
  const { findProgram } = await servers();
  for (const [kind, { program }] of Object.entries(kinds)) {
    const needing = rows.filter(({ databases = [] }) => databases.some((one) => one === kind)).map(({ name }) => name);
    try {
      if (needing.length > 0) findProgram(program);
    } catch (error) {
      throw new Error(`${needing.join(", ")}: ${/** @type {Error} */ (error).message}`, { cause: error });
    }
  }
};
