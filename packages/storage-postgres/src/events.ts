import type { EventRecord, EventSelector, Page, PageRequest } from "@pawl/storage";
import { decodeEventPosition, eventOf, eventPage } from "@pawl/storage/adapter";
import type { Database, Value } from "./connection/database.js";
import { arraysOf } from "./sessions/session-row.js";
import * as statements from "./statements.js";

const eventFacts: readonly ((event: EventRecord) => string | number | null)[] = [
  ({ key }) => key,
  ({ at }) => at,
  ({ type }) => type,
  ({ tenantId }) => tenantId ?? null,
  ({ userId }) => userId ?? null,
  ({ sessionId }) => sessionId ?? null,
  ({ reason }) => reason ?? null,
  ({ detail }) => detail ?? null,
];

/** Events as a statement takes them: the first of each key, the count of all of that key, and that of the first alone. */
export const eventArrays = (events: readonly EventRecord[]): readonly Value[] => {
  const firsts = new Map<string, EventRecord>();
  const counts = new Map<string, number>();
  for (const event of events) {
    if (!firsts.has(event.key)) firsts.set(event.key, event);
    counts.set(event.key, (counts.get(event.key) ?? 0) + event.count);
  }
  return arraysOf([...firsts.values()], [...eventFacts, ({ key }) => counts.get(key)!, ({ count }) => count]);
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
