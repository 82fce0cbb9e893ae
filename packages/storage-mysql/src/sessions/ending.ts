import {
  type ErasedUser,
  type EventRecord,
  expiryOf,
  type Millis,
  type RevocationCause,
  type RevocationSelector,
  type SessionId,
  type SessionReference,
  sessionEndedEvent,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { referenceOf, type SweepStep } from "@pawl/storage/adapter";
import { type Answer, rowsOf } from "../connection/connection.js";
import type { Database } from "../connection/database.js";
import type { Sql } from "../connection/sql.js";
import { insertEvents } from "../events.js";
import { insertRevocations } from "../feeds.js";
import type { SweepRow, UserSessionRow } from "../rows.js";
import { deleteEventsOfUser, deleteOutboxOfUser } from "../statements.js";
import { isUnexpired } from "./session-row.js";
import * as statements from "./statements.js";

/** What names a session, without the rest of its row. */
export const onlyReference = ({ id, tenantId, userId }: SessionReference): SessionReference => ({
  id,
  tenantId,
  userId,
});

/** The rows among the answers that are live, as what names them. */
const liveReferences = (answers: readonly Answer[], now: Millis): readonly SessionReference[] =>
  answers
    .flatMap(({ rows }) => rows as readonly UserSessionRow[])
    .filter((row) => isUnexpired(row, now))
    .map(referenceOf);

/** Sessions that end, and what is appended with that. */
interface Ending {
  readonly all: readonly SessionReference[];
  /** Those of them that have rows already; all of them unless said. */
  readonly present?: readonly SessionReference[];
  readonly cause: RevocationCause;
  readonly now: Millis;
  /** Besides the event of each session. */
  readonly events?: readonly EventRecord[];
}

/** The statements that end sessions: to be the last of their transaction. */
export const end = (database: Database, { all, present = all, cause, now, events = [] }: Ending): readonly Sql[] => [
  ...statements.endSessions(
    present.map(({ id }) => id),
    now,
    cause.reason,
  ),
  ...insertEvents(database, [...all.map((session) => sessionEndedEvent(session, { ...cause, at: now })), ...events]),
  // Last, so that between its number and its commit there is nothing to wait for.
  ...insertRevocations(all, { at: now, reason: cause.reason }),
];

const lockSelected = (
  selector: RevocationSelector,
  { time, limit }: { readonly time: Sql; readonly limit: number | undefined },
): readonly Sql[] => {
  switch (selector.kind) {
    case "ids":
      return statements.lockNamed(selector.ids);
    case "user":
      return [statements.lockUser(selector.tenantId, selector.userId)];
    case "tenant":
      return [
        limit === undefined
          ? statements.lockTenant(selector.tenantId)
          : statements.lockSomeOfTenant(selector.tenantId, { now: time, limit }),
      ];
  }
};

const isSelected = (selector: RevocationSelector, session: SessionReference): boolean =>
  selector.kind === "user"
    ? session.id !== selector.exceptId
    : selector.tenantId === undefined || session.tenantId === selector.tenantId;

/** @returns the sessions that were live. */
export const revokeSessions = async (
  database: Database,
  {
    selector,
    cause,
    limit,
  }: {
    readonly selector: RevocationSelector;
    readonly cause: RevocationCause;
    readonly limit: number | undefined;
  },
): Promise<readonly SessionReference[]> =>
  database.transact(lockSelected(selector, { time: database.time, limit }), (answers, now) => {
    const selected = liveReferences(answers, now).filter((session) => isSelected(selector, session));
    const ended = selected.slice(0, limit);
    return { writes: end(database, { all: ended, cause, now }), result: () => ended };
  });

export const eraseUser = async (
  database: Database,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  limit = Number.MAX_SAFE_INTEGER,
): Promise<ErasedUser> =>
  database.transact([statements.lockRowsOfUser(tenantId, userId, limit)], ([answer], now) => {
    const rows = rowsOf<SweepRow>(answer);
    const ended = rows.filter((row) => row.ended_at === null && isUnexpired(row, now)).map(referenceOf);
    const writes = [
      deleteEventsOfUser(tenantId, userId, limit),
      ...statements.deleteSessions(rows.map(({ id }) => id)),
      ...deleteOutboxOfUser({ tenantId, userId }, now, limit),
      ...insertRevocations(ended, { at: now, reason: "erased" }),
    ];
    return { writes, result: ([events]) => ({ ended, rows: rows.length, events: events?.affected ?? 0 }) };
  });

/** Looks at the next rows of the sweep: deletes those that expired, files the others under the end they have by now. */
export const sweep = async (database: Database, before: Millis, limit: number): Promise<SweepStep> =>
  database.transact([statements.lockToSweep(before, limit)], ([answer]) => {
    const rows = rowsOf<SweepRow>(answer);
    const [expired, kept] = [
      rows.filter((row) => row.expires_at <= before),
      rows.filter((row) => row.expires_at > before),
    ];
    const idsOf = (some: readonly SweepRow[]): readonly SessionId[] => some.map(({ id }) => id);
    const ends = expired.filter((row) => row.ended_at === null).map((row) => ({ row, ...expiryOfRow(row) }));
    const events = ends.map(({ row, ...end }) => sessionEndedEvent(referenceOf(row), end));
    const ended = ends.map(({ row, reason }) => ({ tenantId: row.tenant_id, reason }));
    const writes = [
      ...statements.deleteSessions(idsOf(expired)),
      ...statements.postponeSweep(idsOf(kept)),
      ...insertEvents(database, events),
    ];
    return { writes, result: () => ({ seen: rows.length, deleted: expired.length, ended }) };
  });

const expiryOfRow = (row: SweepRow): ReturnType<typeof expiryOf> =>
  expiryOf({ expiresAt: row.expires_at, idleExpiresAt: row.idle_expires_at });
