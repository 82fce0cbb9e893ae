import { randomBytes, randomUUID } from "node:crypto";
import { openStorage } from "@pawl/storage";

const DAY = 86_400_000;

/** A new session as the engine would store it. @returns {import("@pawl/storage").SessionRecord} */
export const newRecord = () => {
  const now = Date.now();
  return /** @type {any} */ ({
    id: randomUUID(),
    tenantId: "public",
    userId: `user-${randomUUID().slice(0, 8)}`,
    secretHash: randomBytes(32).toString("base64url"),
    current: 0,
    next: 0,
    issuedAt: 0,
    keyKind: "dynamic",
    payload: '{"role":"member"}',
    data: "{}",
    createdAt: now,
    lastActiveAt: now,
    expiresAt: now + 100 * DAY,
    idleExpiresAt: 8_640_000_000_000_000,
  });
};

/** A database with Pawl's schema and so many sessions. */
export const openFilled = async (/** @type {string} */ path, /** @type {number} */ sessions) => {
  const storage = await openStorage(`sqlite:${path}`);
  await storage.migrate();
  const records = Array.from({ length: sessions }, newRecord);
  await Promise.all(records.map((record) => storage.createSession(record)));
  return { storage, records };
};
