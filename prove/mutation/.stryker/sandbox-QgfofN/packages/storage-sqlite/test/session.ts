import { type Millis, NEVER, PUBLIC_TENANT, type SessionId, type SessionRecord, type UserId } from "@pawl/storage";

/** A session as a login makes it now, but for what is given. */
export const session = (parts: Partial<SessionRecord> = {}): SessionRecord => {
  const now = Date.now() as Millis;
  return {
    id: crypto.randomUUID() as SessionId,
    tenantId: PUBLIC_TENANT,
    userId: "alice" as UserId,
    secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    current: 0,
    next: 0,
    issuedAt: 0 as Millis,
    keyKind: "dynamic",
    payload: "{}",
    data: "{}",
    createdAt: now,
    lastActiveAt: now,
    expiresAt: (now + 8_640_000_000) as Millis,
    idleExpiresAt: NEVER,
    ...parts,
  };
};
