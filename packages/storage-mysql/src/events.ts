import type { EventRecord, EventSelector, Page, PageRequest } from "@pawl/storage";
import { decodeEventPosition, eventOf, eventPage, type EventRow } from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf } from "./index-key.js";
import { join, type Sql, sql } from "./connection/sql.js";
import * as statements from "./statements.js";

const keyIfAny = (text: string | undefined): string | Buffer | undefined => (text === undefined ? text : keyOf(text));

const valuesOf = ({ key, at, type, tenantId, userId, sessionId, reason, detail, count }: EventRecord): Sql =>
  sql`(${join([
    keyOf(key),
    at,
    type,
    keyIfAny(tenantId),
    keyIfAny(userId),
    keyIfAny(sessionId),
    longTextsOf({ key, tenantId, userId, sessionId }),
    reason,
    detail,
    count,
  ])})`;

/**
 * The statements that append events; the count of one whose key is there is added to that. Those that are new go to the
 * outbox too, once for each destination that wants their type.
 */
export const insertEvents = ({ outbox }: Pick<Database, "outbox">, events: readonly EventRecord[]): readonly Sql[] => [
  // In the order of keys, so that two transactions do not wait for each other.
  ...statements.insertEvents(events.toSorted((left, right) => (left.key < right.key ? -1 : 1)).map(valuesOf)),
  ...(outbox.size === 0
    ? []
    : statements.putIntoOutbox(
        [...appended(events).values()].flatMap(({ type, ...event }) =>
          (outbox.get(type) ?? []).map((destination) => ({ ...event, destination })),
        ),
      )),
];

type AppendedEvent = Omit<statements.NewEntry, "destination"> & Pick<EventRecord, "type">;

/** The first of each key, with the count of all of that key. */
const appended = (events: readonly EventRecord[]): ReadonlyMap<string, AppendedEvent> => {
  const byKey = new Map<string, AppendedEvent>();
  for (const { key, type, count } of events) {
    const first = byKey.get(key) ?? { key, type, added: 0, initial: count };
    byKey.set(key, { ...first, added: first.added + count });
  }
  return byKey;
};

export const listEvents = async (
  database: Database,
  selector: EventSelector,
  page: PageRequest,
): Promise<Page<EventRecord>> => {
  const after = page.after === undefined ? undefined : decodeEventPosition(page.after);
  const [answer] = await database.send(statements.listEvents(selector, after, page.limit + 1));
  const rows = rowsOf<EventRow>(answer);
  return eventPage(rows.map(eventOf), page.limit);
};
