import type { DriverName } from "../src/driver.js";

/** Whether this Node has SQLite itself. */
export const hasNodeSqlite = process.getBuiltinModule("node:sqlite") !== undefined;

/** The drivers that this Node can load: libsql always, its own where it has one. */
export const drivers: readonly DriverName[] = hasNodeSqlite ? ["libsql", "node"] : ["libsql"];
