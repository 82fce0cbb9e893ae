import type { EventRecord, EventSelector, Page, PageRequest } from "@pawl/storage";
import { decodeEventPosition, eventOf, eventPage } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import type { Value } from "./connection/driver.js";
import * as statements from "./statements.js";
import type { Transaction } from "./transaction.js";

/** Appends events; the count of one whose key is there is added to that. */
export const appendEvents = ({ database, outbox }: Transaction, events: readonly EventRecord[]): void => {
  for (const event of events) {
    const values = {
      key: event.key,
      at: event.at,
      type: event.type,
      tenantId: event.tenantId ?? null,
      userId: event.userId ?? null,
      sessionId: event.sessionId ?? null,
      reason: event.reason ?? null,
      detail: event.detail ?? null,
      count: event.count,
    };
    for (const destination of outbox.get(event.type) ?? []) {
      const queue = `${destination} ${event.sessionId ?? event.key}`;
      database.run(statements.insertOutbox, { ...values, destination, queue });
    }
    database.run(statements.insertEvent, values);
  }
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
  return eventPage(rows.map(eventOf), page.limit);
};
