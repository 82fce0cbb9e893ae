import type { CountRecord, CountSelector, Page, PageRequest } from "@pawl/storage";
import { countOf, countPage, decodeCountPosition } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import { arraysOf } from "./sessions/session-row.js";
import * as statements from "./statements.js";

export const addCounts = async (database: Database, counts: readonly CountRecord[]): Promise<void> => {
  const columns = arraysOf<CountRecord>(counts, [({ hour }) => hour, ({ name }) => name, ({ count }) => count]);
  await database.query(statements.addCounts, columns);
};

export const listCounts = async (
  database: Database,
  { from, to }: CountSelector,
  { limit, after }: PageRequest,
): Promise<Page<CountRecord>> => {
  const { hour, name } = after === undefined ? { hour: from - 1, name: "" } : decodeCountPosition(after);
  const rows = await database.query(statements.listCounts, [from, to, hour, name, limit + 1]);
  return countPage(rows.map(countOf), limit);
};
