import type { EndReason, Millis, RevocationCursor, RevocationPage, SessionId, SessionReference } from "@pawl/storage";
import { type RevocationRow, revocationOf } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";

/** How many revocations make a page at most. */
const pageLimit = 10_000;

/** The epoch of a store, which every cursor carries. */
const epochName = "revocation_epoch";

/**
 * Appends to the feed. SQLite has one writer at a time, so the numbers are given in the order of the commits, and a reader
 * who has seen one has seen all before it.
 */
export const appendRevocations = (
  database: Database,
  sessions: readonly SessionReference[],
  cause: { readonly at: Millis; readonly reason: EndReason },
): void => {
  for (const { id, tenantId, userId } of sessions)
    database.run(statements.insertRevocation, { id, tenantId, userId, at: cause.at, reason: cause.reason });
};

/** Reads a page of the feed. */
export const readRevocations = (
  database: Database,
  from: { readonly cursor: RevocationCursor } | { readonly at: Millis },
): RevocationPage => {
  const epoch = database.get(statements.selectMeta, { name: epochName })?.value ?? "";
  // Read before the page: another process may append in between, and what it appends must stand after the cursor.
  const last = newestRevocation(database);
  if ("at" in from) {
    const rows = database.all(statements.selectRevocationsSince, { at: from.at, limit: pageLimit });
    return pageOf(rows, rows.at(-1) ?? { number: last, session_id: sessionAt(database, last) }, epoch);
  }
  const start = parseCursor(from.cursor);
  if (start === undefined || start.epoch !== epoch || start.number > last) return { kind: "unknown_cursor" };
  // A restored backup keeps its epoch and gives the same numbers again, to other sessions.
  const present = sessionAt(database, start.number);
  if (present !== undefined && present !== start.session_id) return { kind: "unknown_cursor" };
  const rows = database.all(statements.selectRevocationsAfter, {
    number: start.number,
    limit: pageLimit,
  });
  return pageOf(rows, rows.at(-1) ?? start, epoch);
};

/** The greatest number ever given; 0 before the first. */
export const newestRevocation = (database: Database): number =>
  database.get(statements.selectLastRevocation)?.number ?? 0;

interface Position {
  readonly number: number;
  /** Absent when its row has been deleted. */
  readonly session_id: SessionId | undefined;
}

const sessionAt = (database: Database, number: number): SessionId | undefined =>
  database.get(statements.selectRevocation, { number })?.session_id;

const pageOf = (rows: readonly RevocationRow[], end: Position, epoch: string): RevocationPage => ({
  kind: "page",
  revocations: rows.map(revocationOf),
  cursor: `${epoch}.${end.number}.${Buffer.from(end.session_id ?? "").toString("base64url")}`,
  more: rows.length === pageLimit,
});

const parseCursor = (cursor: RevocationCursor): (Position & { readonly epoch: string }) | undefined => {
  const [, epoch, digits, session] = /^([0-9a-f]+)\.(\d{1,15})\.([\w-]*)$/u.exec(cursor) ?? [];
  if (epoch === undefined || digits === undefined || session === undefined) return undefined;
  const name = Buffer.from(session, "base64url").toString();
  return { epoch, number: Number(digits), session_id: name === "" ? undefined : (name as SessionId) };
};
