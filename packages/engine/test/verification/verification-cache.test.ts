import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createVerificationCache } from "../../src/verification/verification-cache.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The bytes that are held, once all that is not has been collected. */
const heap = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

describe("the verification cache", () => {
  it("never answers for one token with the value of another, also when they end alike (GHSA-rp9m-7r4c-75qg)", () => {
    const tail = "t".repeat(32);
    const token = fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom(tail, "", "x")).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(fc.tuple(token, fc.boolean()), { maxLength: 60 }), fc.nat(400), (steps, characters) => {
        const cache = createVerificationCache<string>(characters);
        for (const [text, isStored] of steps) {
          if (isStored) cache.set(text, `value of ${text}`);
          const found = cache.get(text);
          if (found !== undefined) expect(found).toBe(`value of ${text}`);
          if (isStored) expect(found).toBe(`value of ${text}`);
        }
      }),
    );
  });

  it("remembers what is used and forgets what is not, within its bound", () => {
    const cache = createVerificationCache<number>(100 * 50);
    const name = (index: number): string => String(index).padStart(50, "0");
    cache.set(name(0), 0);
    for (let index = 1; index <= 10_000; index += 1) {
      cache.set(name(index), index);
      expect(cache.get(name(0))).toBe(0);
    }
    const kept = Array.from({ length: 10_001 }, (_, index) => index).filter(
      (index) => cache.get(name(index)) !== undefined,
    );
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept).toContain(9999);
    cache.clear();
    expect(cache.get(name(0))).toBeUndefined();
  });

  it("counts long tokens for what they weigh", () => {
    const cache = createVerificationCache<number>(1_000_000);
    const tokens = Array.from({ length: 200 }, (_, index) => `${index}`.padStart(50_000, "x"));
    for (const [index, token] of tokens.entries()) cache.set(token, index);
    expect(tokens.filter((token) => cache.get(token) !== undefined).length).toBeLessThanOrEqual(20);
  });

  it("takes a bounded heap, however many tokens come (CVE-2025-2559)", () => {
    const cache = createVerificationCache<object>(2_000_000);
    const fill = (from: number): void => {
      for (let index = from; index < from + 200_000; index += 1)
        cache.set(`${"header.payload.".repeat(13)}${String(index).padStart(32, "s")}`, { index });
    };
    fill(0);
    const before = heap();
    for (let round = 1; round < 5; round += 1) fill(round * 200_000);
    // A million tokens of 240 characters would take more than 300 MB.
    expect(heap() - before).toBeLessThan(60_000_000);
  });

  it("does not hold on to the text a token was cut from", () => {
    const cache = createVerificationCache<number>(10_000_000);
    const before = heap();
    for (let index = 0; index < 2000; index += 1) {
      const header = Buffer.alloc(50_000, `${index} `).toString("latin1");
      cache.set(header.slice(100, 400), index);
    }
    // 2,000 headers of 50,000 characters are 100 MB.
    expect(heap() - before).toBeLessThan(60_000_000);
  });
});
