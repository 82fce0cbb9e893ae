import { bucketOf, type SessionId, type SessionRecord, type SessionReference } from "@pawl/storage";
import type { Value } from "../connection/database.js";
import type { ReferenceRow, SessionRow } from "../rows.js";

/** What rows are divided by: the bucket of an id, and 0 for an id that is not made of one. */
export const bucketColumn = (id: string): number => (/^[0-9a-f]{4}/u.test(id) ? bucketOf(id as SessionId) : 0);

export const referenceOf = (row: ReferenceRow): SessionReference => ({
  id: row.id,
  tenantId: row.tenant_id,
  userId: row.user_id,
});

export const recordOf = (row: SessionRow): SessionRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  userId: row.user_id,
  secretHash: row.secret_hash,
  current: row.current,
  next: row.next,
  issuedAt: row.issued_at,
  keyKind: row.key_kind,
  payload: row.payload,
  data: row.data,
  ...(row.device === null ? {} : { device: row.device }),
  ...(row.address === null ? {} : { address: row.address }),
  createdAt: row.created_at,
  lastActiveAt: row.last_active_at,
  expiresAt: row.expires_at,
  idleExpiresAt: row.idle_expires_at,
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
});

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
];
