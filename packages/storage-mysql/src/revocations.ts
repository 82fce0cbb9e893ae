import type {
  EndReason,
  Millis,
  RevocationCursor,
  RevocationPage,
  RevocationRecord,
  SessionReference,
} from "@pawl/storage";
import { referenceOf } from "@pawl/storage/adapter";
import { type Answer, rowsOf, serverTime } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf } from "./index-key.js";
import type { NumberedRow } from "./rows.js";
import { inPieces, join, type Sql, sql } from "./connection/sql.js";

/** The most revocations in a page. */
const pageLimit = 10_000;

/**
 * The feed's rows are numbered when they are written, and seen when they are committed: a lower number may appear after a
 * higher one. After this many milliseconds it no longer does: from its number to its commit a transaction has nothing to
 * wait for but the server's disk, and from its start to its number the server bounds it (`wait_timeout`).
 */
export const settlingTime = 60_000;

/** The server's time as it writes a row, not as the statement began: that may have waited. */
const writtenAt = sql`TIMESTAMPDIFF(MICROSECOND, '1970-01-01', SYSDATE(6)) DIV 1000`;

/** The statements that append to the feed: to be the last of their transaction. */
export const insertRevocations = (
  sessions: readonly SessionReference[],
  { at, reason }: { readonly at: Millis; readonly reason: EndReason },
): readonly Sql[] =>
  inPieces(
    sessions.map(({ id, tenantId, userId }) => {
      const long = longTextsOf({ id, tenantId, userId });
      return sql`(${join([keyOf(id), keyOf(tenantId), keyOf(userId), long, at, reason])}, ${writtenAt})`;
    }),
    (rows) =>
      sql`INSERT INTO revocations (id, tenant_id, user_id, long_texts, at, reason, written_at) VALUES ${join(rows)}`,
  );

/** The greatest number ever given, also when its row has been deleted; 0 before the first. */
const newestNumber = sql`GREATEST(deleted_to, COALESCE((SELECT MAX(number) FROM revocations), 0))`;

const selectFeed = sql`SELECT epoch, deleted_to, ${newestNumber} AS newest, ${serverTime} AS now FROM feed`;

interface FeedRow {
  readonly epoch: string;
  readonly deleted_to: number;
  readonly newest: number;
  readonly now: number;
}

