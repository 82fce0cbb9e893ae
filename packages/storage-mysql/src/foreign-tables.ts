import type { ForeignRow, ForeignTables } from "@pawl/storage/adapter";
import { Connection, rowsOf } from "./connection/connection.js";
import { asStorageError } from "./connection/failure.js";
import { join, Sql, sql } from "./connection/sql.js";
import { parseUrl } from "./options.js";

/**
 * Opens tables of another program in a database of MySQL or MariaDB, to be read alone.
 * @throws StorageError `invalid_url`, `unavailable`.
 */
export const openForeignTables = async (url: string): Promise<ForeignTables> => {
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (error) {
      throw asStorageError(error);
    }
  };
  // Nothing is written, so it does not matter what is on the server's disk.
  const connection = await ask(() => Connection.open({ ...parseUrl(url), relaxed: true }));
  const rows = async (statement: Sql): Promise<readonly ForeignRow[]> => {
    const answers = await ask(() => connection.query([readOnly, statement], { limit: "none" }));
    return rowsOf<ForeignRow>(answers.at(-1));
  };

  return {
    async columnsOf(table) {
      const found = await rows(
        sql`SELECT column_name AS name FROM information_schema.columns
          WHERE table_schema = DATABASE() AND table_name = ${text(table)}`,
      );
      return new Set(found.map(({ name }) => String(name)));
    },
    rowsAfter(table, { key, after, limit }) {
      const beginning = after === undefined ? sql`TRUE` : isAfter(key, after);
      return rows(
        sql`SELECT * FROM ${quoted(table)} WHERE ${beginning} ORDER BY ${join(key.map(quoted))} LIMIT ${limit}`,
      );
    },
    rowsWith(table, values) {
      const conditions = Object.entries(values).map(
        ([column, wanted]) => sql`${quoted(column)} IN (${join(wanted.map(text))})`,
      );
      return rows(sql`SELECT * FROM ${quoted(table)} WHERE ${join(conditions, " AND ")}`);
    },
    async close() {
      connection.quit();
    },
  };
};

const readOnly = sql`SET SESSION TRANSACTION READ ONLY`;

const quoted = (name: string): Sql => new Sql(`\`${name.replaceAll("`", "``")}\``);

/** A text that is compared as its column is; a literal of bytes would be compared byte by byte. */
const text = (value: string): Sql => sql`CONVERT(${value} USING utf8mb4)`;

/** Written out: the servers find no index for a comparison of rows. */
const isAfter = ([column = "", ...columns]: readonly string[], [value = "", ...values]: readonly string[]): Sql => {
  const name = quoted(column);
  if (columns.length === 0) return sql`${name} > ${text(value)}`;
  return sql`(${name} > ${text(value)} OR (${name} = ${text(value)} AND ${isAfter(columns, values)}))`;
};
