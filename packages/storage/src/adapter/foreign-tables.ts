/** A row as the database has it: whole numbers below 2^53, texts, booleans as the database knows them. */
export type ForeignRow = Readonly<Record<string, string | number | boolean | null>>;

/** Tables of another program; nothing of them is changed. Failures are thrown as `StorageError`. */
export interface ForeignTables {
  /** The names of a table's columns; none where there is no such table. */
  columnsOf(table: string): Promise<ReadonlySet<string>>;
  /** At most `limit` rows in the order of the columns `key`, after the one that has these values in them. */
  rowsAfter(
    table: string,
    page: { readonly key: readonly string[]; readonly after: readonly string[] | undefined; readonly limit: number },
  ): Promise<readonly ForeignRow[]>;
  /** All rows that have, in each of these columns, one of its values. */
  rowsWith(table: string, values: Readonly<Record<string, readonly string[]>>): Promise<readonly ForeignRow[]>;
  close(): Promise<void>;
}
