import type { CountRecord, CountSelector, Page, PageRequest } from "@pawl/storage";
import { countOf, countPage, type CountRow, decodeCountPosition } from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { sql } from "./connection/sql.js";
import * as statements from "./statements.js";

const inOrder = (left: CountRecord, right: CountRecord): number =>
  left.hour - right.hour || (left.name < right.name ? -1 : 1);

export const addCounts = async (database: Database, counts: readonly CountRecord[]): Promise<void> => {
  const rows = counts.toSorted(inOrder).map(({ hour, name, count }) => sql`(${hour}, ${name}, ${count})`);
  const writes = statements.addCounts(rows);
  if (writes.length > 0) await database.transact([], () => ({ writes, result: () => undefined }));
};

export const listCounts = async (
  database: Database,
  selector: CountSelector,
  page: PageRequest,
): Promise<Page<CountRecord>> => {
  const after = page.after === undefined ? undefined : decodeCountPosition(page.after);
  const [answer] = await database.send(statements.listCounts(selector, { after, limit: page.limit + 1 }));
  return countPage(rowsOf<CountRow>(answer).map(countOf), page.limit);
};
