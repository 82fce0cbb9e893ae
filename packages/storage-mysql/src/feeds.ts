import type {
  ChangeRecord,
  EndReason,
  FeedCursor,
  FeedPage,
  FeedStart,
  Millis,
  RevocationRecord,
  SessionRecord,
  SessionReference,
} from "@pawl/storage";
import { referenceOf } from "@pawl/storage/adapter";
import { type Answer, rowsOf, serverTime } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf } from "./index-key.js";
import type { ChangedRow, LineRow, RevokedRow } from "./rows.js";
import { inPieces, join, type Sql, sql } from "./connection/sql.js";

/** The most lines in a page: what comes at once is read in one turn of the event loop. */
const pageLimit = 2000;

/** A table of lines, numbered. */
interface Feed<Row extends LineRow, Line> {
  readonly table: Sql;
  /** What its rows have besides the columns of every feed. */
  readonly column: Sql;
  /** Where the table `feed` keeps the greatest number that was deleted. */
  readonly deletedTo: Sql;
  readonly lineOf: (row: Row) => Line;
}

export const revocations: Feed<RevokedRow, RevocationRecord> = {
  table: sql`revocations`,
  column: sql`reason`,
  deletedTo: sql`deleted_to`,
  lineOf: (row) => ({ ...referenceOf(row), at: row.at, reason: row.reason }),
};

export const changes: Feed<ChangedRow, ChangeRecord> = {
  table: sql`changes`,
  column: sql`payload_version`,
  deletedTo: sql`changes_deleted_to`,
  lineOf: (row) => ({ ...referenceOf(row), at: row.at, payloadVersion: row.payload_version }),
};

/**
 * A feed's rows are numbered when they are written, and seen when they are committed: a lower number may appear after a
 * higher one. After this many milliseconds it no longer does: from its number to its commit a transaction has nothing to
 * wait for but the server's disk, and from its start to its number the server bounds it (`wait_timeout`).
 */
export const settlingTime = 60_000;

/** The server's time as it writes a row, not as the statement began: that may have waited. */
const writtenAt = sql`TIMESTAMPDIFF(MICROSECOND, '1970-01-01', SYSDATE(6)) DIV 1000`;

/** The statements that append to a feed: to be the last of their transaction. */
const insertLines = <Row extends LineRow>(
  { table, column }: Feed<Row, unknown>,
  sessions: readonly SessionReference[],
  { at, value }: { readonly at: Millis; readonly value: string | number },
): readonly Sql[] =>
  inPieces(
    sessions.map(({ id, tenantId, userId }) => {
      const long = longTextsOf({ id, tenantId, userId });
      return sql`(${join([keyOf(id), keyOf(tenantId), keyOf(userId), long, at, value])}, ${writtenAt})`;
    }),
    (rows) =>
      sql`INSERT INTO ${table} (id, tenant_id, user_id, long_texts, at, ${column}, written_at) VALUES ${join(rows)}`,
  );

export const insertRevocations = (
  sessions: readonly SessionReference[],
  { at, reason }: { readonly at: Millis; readonly reason: EndReason },
): readonly Sql[] => insertLines(revocations, sessions, { at, value: reason });

export const insertChange = (session: SessionRecord, at: Millis): readonly Sql[] =>
  insertLines(changes, [session], { at, value: session.payloadVersion });

/** The greatest number ever given, also when its row has been deleted; 0 before the first. */
const newestOf = <Row extends LineRow>({ table, deletedTo }: Feed<Row, unknown>): Sql =>
  sql`GREATEST(${deletedTo}, COALESCE((SELECT MAX(number) FROM ${table}), 0))`;

const selectFeed = <Row extends LineRow>(feed: Feed<Row, unknown>): Sql =>
  sql`SELECT epoch, ${feed.deletedTo} AS deleted_to, ${newestOf(feed)} AS newest, ${serverTime} AS now FROM feed`;

interface FeedRow {
  readonly epoch: string;
  readonly deleted_to: number;
  readonly newest: number;
  readonly now: number;
}

const selectAfter = <Row extends LineRow>({ table, column }: Feed<Row, unknown>, number: number): Sql => sql`
  SELECT number, id, tenant_id, user_id, long_texts, at, ${column}, written_at FROM ${table}
  WHERE number > ${number} ORDER BY number LIMIT ${pageLimit}`;

/** Where a reader stands. */
interface Position {
  /** Every number up to this one has been seen, or will never be. */
  readonly settled: number;
  /** Up to here rows have been handed out; while reading page after page, greater than `settled`. */
  readonly read: number;
  /** The key of the session at `settled`; empty when its row had been deleted. */
  readonly at: string;
}

const encode = (epoch: string, { settled, read, at }: Position): FeedCursor => `${epoch}.${settled}.${read}.${at}`;

const decode = (cursor: FeedCursor): (Position & { readonly epoch: string }) | undefined => {
  const [, epoch, settled, read, at] = /^([0-9a-f]+)\.(\d{1,15})\.(\d{1,15})\.([\w-]*)$/u.exec(cursor) ?? [];
  if (epoch === undefined || settled === undefined || read === undefined || at === undefined) return undefined;
  return { epoch, settled: Number(settled), read: Number(read), at };
};

