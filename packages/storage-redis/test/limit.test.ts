import { millis, type SessionId, type TenantId, type UserId } from "@pawl/storage";
import { sessionRecord } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { openForTest, sharedServer } from "./server.js";

const { urlOf } = sharedServer({ appendonly: "no" });

it("ends as many sessions as it may, however they lie among expired ones", async () => {
  const storage = await openForTest(urlOf("limit", "&durability=none"));
  const tenantId = "customer-1" as TenantId;
  const user = { tenantId, userId: "user-0" as UserId };
  const records = Array.from({ length: 1200 }, (_, index) =>
    sessionRecord(storage, {
      ...user,
      // Many of one user in one tag, one of each other user.
      ...(index < 400 ? {} : { userId: `user-${index}` as UserId }),
      ...(index % 3 === 0 ? {} : { expiresAt: millis(1) }),
    }),
  );
  await storage.importSessions(records);
  const ended = new Set<SessionId>();
  const end = async (selector: Parameters<typeof storage.revokeSessions>[0], limit: number): Promise<number> => {
    const some = await storage.revokeSessions(selector, { reason: "revoked_by_admin" }, limit);
    for (const { id } of some) ended.add(id);
    return some.length;
  };
  expect(await end({ kind: "user", ...user }, 30)).toBe(30);
  expect(await end({ kind: "tenant", tenantId }, 150)).toBe(150);
  expect(await end({ kind: "tenant", tenantId }, 150)).toBe(150);
  expect(await end({ kind: "tenant", tenantId }, 150)).toBe(70);
  expect(await end({ kind: "tenant", tenantId }, 150)).toBe(0);
  expect([...ended].toSorted()).toStrictEqual(
    records
      .filter(({ expiresAt }) => expiresAt > 1)
      .map(({ id }) => id)
      .toSorted(),
  );
});
