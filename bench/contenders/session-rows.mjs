import { randomBytes, randomUUID } from "node:crypto";
import { bucketOfUser, openStorage } from "@pawl/storage";

const DAY = 86_400_000;

/**
 * A new session as the engine would store it.
 * @param {string} [userId] a new user's unless given
 * @returns {import("@pawl/storage").SessionRecord}
 */
export const newRecord = (userId = `user-${randomUUID().slice(0, 8)}`) => {
  const now = Date.now();
  const tenantId = /** @type {any} */ ("public");
  const bucket = bucketOfUser({ tenantId, userId: /** @type {any} */ (userId) });
  return /** @type {any} */ ({
    id: bucket.toString(16).padStart(4, "0") + randomUUID().slice(4),
    tenantId,
    userId,
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

const AT_ONCE = 500;

/** Puts rows into a storage. */
export const fill = async (
  /** @type {import("@pawl/storage").Storage} */ storage,
  /** @type {readonly import("@pawl/storage").SessionRecord[]} */ records,
) => {
  for (let start = 0; start < records.length; start += AT_ONCE)
    await storage.importSessions(records.slice(start, start + AT_ONCE));
};

/** A storage with Pawl's schema and so many sessions. */
export const openFilled = async (/** @type {string} */ url, /** @type {number} */ sessions) => {
  const storage = await openStorage(url);
  await storage.migrate();
  const records = Array.from({ length: sessions }, () => newRecord());
  await fill(storage, records);
  return { storage, records };
};
