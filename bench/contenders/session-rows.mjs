import { randomBytes, randomUUID } from "node:crypto";
import { bucketOfUser, millis, NEVER, openStorage, PUBLIC_TENANT } from "@pawl/storage";

const DAY = 86_400_000;

const newUser = () => /** @type {import("@pawl/storage").UserId} */ (`user-${randomUUID().slice(0, 8)}`);

/**
 * A new session as the engine would store it, of a new user unless one is given.
 * @param {Partial<import("@pawl/storage").SessionRecord>} [parts]
 * @returns {import("@pawl/storage").SessionRecord}
 */
export const newRecord = (parts = {}) => {
  const { createdAt = millis(Date.now()), tenantId = PUBLIC_TENANT, userId = newUser() } = parts;
  const bucket = bucketOfUser({ tenantId, userId });
  return {
    id: /** @type {import("@pawl/storage").SessionId} */ (bucket.toString(16).padStart(4, "0") + randomUUID().slice(4)),
    tenantId,
    userId,
    secretHash: randomBytes(32).toString("base64url"),
    current: 0,
    next: 0,
    issuedAt: millis(0),
    keyKind: "dynamic",
    payload: '{"role":"member"}',
    data: "{}",
    facts: "{}",
    factsVersion: 0,
    payloadVersion: 0,
    bound: "",
    createdAt,
    lastActiveAt: createdAt,
    expiresAt: millis(createdAt + 100 * DAY),
    idleExpiresAt: NEVER,
    ...parts,
  };
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
