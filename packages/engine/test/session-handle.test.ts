import { bucketOf, type TenantId, type UserId } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handleOf, isTenantId, parseHandle } from "../src/session-handle.js";
import { systemRandom } from "../src/random.js";
import { newSessionId } from "../src/session-handle.js";

const owner = (tenantId: string, userId: string) => ({ tenantId: tenantId as TenantId, userId: userId as UserId });

describe("session handle", () => {
  it("is a UUID of version 4 whose first 16 bits are the owner's", () => {
    const buckets = new Set<number>();
    const ids = new Set<string>();
    for (let count = 0; count < 100; count++) {
      const id = newSessionId(owner("public", "user"), systemRandom);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      buckets.add(bucketOf(id));
      ids.add(id);
    }
    expect(buckets.size).toBe(1);
    expect(ids.size).toBe(100);
  });

  it("begins as it always did: rows stand where it says", () => {
    // Computed elsewhere: SHA-256 over tenant and user, each behind its length in four bytes.
    for (const [tenantId, userId, bucket] of [
      ["public", "user-1", 50556],
      ["public", "ünïcode 💥", 13081],
      ["customer-a", "user-1", 55558],
    ] as const)
      expect(bucketOf(newSessionId(owner(tenantId, userId), systemRandom))).toBe(bucket);
  });

  it("spreads users over the buckets, and takes tenant and user apart", () => {
    const bucket = (tenantId: string, userId: string): number =>
      bucketOf(newSessionId(owner(tenantId, userId), systemRandom));
    const buckets = new Set(Array.from({ length: 1000 }, (_, user) => bucket("public", `user ${user}`)));
    expect(buckets.size).toBeGreaterThan(950);
    expect(bucket("ab", "c")).not.toBe(bucket("a", "bc"));
  });

  it("is read back to what it names, with its tenant unless that is public", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.stringMatching(/^[a-z0-9-]{1,64}$/), (id, tenantId) => {
        const named = { id, tenantId } as Parameters<typeof handleOf>[0];
        const handle = handleOf(named);
        expect(handle).toBe(tenantId === "public" ? id : `${id}_${tenantId}`);
        expect(parseHandle(handle)).toEqual(named);
      }),
    );
  });

  it("is nothing but that one form", () => {
    const id = "0123abcd-0000-4000-8000-000000000000";
    const wrong = [
      "",
      id.toUpperCase(),
      ` ${id}`,
      `${id}\n`,
      `{${id}}`,
      id.replaceAll("-", ""),
      `${id}_`,
      `${id}_public`,
      `${id}_Acme`,
      `${id}_a_b`,
      `${id}_${"a".repeat(65)}`,
      `${id}_a\0`,
      `${id}-a`,
      `${id}_a `,
      "__proto__",
    ];
    for (const text of wrong) expect(parseHandle(text)).toBeUndefined();
    fc.assert(
      fc.property(
        fc.string(),
        (text) => parseHandle(text) === undefined || handleOf(parseHandle(text) as never) === text,
      ),
    );
  });

  it("knows which texts name a tenant", () => {
    expect(["public", "a", "0", "a-b", "a".repeat(64)].every(isTenantId)).toBe(true);
    expect(["", "A", "a_b", "é", "a b", "a".repeat(65), "a\n"].some(isTenantId)).toBe(false);
  });
});
