import type { ForeignRow, ForeignTables } from "@pawl/storage/adapter";
import { Client } from "pg";
import { configOf, Sockets } from "./connection/connection.js";
import { asStorageError, isWithoutEncryption } from "./connection/failure.js";
import { parseUrl, type PostgresOptions } from "./options.js";

/**
 * Opens tables of another program in a PostgreSQL database, to be read alone: those of the schema `public`, unless the URL
 * has another one in `?schema=`. Their names are taken as SQL takes those without quotes: in lower case.
 * @throws StorageError `invalid_url`, `unavailable`.
 */
export const openForeignTables = async (url: string): Promise<ForeignTables> => {
  const options = parseUrl(url);
  const schema = new URL(url).searchParams.get("schema") ?? "public";
  const client = await connect(options);
  const rows = async (text: string, values: readonly unknown[]): Promise<readonly ForeignRow[]> => {
    try {
      return (await client.query<ForeignRow>(text, [...values])).rows;
    } catch (error) {
      throw asStorageError(error);
    }
  };
  await rows("SET default_transaction_read_only = on", []);
  const nameOf = (table: string): string => `${quoted(schema)}.${quoted(table.toLowerCase())}`;

  return {
    async columnsOf(table) {
      const found = await rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2",
        [schema, table.toLowerCase()],
      );
      return new Set(found.map((row) => String(row["column_name"])));
    },
    rowsAfter(table, { key, after, limit }) {
      const columns = key.map(quoted).join(", ");
      const beginning =
        after === undefined ? "" : `WHERE (${columns}) > (${after.map((_, index) => `$${index + 1}`).join(", ")})`;
      return rows(`SELECT * FROM ${nameOf(table)} ${beginning} ORDER BY ${columns} LIMIT ${limit}`, after ?? []);
    },
    rowsWith(table, values) {
      // Without a type: converted to text, a column of the type CHAR is found by no index.
      const conditions = Object.keys(values).map((column, index) => `${quoted(column)} = ANY($${index + 1})`);
      return rows(`SELECT * FROM ${nameOf(table)} WHERE ${conditions.join(" AND ")}`, Object.values(values));
    },
    close: () => client.end(),
  };
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const connect = async ({ address, mayBePlain, ...options }: PostgresOptions): Promise<Client> => {
  const client = new Client({
    ...configOf(address, { sockets: new Sockets(), isShared: true }),
    connectionTimeoutMillis: options.timeout,
  });
  // The call that is under way fails with it.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => undefined);
    const error = asStorageError(cause);
    if (!mayBePlain || !isWithoutEncryption(error)) throw error;
    return connect({ ...options, address: { ...address, ssl: false }, mayBePlain: false });
  }
};
