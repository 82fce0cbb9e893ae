import { millis, NEVER, PUBLIC_TENANT, type SessionId, type SessionRecord, type UserId } from "../src/index.js";

/** A live row that was never refreshed, with the given columns in place of the usual ones. */
export const sessionRow = (columns: Partial<SessionRecord> = {}): SessionRecord => ({
  id: "00000000-0000-4000-8000-000000000000" as SessionId,
  tenantId: PUBLIC_TENANT,
  userId: "user" as UserId,
  secretHash: "hash",
  current: 0,
  next: 0,
  issuedAt: millis(0),
  keyKind: "dynamic",
  payload: "{}",
  data: "{}",
  facts: "{}",
  factsVersion: 0,
  payloadVersion: 0,
  bound: "",
  createdAt: millis(0),
  lastActiveAt: millis(0),
  expiresAt: NEVER,
  idleExpiresAt: NEVER,
  ...columns,
});
