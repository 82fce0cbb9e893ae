import type {
  ChangeRecord,
  EndReason,
  FeedCursor,
  FeedPage,
  FeedStart,
  Millis,
  RevocationRecord,
  SessionReference,
} from "@pawl/storage";
import { changeOf, type FeedRow, revocationOf } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";

/** How many lines make a page at most: reading them holds the event loop. */
const pageLimit = 1000;

/** The epoch of a store, which the cursors of every feed carry. */
const epochName = "revocation_epoch";

/**
 * Appends to the feed of revocations. SQLite has one writer at a time, so the numbers of a feed are given in the order of
 * the commits, and a reader who has seen one has seen all before it.
 */
export const appendRevocations = (
  database: Database,
  sessions: readonly SessionReference[],
  cause: { readonly at: Millis; readonly reason: EndReason },
): void => {
  for (const { id, tenantId, userId } of sessions)
    database.run(statements.revocations.insert, { id, tenantId, userId, at: cause.at, value: cause.reason });
};

/** Appends to the feed of changes. */
export const appendChange = (database: Database, { id, tenantId, userId, at, payloadVersion }: ChangeRecord): void => {
  database.run(statements.changes.insert, { id, tenantId, userId, at, value: payloadVersion });
};

export const readRevocations = (database: Database, from: FeedStart): FeedPage<RevocationRecord> =>
  readFeed(database, from, { ...statements.revocations, lineOf: revocationOf });

export const readChanges = (database: Database, from: FeedStart): FeedPage<ChangeRecord> =>
  readFeed(database, from, { ...statements.changes, lineOf: changeOf });

/** Grows whenever a feed does. */
export const feedGrowth = (database: Database): number => database.get(statements.selectFeedGrowth)?.growth ?? 0;

/** A feed of lines that stand in rows. */
type Feed<Row extends FeedRow, Line> = statements.FeedStatements<Row> & { readonly lineOf: (row: Row) => Line };

const readFeed = <Row extends FeedRow, Line>(
  database: Database,
  from: FeedStart,
  feed: Feed<Row, Line>,
): FeedPage<Line> => {
  const epoch = database.get(statements.selectMeta, { name: epochName })?.value ?? "";
  // Read before the page: another process may append in between, and what it appends must stand after the cursor.
  const last = database.get(feed.selectLast)?.number ?? 0;
  const positionAt = (number: number): Position => ({
    number,
    mark: markOf(database.get(feed.selectMark, { number })),
  });
  const pageOf = (rows: readonly Row[], before: Position): FeedPage<Line> => {
    const end = rows.at(-1);
    const { number, mark } = end === undefined ? before : { number: end.number, mark: markOf(end) };
    const cursor = `${epoch}.${number}.${mark}`;
    return { kind: "page", items: rows.map(feed.lineOf), cursor, more: rows.length === pageLimit };
  };
  if ("at" in from) {
    const rows = database.all(feed.selectSince, { at: from.at, limit: pageLimit });
    return pageOf(rows, positionAt(last));
  }
  const start = parseCursor(from.cursor);
  if (start === undefined || start.epoch !== epoch || start.number > last) return { kind: "unknown_cursor" };
  // A restored backup keeps its epoch and gives the same numbers again, to other lines.
  const { mark } = positionAt(start.number);
  if (mark !== "" && mark !== start.mark) return { kind: "unknown_cursor" };
  return pageOf(database.all(feed.selectAfter, { number: start.number, limit: pageLimit }), start);
};

interface Position {
  readonly number: number;
  /** What tells its line from another of that number; empty when it has been deleted. */
  readonly mark: string;
}

const markOf = (row: Pick<FeedRow, "session_id" | "at"> | undefined): string =>
  row === undefined ? "" : `${row.at}.${Buffer.from(row.session_id).toString("base64url")}`;

const parseCursor = (cursor: FeedCursor): (Position & { readonly epoch: string }) | undefined => {
  const [, epoch, digits, mark] = /^([0-9a-f]+)\.(\d{1,15})\.(.*)$/u.exec(cursor) ?? [];
  return epoch === undefined || mark === undefined ? undefined : { epoch, number: Number(digits), mark };
};
