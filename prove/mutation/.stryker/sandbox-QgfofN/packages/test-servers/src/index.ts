export { type MariaDbServer, startMariaDb } from "./mariadb.js";
export { startCachingProxy } from "./nginx.js";
export { startPgBouncer } from "./pgbouncer.js";
export { type PostgresServer, type PostgresStandby, startPostgres } from "./postgres.js";
export { findOrInstallPrograms, findProgram, type ProgramName } from "./programs.js";
export { type RedisCluster, startRedis, startRedisCluster } from "./redis.js";
export type { ServerControl, TestServer } from "./server-process.js";
