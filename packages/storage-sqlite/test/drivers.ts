import { type DriverName, loadDriver } from "../src/connection/driver.js";

/** Whether this Node has SQLite itself. */
export const hasNodeSqlite = await loadDriver("node").then(
  () => true,
  () => false,
);

/** The drivers that this Node can load: libsql always, its own where it has one. */
export const drivers: readonly DriverName[] = hasNodeSqlite ? ["libsql", "node"] : ["libsql"];
