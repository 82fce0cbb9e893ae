import type { MetaRecord, Page, PageRequest } from "@pawl/storage";
import { metaPage } from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf } from "./index-key.js";
import { sql } from "./connection/sql.js";
import * as statements from "./statements.js";

/** Writes `value` unless the name is taken; without it only reads. @returns what stands. */
export const claimMeta = async (
  database: Database,
  name: string,
  value: string | undefined,
): Promise<string | undefined> => {
  const insert = sql`INSERT INTO meta VALUES (${keyOf(name)}, ${longTextsOf({ name })}, ${value})
    ON DUPLICATE KEY UPDATE name = VALUES(name)`;
  const answers = await database.send(...(value === undefined ? [] : [insert]), statements.selectMeta(name));
  return (answers.at(-1)?.rows[0] as MetaRecord | undefined)?.value;
};

export const replaceMeta = async (
  database: Database,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> => {
  const [answer] = await database.send(
    sql`UPDATE meta SET value = ${to} WHERE name = ${keyOf(name)} AND value = ${from}`,
  );
  return (answer?.affected ?? 0) > 0;
};

export const listMeta = async (database: Database, prefix: string, page: PageRequest): Promise<Page<MetaRecord>> => {
  const [answer] = await database.send(statements.listMeta(prefix, page.after, page.limit + 1));
  const found = rowsOf<MetaRecord>(answer).map(({ name, value }) => ({ name, value }));
  return metaPage(found, page.limit);
};
