import {
  type Millis,
  millis,
  NEVER,
  PUBLIC_TENANT,
  type RotationAttempt,
  type SessionId,
  type SessionRecord,
  type UserId,
} from "@pawl/storage";

const secretHash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";

/** A session as a login at a time makes it, but for what is given. */
export const sessionAt = (now: Millis, parts: Partial<SessionRecord> = {}): SessionRecord => ({
  id: crypto.randomUUID() as SessionId,
  tenantId: PUBLIC_TENANT,
  userId: "alice" as UserId,
  secretHash,
  current: 0,
  next: 0,
  issuedAt: millis(0),
  keyKind: "dynamic",
  payload: "{}",
  data: "{}",
  createdAt: now,
  lastActiveAt: now,
  expiresAt: millis(now + 8_640_000_000),
  idleExpiresAt: NEVER,
  ...parts,
});

/** A refresh with the newest token of a row, sealed when the row was issued. */
export const attemptOn = (record: SessionRecord, parts: Partial<RotationAttempt> = {}): RotationAttempt => ({
  id: record.id,
  seq: record.next,
  iat: record.issuedAt,
  secretHash,
  window: millis(30_000),
  lifetimes: { refreshValidity: millis(8_640_000_000) },
  ...parts,
});
