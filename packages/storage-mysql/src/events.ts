import type { EventRecord, EventSelector, Page, PageRequest, SessionId, TenantId, UserId } from "@pawl/storage";
import { decodeEventPosition, eventPage } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf, readLongTexts } from "./index-key.js";
import type { EventRow, Text } from "./rows.js";
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

/** The statements that append events; the count of one whose key is there is added to that. */
export const insertEvents = (events: readonly EventRecord[]): readonly Sql[] =>
  // In the order of keys, so that two transactions do not wait for each other.
  statements.insertEvents(events.toSorted((left, right) => (left.key < right.key ? -1 : 1)).map(valuesOf));

export const listEvents = async (
  database: Database,
  selector: EventSelector,
  page: PageRequest,
): Promise<Page<EventRecord>> => {
  const after = page.after === undefined ? undefined : decodeEventPosition(page.after);
  const [answer] = await database.send(statements.listEvents(selector, after, page.limit + 1));
  const rows = (answer?.rows ?? []) as readonly EventRow[];
  return eventPage(rows.map(eventOf), page.limit);
};

const eventOf = (row: EventRow): EventRecord => {
  const long = readLongTexts(row.long_texts);
  const text = (name: string, column: Text | null): string | undefined => long[name] ?? column?.toString();
  const [tenantId, userId, sessionId] = [
    text("tenantId", row.tenant_id) as TenantId | undefined,
    text("userId", row.user_id) as UserId | undefined,
    text("sessionId", row.session_id) as SessionId | undefined,
  ];
  return {
    key: text("key", row.event_key) ?? "",
    at: row.at,
    type: row.type.toString(),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(userId === undefined ? {} : { userId }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(row.reason === null ? {} : { reason: row.reason.toString() }),
    ...(row.detail === null ? {} : { detail: row.detail.toString() }),
    count: row.event_count,
  };
};
