import type { SessionRecord, SessionReference } from "@pawl/storage";
import type { Parameters } from "../connection/database.js";
import type { ReferenceRow, SessionRow } from "../rows.js";

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

/** The parameters of the statement that inserts a session. */
export const parametersOf = (record: SessionRecord): Parameters => ({
  id: record.id,
  tenantId: record.tenantId,
  userId: record.userId,
  secretHash: record.secretHash,
  current: record.current,
  next: record.next,
  issuedAt: record.issuedAt,
  keyKind: record.keyKind,
  createdAt: record.createdAt,
  lastActiveAt: record.lastActiveAt,
  expiresAt: record.expiresAt,
  idleExpiresAt: record.idleExpiresAt,
  endedAt: record.endedAt ?? null,
  endReason: record.endReason ?? null,
  device: record.device ?? null,
  address: record.address ?? null,
  payload: record.payload,
  data: record.data,
});
