import {
  decodeEventPosition,
  encodeEventPosition,
  type EventRecord,
  type EventSelector,
  type Page,
  type PageRequest,
} from "@pawl/storage";
import type { Database, Value } from "./connection/database.js";
import type { EventRow } from "./rows.js";
import { arraysOf } from "./sessions/session-row.js";
import * as statements from "./statements.js";

const eventColumns: readonly ((event: EventRecord) => string | number | null)[] = [
  ({ key }) => key,
  ({ at }) => at,
  ({ type }) => type,
  ({ tenantId }) => tenantId ?? null,
  ({ userId }) => userId ?? null,
  ({ sessionId }) => sessionId ?? null,
  ({ reason }) => reason ?? null,
  ({ detail }) => detail ?? null,
  ({ count }) => count,
];

/** Events as a statement takes them: each key once, with the counts of all added to the first, and in order. */
export const eventArrays = (events: readonly EventRecord[]): readonly Value[] => {
  const byKey = new Map<string, EventRecord>();
  for (const event of events) {
    const first = byKey.get(event.key);
    byKey.set(event.key, first === undefined ? event : { ...first, count: first.count + event.count });
  }
  const ordered = [...byKey.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1));
  return arraysOf(ordered, eventColumns);
};

export const listEvents = async (
  database: Database,
  selector: EventSelector,
  { limit, after }: PageRequest,
): Promise<Page<EventRecord>> => {
  const { statement, values } = statements.listEvents({
    ...selector,
    after: after === undefined ? undefined : decodeEventPosition(after),
    limit: limit + 1,
  });
  const rows = await database.query(statement, values);
  const items = rows.slice(0, limit).map(eventOf);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: encodeEventPosition(last) } : { items };
};

const eventOf = (row: EventRow): EventRecord => ({
  key: row.key,
  at: row.at,
  type: row.type,
  ...(row.tenant_id === null ? {} : { tenantId: row.tenant_id }),
  ...(row.user_id === null ? {} : { userId: row.user_id }),
  ...(row.session_id === null ? {} : { sessionId: row.session_id }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.detail === null ? {} : { detail: row.detail }),
  count: row.count,
});
