import { bucketOf, type Millis, type SessionId, type SessionRecord } from "@pawl/storage";
import type { SessionRow } from "@pawl/storage/adapter";
import type { Value } from "../connection/database.js";

/** A row with the time at which it was read or written. */
export type TimedRow = SessionRow & { readonly now: Millis };

/** What rows are divided by: the bucket of an id, and 0 for an id that is not made of one. */
export const bucketColumn = (id: string): number => (/^[0-9a-f]{4}/u.test(id) ? bucketOf(id as SessionId) : 0);

/** The order in which rows are written and locked everywhere, so that two writers cannot wait for each other. */
export const byBucketAndId = (left: { readonly id: string }, right: { readonly id: string }): number =>
  bucketColumn(left.id) - bucketColumn(right.id) || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0);

/** Columns of several rows as the arrays that `unnest` takes. */
export const arraysOf = <T>(
  items: readonly T[],
  columns: readonly ((item: T) => string | number | null)[],
): readonly Value[] => columns.map((column) => items.map(column));

/** The columns of the statement that inserts sessions. */
export const insertColumns: readonly ((record: SessionRecord) => string | number | null)[] = [
  ({ id }) => bucketColumn(id),
  ({ id }) => id,
  ({ tenantId }) => tenantId,
  ({ userId }) => userId,
  ({ secretHash }) => secretHash,
  ({ current }) => current,
  ({ next }) => next,
  ({ issuedAt }) => issuedAt,
  ({ keyKind }) => keyKind,
  ({ createdAt }) => createdAt,
  ({ lastActiveAt }) => lastActiveAt,
  ({ expiresAt }) => expiresAt,
  ({ idleExpiresAt }) => idleExpiresAt,
  ({ endedAt }) => endedAt ?? null,
  ({ endReason }) => endReason ?? null,
  ({ device }) => device ?? null,
  ({ address }) => address ?? null,
  ({ payload }) => payload,
  ({ data }) => data,
  ({ facts }) => facts,
  ({ factsVersion }) => factsVersion,
  ({ payloadVersion }) => payloadVersion,
  ({ bound }) => bound,
  ({ link }) => link ?? null,
  ({ subject }) => subject ?? null,
];
