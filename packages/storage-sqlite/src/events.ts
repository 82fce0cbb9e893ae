import {
  decodeEventPosition,
  encodeEventPosition,
  type EventRecord,
  type EventSelector,
  type Page,
  type PageRequest,
} from "@pawl/storage";
import type { Database } from "./connection/database.js";
import type { Value } from "./connection/driver.js";
import type { EventRow } from "./rows.js";
import * as statements from "./statements.js";

/** Appends events inside the caller's transaction; the count of one whose key is there is added to that. */
export const appendEvents = (database: Database, events: readonly EventRecord[]): void => {
  for (const event of events)
    database.run(statements.insertEvent, {
      key: event.key,
      at: event.at,
      type: event.type,
      tenantId: event.tenantId ?? null,
      userId: event.userId ?? null,
      sessionId: event.sessionId ?? null,
      reason: event.reason ?? null,
      detail: event.detail ?? null,
      count: event.count,
    });
};

export const listEvents = (database: Database, selector: EventSelector, page: PageRequest): Page<EventRecord> => {
  const { sessionId, tenantId, userId, types } = selector;
  const parameters: Record<string, Value> = { limit: page.limit + 1 };
  if (sessionId !== undefined) parameters["sessionId"] = sessionId;
  if (tenantId !== undefined) parameters["tenantId"] = tenantId;
  if (userId !== undefined) parameters["userId"] = userId;
  if (types !== undefined) parameters["types"] = JSON.stringify(types);
  if (page.after !== undefined) Object.assign(parameters, decodeEventPosition(page.after));
  const rows = database.all(statements.listEvents({ ...selector, after: page.after }), parameters);
  const items = rows.slice(0, page.limit).map(eventOf);
  const last = items.at(-1);
  return rows.length > page.limit && last !== undefined ? { items, next: encodeEventPosition(last) } : { items };
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
