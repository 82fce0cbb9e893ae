import { sign, verify } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derFromJose, joseFromDer } from "../../src/tokens/ecdsa-signature.js";
import { makeKey } from "../token-fixtures.js";

const { privateKey, publicKey } = makeKey("ES256", "d-1");

/** DER of a positive integer, by X.690 section 8.3: as few bytes as hold it and its sign bit. */
const derInteger = (number: bigint): string => {
  const digits = number.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const hex = Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`;
  return `02${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`;
};

const bytesOf = (...numbers: readonly bigint[]): Buffer =>
  Buffer.from(numbers.map((number) => number.toString(16).padStart(64, "0")).join(""), "hex");

const anyNumber = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  // Numbers around each length in bytes, where a leading zero comes or goes.
  fc
    .tuple(fc.nat({ max: 31 }), fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn))
    .map(([places, top]) => top << BigInt(8 * places)),
);

describe("the two numbers of an ES256 signature", () => {
  it("stand in DER as X.690 writes them, and come back", () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, (r, s) => {
        const signature = bytesOf(r, s);
        const numbers = derInteger(r) + derInteger(s);
        const der = derFromJose(signature);
        expect(der?.toString("hex")).toBe(`30${(numbers.length / 2).toString(16).padStart(2, "0")}${numbers}`);
        expect(joseFromDer(der as Buffer)).toEqual(signature);
      }),
      { numRuns: 2000 },
    );
  });

  it("are those of node:crypto in both directions, also where one begins with zeros", () => {
    // One number in 256 begins with a zero byte, so a few of either come soon.
    const short = [0, 0];
    for (let count = 0; Math.min(...short) < 2; count++) {
      expect(count).toBeLessThan(50_000);
      const text = Buffer.from(`text ${count}`);
      const der = sign("sha256", text, privateKey);
      const raw = joseFromDer(der);
      expect(verify("sha256", text, { key: publicKey, dsaEncoding: "ieee-p1363" }, raw)).toBe(true);
      expect(derFromJose(raw)).toEqual(der);
      [raw[0], raw[32]].forEach((first, index) => (short[index] = (short[index] ?? 0) + (first === 0 ? 1 : 0)));
    }
  });

  it("are none in any other length", () => {
    for (const length of [0, 1, 32, 63, 65, 70, 71, 72, 96, 128, 1000])
      expect(derFromJose(Buffer.alloc(length, 1))).toBeUndefined();
  });
});
