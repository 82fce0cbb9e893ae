// SQLite that fails in the middle of a transaction: counts the statements of one operation, and goes wrong at one.
import { createRequire } from "node:module";

/** What runs beside an operation, in the background. */
const BACKGROUND = /readRevocations|readChanges|feedGrowth/;

const failure = () => Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR" });

/**
 * Puts a hand on every statement that libsql is given in this process.
 * @returns what watches an operation: the statement number `at` fails, before or (`isAfter`) after it was done.
 */
export const watchStatements = () => {
  const Database = createRequire(new URL("../../packages/storage-sqlite/package.json", import.meta.url))("libsql");
  const { exec, prepare } = Database.prototype;
  /** @type {{ at: number, isAfter: boolean, statements: string[] } | undefined} */
  let watch;

  /** @param {string} sql @param {() => unknown} run */
  const pass = (sql, run) => {
    const watched = watch;
    if (watched === undefined || BACKGROUND.test(new Error("here").stack ?? "")) return run();
    watched.statements.push(sql);
    if (watched.statements.length !== watched.at) return run();
    if (watched.isAfter) run();
    throw failure();
  };
  Database.prototype.exec = function passExec(/** @type {string} */ sql) {
    return pass(sql, () => exec.call(this, sql));
  };
  Database.prototype.prepare = function passPrepare(/** @type {string} */ sql) {
    const statement = prepare.call(this, sql);
    for (const method of ["get", "all", "run"]) {
      const call = statement[method];
      statement[method] = (/** @type {unknown[]} */ ...parameters) =>
        pass(sql, () => call.apply(statement, parameters));
    }
    return statement;
  };

  return {
    /** @param {() => Promise<unknown>} operation @param {{ at?: number, isAfter?: boolean }} [fault] */
    async watch(operation, { at = 0, isAfter = false } = {}) {
      /** @type {string[]} */
      const statements = [];
      watch = { at, isAfter, statements };
      const outcome = await operation().then(
        () => "answered",
        () => "failed",
      );
      watch = undefined;
      return { outcome, statements };
    },
    /** Takes the hand away. */
    stop: () => Object.assign(Database.prototype, { exec, prepare }),
  };
};