/** Reads a page of a feed. */
export const readFeed = async <Row extends LineRow, Line extends { readonly at: Millis }>(
  database: Database,
  feed: Feed<Row, Line>,
  from: FeedStart,
): Promise<FeedPage<Line>> => {
  if ("at" in from) return readSince(database, feed, from.at);
  const start = decode(from.cursor);
  if (start === undefined) return { kind: "unknown_cursor" };
  const present = sql`SELECT id, long_texts FROM ${feed.table} WHERE number = ${start.settled}`;
  const [state, presentAnswer, page] = await database.send(selectFeed(feed), present, selectAfter(feed, start.read));
  const store = storeOf(state);
  const session = markOf(presentAnswer?.rows[0] as Pick<LineRow, "id"> | undefined);
  // A restored backup keeps its epoch and gives the same numbers again, to other sessions.
  const isAnother = session !== "" && start.at !== session;
  if (start.epoch !== store.epoch || start.settled > store.newest || start.read > store.newest || isAnother)
    return { kind: "unknown_cursor" };
  return pageOf(feed, { store, start, rows: rowsOf<Row>(page) });
};

/** Starts before the first row of that time, so that none of them can appear behind the reader. */
const readSince = async <Row extends LineRow, Line extends { readonly at: Millis }>(
  database: Database,
  feed: Feed<Row, Line>,
  at: Millis,
): Promise<FeedPage<Line>> => {
  const before = sql`SELECT number, id, long_texts FROM ${feed.table}
    WHERE at < ${at - settlingTime} AND written_at < ${serverTime} - ${settlingTime}
    ORDER BY at DESC, number DESC LIMIT 1`;
  const [state, beforeAnswer] = await database.send(selectFeed(feed), before);
  const store = storeOf(state);
  const row = beforeAnswer?.rows[0] as Pick<LineRow, "number" | "id"> | undefined;
  const settled = row?.number ?? store.deleted_to;
  const [page] = await database.send(selectAfter(feed, settled));
  const start = { settled, read: settled, at: markOf(row) };
  const found = pageOf(feed, { store, start, rows: rowsOf<Row>(page) });
  return { ...found, items: found.items.filter((line) => line.at >= at) };
};

/** The key of a row's session as a cursor holds it; empty for no row. */
const markOf = (row: Pick<LineRow, "id"> | undefined): string =>
  row === undefined ? "" : Buffer.from(keyOf(row.id)).toString("base64url");

const storeOf = (answer: Answer | undefined): FeedRow => answer?.rows[0] as FeedRow;

const pageOf = <Row extends LineRow, Line>(
  feed: Feed<Row, Line>,
  { store, start, rows }: { readonly store: FeedRow; readonly start: Position; readonly rows: readonly Row[] },
): Extract<FeedPage<Line>, { readonly kind: "page" }> => {
  const more = rows.length === pageLimit;
  const { settled, at } = settle(start, rows, store.now - settlingTime);
  const read = more ? (rows.at(-1)?.number ?? settled) : settled;
  return {
    kind: "page",
    items: rows.map(feed.lineOf),
    cursor: encode(store.epoch, { settled, read, at }),
    more,
  };
};

/** Moves on while no number is missing, and past a gap that is older than any transaction. */
const settle = (start: Position, rows: readonly LineRow[], settledBefore: number): Pick<Position, "settled" | "at"> => {
  let { settled, at } = start;
  for (const row of rows)
    if (row.number === settled + 1 || row.written_at < settledBefore) {
      settled = row.number;
      at = markOf(row);
    }
  return { settled, at };
};

/** Deletes at most `limit` lines older than a time; the feed remembers the greatest number among them. */
export const deleteLines = async <Row extends LineRow>(
  database: Database,
  { table, deletedTo }: Feed<Row, unknown>,
  { before, limit }: { readonly before: Millis; readonly limit: number },
): Promise<number> => {
  const lock = sql`SELECT number FROM ${table} WHERE at < ${before} ORDER BY at LIMIT ${limit} FOR UPDATE`;
  return database.transact([lock], ([answer]) => {
    const numbers = rowsOf<Pick<LineRow, "number">>(answer).map(({ number }) => number);
    const deletes = inPieces(
      numbers.map((number) => sql`${number}`),
      (piece) => sql`DELETE FROM ${table} WHERE number IN (${join(piece)})`,
    );
    const greatest = numbers.reduce((left, right) => Math.max(left, right), 0);
    const remember = sql`UPDATE feed SET ${deletedTo} = GREATEST(${deletedTo}, ${greatest})`;
    return { writes: numbers.length === 0 ? [] : [...deletes, remember], result: () => numbers.length };
  });
};

/** From which numbers on a watcher counts: the second is not smaller than the first. */
export interface CountedFrom {
  readonly base: number;
  readonly mark: number;
}

/** What a watcher compares from poll to poll: rows that appear behind the newest one change the count. */
export interface FeedState {
  readonly newest: number;
  /** How many rows there are after `base`, and how many after `mark`. */
  readonly afterBase: number;
  readonly afterMark: number;
}

/** Reads the states of both feeds. */
export const readFeedStates = async (
  database: Database,
  [ofRevocations, ofChanges]: readonly [CountedFrom, CountedFrom],
): Promise<readonly FeedState[]> => {
  const answers = await database.send(stateOf(revocations, ofRevocations), stateOf(changes, ofChanges));
  return answers.map(({ rows }) => rows[0] as FeedState);
};

const stateOf = <Row extends LineRow>(feed: Feed<Row, unknown>, { base, mark }: CountedFrom): Sql =>
  sql`SELECT ${newestOf(feed)} AS newest,
    (SELECT COUNT(*) FROM ${feed.table} WHERE number > ${base}) AS afterBase,
    (SELECT COUNT(*) FROM ${feed.table} WHERE number > ${mark}) AS afterMark FROM feed`;
