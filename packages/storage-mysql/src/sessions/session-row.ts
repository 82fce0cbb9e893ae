import {
  bucketOf,
  type Millis,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { keyOf, longTextsOf, readLongTexts } from "../index-key.js";
import type { ReferenceRow, SessionRow, SweepRow } from "../rows.js";
import { join, type Sql, sql } from "../connection/sql.js";

/** The bucket column of a session: 0 where the id is not one that the engine makes. */
export const bucketColumn = (id: SessionId): number => bucketOf(id) || 0;

export const referenceOf = (row: ReferenceRow): SessionReference => {
  const long = readLongTexts(row.long_texts);
  return {
    id: (long["id"] ?? row.id.toString()) as SessionId,
    tenantId: (long["tenantId"] ?? row.tenant_id.toString()) as TenantId,
    userId: (long["userId"] ?? row.user_id.toString()) as UserId,
  };
};

export const recordOf = (row: SessionRow): SessionRecord => ({
  ...referenceOf(row),
  secretHash: row.secret_hash.toString(),
  current: row.current,
  next: row.next,
  issuedAt: row.issued_at,
  keyKind: row.key_kind.toString(),
  payload: row.payload.toString(),
  data: row.data.toString(),
  ...(row.device === null ? {} : { device: row.device.toString() }),
  ...(row.address === null ? {} : { address: row.address.toString() }),
  createdAt: row.created_at,
  lastActiveAt: row.last_active_at,
  expiresAt: row.expires_at,
  idleExpiresAt: row.idle_expires_at,
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  ...(row.end_reason === null ? {} : { endReason: row.end_reason.toString() }),
});

/** Whether a row that has not ended is live. */
export const isUnexpired = (row: Pick<SweepRow, "expires_at" | "idle_expires_at">, now: Millis): boolean =>
  now < row.expires_at && now < row.idle_expires_at;

/** A record as a row of the statement that inserts it, in the order of `sessionColumns`. */
export const valuesOf = (record: SessionRecord): Sql => {
  const { id, tenantId, userId, expiresAt } = record;
  return sql`(${join([
    bucketColumn(id),
    keyOf(id),
    keyOf(tenantId),
    keyOf(userId),
    longTextsOf({ id, tenantId, userId }),
    record.secretHash,
    record.current,
    record.next,
    record.issuedAt,
    record.keyKind,
    record.createdAt,
    record.lastActiveAt,
    expiresAt,
    record.idleExpiresAt,
    record.endedAt,
    record.endReason,
    record.device,
    record.address,
    record.payload,
    record.data,
    expiresAt,
  ])})`;
};
