import { createHash } from "node:crypto";
import type { RandomSource } from "../src/random.js";

/** A source that gives the same bytes for the same seed: SHA-256 in counter mode. */
export const repeatableRandom = (seed: string): RandomSource => {
  let counter = 0;
  let left = Buffer.alloc(0);
  return {
    bytes(size) {
      while (left.length < size)
        left = Buffer.concat([left, createHash("sha256").update(`${seed}:${counter++}`).digest()]);
      const taken = Buffer.from(left.subarray(0, size));
      left = left.subarray(size);
      return taken;
    },
  };
};
