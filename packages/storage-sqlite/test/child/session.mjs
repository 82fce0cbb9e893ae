import { millis, NEVER, PUBLIC_TENANT } from "@pawl/storage";

/**
 * A session of alice as a login makes it, for programs outside the test runner.
 * @param {Partial<import("@pawl/storage").SessionRecord>} parts
 * @returns {import("@pawl/storage").SessionRecord}
 */
export const session = (parts = {}) => ({
  id: /** @type {import("@pawl/storage").SessionId} */ (crypto.randomUUID()),
  tenantId: PUBLIC_TENANT,
  userId: /** @type {import("@pawl/storage").UserId} */ ("alice"),
  secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
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
  createdAt: millis(Date.now()),
  lastActiveAt: millis(Date.now()),
  expiresAt: millis(Date.now() + 8_640_000_000),
  idleExpiresAt: NEVER,
  ...parts,
});