const selectAfter = (number: number): Sql => sql`
  SELECT number, id, tenant_id, user_id, long_texts, at, reason, written_at FROM revocations
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

const encode = (epoch: string, { settled, read, at }: Position): RevocationCursor =>
  `${epoch}.${settled}.${read}.${at}`;

const decode = (cursor: RevocationCursor): (Position & { readonly epoch: string }) | undefined => {
  const [, epoch, settled, read, at] = /^([0-9a-f]+)\.(\d{1,15})\.(\d{1,15})\.([\w-]*)$/u.exec(cursor) ?? [];
  if (epoch === undefined || settled === undefined || read === undefined || at === undefined) return undefined;
  return { epoch, settled: Number(settled), read: Number(read), at };
};

/** Reads a page of the feed. */
export const readRevocations = async (
  database: Database,
  from: { readonly cursor: RevocationCursor } | { readonly at: Millis },
): Promise<RevocationPage> => {
  if ("at" in from) return readSince(database, from.at);
  const start = decode(from.cursor);
  if (start === undefined) return { kind: "unknown_cursor" };
  const present = sql`SELECT id, long_texts FROM revocations WHERE number = ${start.settled}`;
  const [feedAnswer, presentAnswer, page] = await database.send(selectFeed, present, selectAfter(start.read));
  const feed = feedOf(feedAnswer);
  const session = markOf(presentAnswer?.rows[0] as Pick<NumberedRow, "id"> | undefined);
  // A restored backup keeps its epoch and gives the same numbers again, to other sessions.
  const isAnother = session !== "" && start.at !== session;
  if (start.epoch !== feed.epoch || start.settled > feed.newest || start.read > feed.newest || isAnother)
    return { kind: "unknown_cursor" };
  return pageOf(feed, start, revocationsOf(page));
};

/** Starts before the first row of that time, so that none of them can appear behind the reader. */
const readSince = async (database: Database, at: Millis): Promise<RevocationPage> => {
  const before = sql`SELECT number, id, long_texts FROM revocations
    WHERE at < ${at - settlingTime} AND written_at < ${serverTime} - ${settlingTime}
    ORDER BY at DESC, number DESC LIMIT 1`;
  const [feedAnswer, beforeAnswer] = await database.send(selectFeed, before);
  const feed = feedOf(feedAnswer);
  const row = beforeAnswer?.rows[0] as Pick<NumberedRow, "number" | "id"> | undefined;
  const settled = row?.number ?? feed.deleted_to;
  const [page] = await database.send(selectAfter(settled));
  const start = { settled, read: settled, at: markOf(row) };
  const found = pageOf(feed, start, revocationsOf(page));
  return { ...found, revocations: found.revocations.filter((revocation) => revocation.at >= at) };
};

/** The key of a row's session as a cursor holds it; empty for no row. */
const markOf = (row: Pick<NumberedRow, "id"> | undefined): string =>
  row === undefined ? "" : Buffer.from(keyOf(row.id)).toString("base64url");

const feedOf = (answer: Answer | undefined): FeedRow => answer?.rows[0] as FeedRow;

const revocationsOf = (answer: Answer | undefined): readonly NumberedRow[] => rowsOf<NumberedRow>(answer);

const pageOf = (
  feed: FeedRow,
  start: Position,
  rows: readonly NumberedRow[],
): Extract<RevocationPage, { readonly kind: "page" }> => {
  const more = rows.length === pageLimit;
  const { settled, at } = settle(start, rows, feed.now - settlingTime);
  const read = more ? (rows.at(-1)?.number ?? settled) : settled;
  return {
    kind: "page",
    revocations: rows.map(revocationOf),
    cursor: encode(feed.epoch, { settled, read, at }),
    more,
  };
};

/** Moves on while no number is missing, and past a gap that is older than any transaction. */
const settle = (
  start: Position,
  rows: readonly NumberedRow[],
  settledBefore: number,
): Pick<Position, "settled" | "at"> => {
  let { settled, at } = start;
  for (const row of rows)
    if (row.number === settled + 1 || row.written_at < settledBefore) {
      settled = row.number;
      at = markOf(row);
    }
  return { settled, at };
};

const revocationOf = (row: NumberedRow): RevocationRecord => ({
  ...referenceOf(row),
  at: row.at,
  reason: row.reason,
});

/** Deletes at most `limit` entries older than a time; the feed remembers the greatest number among them. */
export const deleteRevocations = async (database: Database, before: Millis, limit: number): Promise<number> => {
  const lock = sql`SELECT number FROM revocations WHERE at < ${before} ORDER BY at LIMIT ${limit} FOR UPDATE`;
  return database.transact([lock], ([answer]) => {
    const numbers = revocationsOf(answer).map(({ number }) => number);
    const deletes = inPieces(
      numbers.map((number) => sql`${number}`),
      (piece) => sql`DELETE FROM revocations WHERE number IN (${join(piece)})`,
    );
    const greatest = numbers.reduce((left, right) => Math.max(left, right), 0);
    const remember = sql`UPDATE feed SET deleted_to = GREATEST(deleted_to, ${greatest})`;
    return { writes: numbers.length === 0 ? [] : [...deletes, remember], result: () => numbers.length };
  });
};

/** What a watcher compares from poll to poll: rows that appear behind the newest one change the count. */
export interface FeedState {
  readonly newest: number;
  /** How many rows there are after `base`, and how many after `mark`. */
  readonly afterBase: number;
  readonly afterMark: number;
}

/** Reads the state of the feed after two numbers, the second not smaller than the first. */
export const readFeedState = async (
  database: Database,
  { base, mark }: { readonly base: number; readonly mark: number },
): Promise<FeedState> => {
  const [answer] = await database.send(sql`SELECT ${newestNumber} AS newest,
    (SELECT COUNT(*) FROM revocations WHERE number > ${base}) AS afterBase,
    (SELECT COUNT(*) FROM revocations WHERE number > ${mark}) AS afterMark FROM feed`);
  return answer?.rows[0] as FeedState;
};
