import type { SessionRecord } from "@pawl/storage";
import type { Parameters } from "../connection/database.js";

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
  facts: record.facts,
  factsVersion: record.factsVersion,
  payloadVersion: record.payloadVersion,
  bound: record.bound,
  link: record.link ?? null,
  subject: record.subject ?? null,
});
