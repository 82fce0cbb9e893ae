import {
  type ChangeRecord,
  type FeedCursor,
  type FeedPage,
  type FeedStart,
  type RevocationRecord,
  StorageError,
} from "@pawl/storage";
import { type ChangeRow, changeOf, type FeedRow, type RevocationRow, revocationOf } from "@pawl/storage/adapter";
import type { Database, Statement, Value } from "./connection/database.js";

/** How many lines make a page at most: what comes at once is read in one turn of the event loop. */
const pageLimit = 2000;

/** A table of lines, each with the number of the transaction that wrote it. */
interface Feed<Row extends FeedRow, Line> {
  readonly table: string;
  /** What its rows have besides the columns of every feed. */
  readonly column: string;
  readonly lineOf: (row: Row) => Line;
}

export const revocations: Feed<RevocationRow, RevocationRecord> = {
  table: "revocations",
  column: "reason",
  lineOf: revocationOf,
};

export const changes: Feed<ChangeRow, ChangeRecord> = {
  table: "changes",
  column: "payload_version",
  lineOf: changeOf,
};

/**
 * Where a reader stands. Numbers are given before commits, so a lower one may appear after a higher one; a snapshot tells
 * exactly which transactions a reader has seen (postgresql.org/docs/current/functions-info.html, "pg_snapshot").
 */
interface Position {
  /** The life of the store: a restored one, or a server that came back or took over, may have lost what was read. */
  readonly epoch: string;
  /** What was seen, as a snapshot, or `@` and the time from which on everything is wanted. */
  readonly from: string;
  /** When a page was cut: what the pages are of, and the last row so far. */
  readonly cut?: { readonly until: string; readonly key: string; readonly number: number };
}

/** A position, or a time, which has no epoch. */
type Start = Omit<Position, "epoch"> & { readonly epoch?: string };

/** What tells of the store beside each row. */
interface StoreRow {
  readonly key: string;
  readonly epoch: string;
  readonly snapshot: string;
}

/** The number is null where there is no row, and this one tells only of the store. */
type PageRow<Row> = StoreRow & (Row | { readonly number: null });

/** Reads a page of a feed. */
export const readFeed = async <Row extends FeedRow, Line>(
  database: Database,
  feed: Feed<Row, Line>,
  from: FeedStart,
): Promise<FeedPage<Line>> => {
  const start: Start | undefined = "at" in from ? { from: `@${from.at}` } : parseCursor(from.cursor);
  if (start === undefined) return { kind: "unknown_cursor" };
  const rows = await read(database, feed, start);
  const [first] = rows;
  if (first === undefined) return { kind: "unknown_cursor" };
  const { epoch, snapshot } = first;
  const seen = start.from.startsWith("@") ? start.cut?.until : start.from;
  if ((start.epoch ?? epoch) !== epoch || (seen !== undefined && endOf(seen) > endOf(snapshot)))
    return { kind: "unknown_cursor" };
  const found = rows.filter((row): row is StoreRow & Row => row.number !== null);
  const last = found.at(-1);
  const until = start.cut?.until ?? shorten(snapshot);
  const more = found.length === pageLimit;
  return {
    kind: "page",
    items: found.map(feed.lineOf),
    cursor:
      more && last !== undefined
        ? cursorOf({ epoch, from: start.from, cut: { until, key: last.key, number: last.number } })
        : cursorOf({ epoch, from: until }),
    more,
  };
};

const read = async <Row extends FeedRow>(
  database: Database,
  feed: Feed<Row, unknown>,
  start: Start,
): Promise<readonly PageRow<Row>[]> => {
  const { statement, values } = pageOf(feed, start);
  try {
    return await database.query(statement, values);
  } catch (error) {
    // A cursor that is none of ours: its snapshot cannot be one.
    if (error instanceof StorageError && error.code === "invalid_record") return [];
    throw error;
  }
};

const pageOf = <Row extends FeedRow>(
  { table, column }: Feed<Row, unknown>,
  { from, cut }: Start,
): { readonly statement: Statement<PageRow<Row>>; readonly values: readonly Value[] } => {
  const values: Value[] = [];
  const parameter = (value: Value, type: string): string => `$${values.push(value)}::${type}`;
  const isByTime = from.startsWith("@");
  const [key, type] = isByTime ? ["at", "bigint"] : ["xid", "xid8"];
  const conditions: string[] = [];
  if (isByTime) conditions.push(`at >= ${parameter(from.slice(1), "bigint")}`);
  else {
    const seen = parameter(from, "pg_snapshot");
    conditions.push(`xid >= pg_snapshot_xmin(${seen})`, `NOT pg_visible_in_snapshot(xid, ${seen})`);
  }
  if (cut !== undefined)
    conditions.push(
      `pg_visible_in_snapshot(xid, ${parameter(cut.until, "pg_snapshot")})`,
      `(${key}, number) > (${parameter(cut.key, type)}, ${parameter(cut.number, "bigint")})`,
    );
  const text = `SELECT store.*, page.* FROM (
      SELECT value || (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS epoch,
        pg_current_snapshot()::text AS snapshot
      FROM {schema}.meta WHERE name = 'revocation_epoch'
    ) AS store LEFT JOIN (
      SELECT number, ${key}::text AS key, session_id, tenant_id, user_id, at, ${column}
      FROM {schema}.${table} WHERE ${conditions.join(" AND ")} ORDER BY ${key}, number LIMIT ${pageLimit}
    ) AS page ON true`;
  return { statement: { text }, values };
};

/** The transaction number before which a snapshot ends. */
const endOf = (snapshot: string): bigint => BigInt(snapshot.split(":")[1] ?? "0");

/**
 * A snapshot that is short enough for a cursor: where too many transactions were under way it counts all since the oldest of
 * them as not seen, and what they wrote comes again.
 */
const shorten = (snapshot: string): string => {
  if (snapshot.length <= 400) return snapshot;
  const [oldest] = snapshot.split(":") as [string];
  return `${oldest}:${oldest}:`;
};

const cursorOf = ({ epoch, from, cut }: Position): FeedCursor =>
  [epoch, from, ...(cut === undefined ? [] : [cut.until, cut.key, cut.number])].join("/");

const parseCursor = (cursor: FeedCursor): Position | undefined => {
  const snapshot = String.raw`\d{1,19}:\d{1,19}:[\d,]{0,400}`;
  const [, epoch, from, until, key, number] =
    new RegExp(
      String.raw`^([\w-]{1,80})/(${snapshot}|@-?\d{1,16})(?:/(${snapshot})/(-?\d{1,19})/(\d{1,16}))?$`,
      "u",
    ).exec(cursor) ?? [];
  if (epoch === undefined || from === undefined) return undefined;
  return until === undefined || key === undefined
    ? { epoch, from }
    : { epoch, from, cut: { until, key, number: Number(number) } };
};
