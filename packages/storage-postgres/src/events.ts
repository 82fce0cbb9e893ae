import type { EventRecord, EventSelector, Page, PageRequest } from "@pawl/storage";
import { decodeEventPosition, eventOf, eventPage } from "@pawl/storage/adapter";
import type { Database, Value } from "./connection/database.js";
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
  return eventPage((await database.query(statement, values)).map(eventOf), limit);
};
