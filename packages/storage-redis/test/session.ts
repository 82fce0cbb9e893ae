import {
  bucketOfUser,
  type Millis,
  millis,
  NEVER,
  PUBLIC_TENANT,
  type RotationAttempt,
  type SessionId,
  type SessionRecord,
  type TenantId,
  type UserId,
} from "@pawl/storage";

const secretHash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";

/** An id of a new session of a user. */
export const idOf = (user: { readonly tenantId: TenantId; readonly userId: UserId }): SessionId =>
  `${bucketOfUser(user).toString(16).padStart(4, "0")}${crypto.randomUUID().slice(4)}` as SessionId;

/** A session as a login of a user at a time makes it, but for what is given. */
export const sessionAt = (now: Millis, parts: Partial<SessionRecord> = {}): SessionRecord => {
  const user = { tenantId: PUBLIC_TENANT, userId: "alice" as UserId, ...parts };
  return {
    id: idOf(user),
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
    ...user,
  };
};

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
