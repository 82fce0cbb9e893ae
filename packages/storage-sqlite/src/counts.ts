import type { CountRecord, CountSelector, Page, PageRequest } from "@pawl/storage";
import { countOf, countPage, decodeCountPosition } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";

/** Adds to counts, inside the caller's transaction. */
export const addCounts = (database: Database, counts: readonly CountRecord[]): void => {
  for (const { hour, name, count } of counts) database.run(statements.addCount, { hour, name, count });
};

export const listCounts = (
  database: Database,
  { from, to }: CountSelector,
  { limit, after }: PageRequest,
): Page<CountRecord> => {
  const { hour, name } = after === undefined ? { hour: from - 1, name: "" } : decodeCountPosition(after);
  const rows = database.all(statements.listCounts, { from, to, hour, name, limit: limit + 1 });
  return countPage(rows.map(countOf), limit);
};
