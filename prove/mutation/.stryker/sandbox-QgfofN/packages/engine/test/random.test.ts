import { describe, expect, it } from "vitest";
import { createRandomPool, formatUuid, formatUuidV4, randomUuid, systemRandom } from "../src/random.js";
import { repeatableRandom } from "./repeatable-random.js";

describe("random pool", () => {
  it("gives buffers of the size asked for, never the same bytes twice, across its refills", () => {
    const random = createRandomPool(64);
    const seen = new Set<string>();
    for (let count = 0; count < 1000; count += 1) {
      const bytes = random.bytes(16 + (count % 17));
      expect(bytes).toHaveLength(16 + (count % 17));
      seen.add(bytes.toString("hex", 0, 16));
    }
    expect(seen.size).toBe(1000);
  });

  it("serves requests greater than the pool", () => {
    const bytes = createRandomPool(64).bytes(4096);
    expect(bytes).toHaveLength(4096);
    expect(new Set(bytes).size).toBeGreaterThan(200);
  });

  it("gives buffers that the receiver may change without a trace", () => {
    const random = createRandomPool(64);
    random.bytes(32).fill(0xaa);
    expect(random.bytes(32).equals(Buffer.alloc(32, 0xaa))).toBe(false);
  });
});

describe("UUIDs", () => {
  it("random ones are of version 4 and distinct", () => {
    const uuids = Array.from({ length: 2000 }, () => randomUuid(systemRandom));
    for (const uuid of uuids) expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(uuids).size).toBe(2000);
  });

  it("depend on nothing but their random source", () => {
    expect(randomUuid(repeatableRandom("a"))).toBe(randomUuid(repeatableRandom("a")));
    expect(randomUuid(repeatableRandom("a"))).not.toBe(randomUuid(repeatableRandom("b")));
  });

  it("are written as they are, but for the six bits of a version 4", () => {
    const bytes = Buffer.from("ffffffffffffffffffffffffffffffff", "hex");
    expect(formatUuid(bytes)).toBe("ffffffff-ffff-ffff-ffff-ffffffffffff");
    expect(formatUuidV4(bytes)).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  });
});
